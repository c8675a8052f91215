"""Conditional VAE (convolutional, 2 latents) on MNIST.

python -m experiments.train cvae_mnist --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import cvae
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.conv_autoencoder import ConvDecoder
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=cvae.Config(
        decoder=ConcatCondition(ConvDecoder(linear_map=True)),  # with a ReLU there the latents are hardly used for long
        optimizer=Optimizer(1e-3, Adam()),
    ),
    data="mnist",
    steps=3_000,
    batch_size=128,
    sample_every=500,
    checkpoint_every=500,
    pictures=("samples", "reconstructions", "codes", "code_grid"),
)
