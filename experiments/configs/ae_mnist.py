"""Autoencoder (MLP, 784-128-64-12-2 and its mirror) on MNIST.

python -m experiments.train ae_mnist --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import autoencoder

EXPERIMENT = Experiment(
    model=autoencoder.Config(),
    data="mnist",
    steps=10_000,
    batch_size=128,
    steps_per_call=20,
    pictures=("samples", "reconstructions", "codes", "code_grid"),
)
