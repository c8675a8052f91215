"""Adversarial autoencoder (MLP) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train aae_mnist --data-dir DIR
"""

from experiments.experiment import Experiment
from jaxgen.autoencoders import aae

EXPERIMENT = Experiment(
    model=aae.Config(),
    data="mnist",
    batch_size=100,
    steps=4_000,
    log_every=50,
    sample_every=500,
    checkpoint_every=1_000,
    pictures=("samples", "reconstructions", "codes"),
)
