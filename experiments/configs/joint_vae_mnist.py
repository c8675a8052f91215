"""JointVAE (10 continuous latents, one of 10 categories, 784-512-256) on MNIST, binarised once.

python -m experiments.train joint_vae_mnist --data-dir DIR
python -m experiments.evaluate runs/joint_vae_mnist
python -m experiments.likelihood runs/joint_vae_mnist
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import joint_vae
from jaxgen.autoencoders.joint_vae import JointCapacity
from jaxgen.autoencoders.likelihoods import Bernoulli
from jaxgen.optimizers import Adam, Optimizer

STEPS = 20_000

EXPERIMENT = Experiment(
    model=joint_vae.Config(
        likelihood=Bernoulli("once"),
        objective=JointCapacity(steps=STEPS // 2),
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="mnist",
    steps=STEPS,
    batch_size=128,
    steps_per_call=20,
    log_every=100,
    sample_every=4_000,
    checkpoint_every=4_000,
    pictures=("samples", "reconstructions"),
)
