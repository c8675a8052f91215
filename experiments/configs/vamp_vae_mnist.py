"""VAE with a VampPrior of 200 pseudo-inputs (784-300-300-40) on MNIST, binarised at each step.

python -m experiments.train vamp_vae_mnist --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vamp_vae
from jaxgen.autoencoders.bounds import ELBO
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vamp_vae.Config(num_components=200, objective=ELBO(warm_up=2_000), optimizer=Optimizer(1e-3, Adam())),
    data="mnist",
    steps=10_000,
    batch_size=100,
    steps_per_call=20,
    pictures=("samples", "reconstructions"),
)
