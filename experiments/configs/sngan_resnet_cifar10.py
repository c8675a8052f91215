"""SNGAN (the paper's ResNets, five discriminator steps, hinge loss) on CIFAR-10: for a GPU.

python -m experiments.train sngan_resnet_cifar10 --data-dir DIR

As in the authors' code, but for the generator's batch, 64 in place of 128, and for real and fake examples, which are
judged in one batch, so that the power method takes one step for both.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.objectives import Hinge
from jaxgen.nets.resnet import ResNetCritic, ResNetGenerator
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import Adam, LinearDecay, Optimizer
from jaxgen.priors import Normal

EXPERIMENT = Experiment(
    model=gan.Config(
        image_shape=(32, 32, 3),
        value_range=(-1.0, 1.0),
        prior=Normal(128),
        objective=Hinge(),
        generator=ResNetGenerator((256, 256, 256, 256)),
        discriminator=Spectral(ResNetCritic(pool="sum", last_bias=False)),
        discriminator_steps=5,
        discrimination=Discrimination(joint=True),
        generator_optimizer=Optimizer(2e-4, Adam(b1=0.0, b2=0.9), schedule=LinearDecay(50_000)),
        discriminator_optimizer=Optimizer(2e-4, Adam(b1=0.0, b2=0.9), schedule=LinearDecay(250_000)),
    ),
    data="cifar10",
    steps=50_000,
)
