"""VAE (convolutional, 16 latents, discretised logistic likelihood) on Fashion-MNIST.

python -m experiments.train conv_vae_fashion_mnist --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae
from jaxgen.autoencoders.likelihoods import DiscretizedLogistic
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=vae.Config(
        latent_dim=16,
        value_range=(-1.0, 1.0),
        encoder=ConvEncoder((32, 64), features=(256,)),
        decoder=ConvDecoder((64, 64, 32), features=(256,), linear_map=True),
        likelihood=DiscretizedLogistic(),
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="fashion_mnist",
    steps=3_000,
    batch_size=64,
    sample_every=500,
    checkpoint_every=500,
    pictures=("samples", "reconstructions"),
)
