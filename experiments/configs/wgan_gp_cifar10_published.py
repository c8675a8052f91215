"""WGAN-GP (the DCGAN-like networks of the paper's code) on CIFAR-10, prepared by tensorflow-datasets.

python -m experiments.train wgan_gp_cifar10_published --data-dir DIR

5,179,907 and 4,114,689 parameters, 200,000 updates of the generator: for a GPU. The code's Adam has b1 = 0.5, where
Algorithm 1 has 0.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import wgan_gp
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=wgan_gp.Config(
        image_shape=(32, 32, 3),
        generator=DCGANGenerator(norm_units=True),
        critic=DCGANDiscriminator(norm="none"),
        generator_optimizer=Optimizer(1e-4, Adam(b1=0.5, b2=0.9)),
        critic_optimizer=Optimizer(1e-4, Adam(b1=0.5, b2=0.9)),
    ),
    data="cifar10",
    steps=200_000,
)
