"""Wasserstein autoencoder (MMD, convolutional) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train wae_mnist --data-dir DIR

At 3,000 steps, seed 0, on the 10,000 test images: mean squared error 0.0203 of pixels from 0 to 1. The codes have
deviations of 1.02 to 1.07 and correlations of at most 0.07; MMD^2 between 1,000 of them and 1,000 draws is 0.020.
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import wae
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder

EXPERIMENT = Experiment(
    model=wae.Config(
        encoder=ConvEncoder((16, 32, 64), kernel_size=4, norm="batch"),
        decoder=ConvDecoder((64, 32, 16), kernel_size=4, norm="batch"),
    ),
    data="mnist",
    batch_size=100,
    steps=3_000,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
    pictures=("samples", "reconstructions", "codes"),
)
