"""Ladder VAE (784-512-512-64, 64-256-256-32, 32-128-128-16) on MNIST, binarised at each step.

python -m experiments.train hierarchical_vae_mnist --data-dir DIR
python -m experiments.likelihood runs/hierarchical_vae_mnist
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import hierarchical_vae
from jaxgen.autoencoders.bounds import ELBO
from jaxgen.optimizers import Adam, LinearDecay, Optimizer

STEPS = 20_000

EXPERIMENT = Experiment(
    model=hierarchical_vae.Config(
        objective=ELBO(warm_up=4_000),
        optimizer=Optimizer(2e-3, Adam(eps=1e-4), LinearDecay(STEPS), clip_norm=4.0),
    ),
    data="mnist",
    steps=STEPS,
    batch_size=128,
    steps_per_call=20,
    log_every=100,
    sample_every=2_000,
    checkpoint_every=2_000,
    pictures=("samples", "reconstructions"),
)
