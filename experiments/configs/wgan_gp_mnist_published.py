"""WGAN-GP (the networks of the paper's code) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train wgan_gp_mnist_published --data-dir DIR

1,554,177 and 1,030,145 parameters, 200,000 updates of the generator: for a GPU.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import wgan_gp
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgen.optimizers import Adam, Optimizer

EXPERIMENT = Experiment(
    model=wgan_gp.Config(
        value_range=(0.0, 1.0),
        generator=DCGANGenerator(channels=64, norm="none"),
        critic=DCGANDiscriminator(channels=64, norm="none"),
        generator_optimizer=Optimizer(1e-4, Adam(b1=0.5, b2=0.9)),
        critic_optimizer=Optimizer(1e-4, Adam(b1=0.5, b2=0.9)),
    ),
    data="mnist",
    batch_size=50,
    steps=200_000,
)
