"""Denoising autoencoder (convolutional) on MNIST with Gaussian noise of mean and deviation 1/2.

python -m experiments.train denoising_ae_mnist --data-dir DIR

At step 3,000, seed 0: squared error a pixel of 0.0191 from images with the noise, over the last 100 updates;
19 updates a second on a shared core of an Intel Xeon.
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import autoencoder
from jaxgen.autoencoders.corruption import GaussianNoise
from jaxgen.autoencoders.networks import ATIENZA_AUTOENCODER

EXPERIMENT = Experiment(
    model=autoencoder.Config(
        latent_dim=16,
        encoder=ATIENZA_AUTOENCODER.encoder,
        decoder=ATIENZA_AUTOENCODER.decoder,
        corruption=GaussianNoise(0.5, mean=0.5),
    ),
    data="mnist",
    steps=3_000,
    batch_size=64,
    sample_every=500,
    checkpoint_every=500,
    pictures=("samples", "reconstructions"),
)
