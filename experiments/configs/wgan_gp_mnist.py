"""WGAN-GP (small convolutional networks) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train wgan_gp_mnist --data-dir DIR
"""

from experiments.experiment import Experiment
from jaxgen.gans import wgan_gp
from jaxgen.nets.conv import ConvCritic, ConvGenerator
from jaxgen.optimizers import Adam

EXPERIMENT = Experiment(
    model=wgan_gp.Config(
        latent_dim=64,
        generator=ConvGenerator(channels=16),
        critic=ConvCritic(channels=8),
        generator_optimizer=Adam(1e-3, b1=0.0, b2=0.9),
        critic_optimizer=Adam(1e-3, b1=0.0, b2=0.9),
    ),
    data="mnist",
    steps=1_000,
    log_every=50,
    sample_every=200,
    checkpoint_every=200,
)
