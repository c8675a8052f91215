"""SNGAN (the paper's convolutional networks, hinge loss, its setting C) on CIFAR-10: for a GPU.

python -m experiments.train sngan_cifar10_published --data-dir DIR

Table 1's setting C: Adam with 2e-4, 0.5 and 0.999, one step of each player, 100,000 updates of 64. Real and fake
examples are judged in one batch, with one step of the power method for both; the authors' code takes one for each.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.objectives import Hinge
from jaxgen.nets.sngan import SNGANDiscriminator, SNGANGenerator
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

EXPERIMENT = Experiment(
    model=gan.Config(
        image_shape=(32, 32, 3),
        value_range=(-1.0, 1.0),
        prior=Normal(128),
        objective=Hinge(),
        generator=SNGANGenerator(),
        discriminator=Spectral(SNGANDiscriminator()),
        discrimination=Discrimination(joint=True),
        generator_optimizer=Optimizer(2e-4, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(2e-4, Adam(b1=0.5)),
    ),
    data="cifar10",
    steps=100_000,
)
