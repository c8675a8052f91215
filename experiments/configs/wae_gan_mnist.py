"""Wasserstein autoencoder (adversarial, convolutional) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train wae_gan_mnist --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import wae_gan
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder

EXPERIMENT = Experiment(
    model=wae_gan.Config(
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
