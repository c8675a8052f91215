"""SNGAN (the paper's ResNets, narrower, one discriminator step) on CIFAR-10, prepared by tensorflow-datasets.

python -m experiments.train sngan_cifar10 --data-dir DIR

For a processor; `sngan_cifar10_published` and `sngan_resnet_cifar10` have the paper's networks.
"""

from experiments.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.objectives import Hinge
from jaxgen.gans.priors import Normal
from jaxgen.nets.resnet import ResNetCritic, ResNetGenerator
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import Adam

EXPERIMENT = Experiment(
    model=gan.Config(
        image_shape=(32, 32, 3),
        value_range=(-1.0, 1.0),
        prior=Normal(128),
        objective=Hinge(),
        generator=ResNetGenerator((32, 32, 32, 32)),
        discriminator=Spectral(ResNetCritic(32, pool="sum", last_bias=False)),
        view=Discrimination(joint=True),  # one step of the power method for both kinds
        generator_optimizer=Adam(5e-4, b1=0.0, b2=0.9),
        discriminator_optimizer=Adam(1e-3, b1=0.0, b2=0.9),
        ema_decay=0.999,
    ),
    data="cifar10",
    steps=3_000,
    log_every=100,
    sample_every=250,
    checkpoint_every=500,
)
