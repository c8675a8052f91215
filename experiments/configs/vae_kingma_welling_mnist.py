"""VAE with the paper's networks and settings (784-500-20, tanh, Adagrad) on MNIST.

python -m experiments.train vae_kingma_welling_mnist --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae

EXPERIMENT = Experiment(
    model=vae.Config(),
    data="mnist",
    steps=20_000,
    batch_size=100,
    steps_per_call=20,
    pictures=("samples", "reconstructions"),
)
