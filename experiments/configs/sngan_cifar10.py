"""SNGAN (the paper's convolutional networks, a quarter as wide) on CIFAR-10, prepared by tensorflow-datasets.

python -m experiments.train sngan_cifar10 --data-dir DIR

For a processor; `sngan_cifar10_published` and `sngan_resnet_cifar10` have the paper's networks.
"""

from experiments.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.objectives import Hinge
from jaxgen.gans.priors import Normal
from jaxgen.nets.sngan import SNGANDiscriminator, SNGANGenerator
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import Adam

EXPERIMENT = Experiment(
    model=gan.Config(
        image_shape=(32, 32, 3),
        value_range=(-1.0, 1.0),
        prior=Normal(128),
        objective=Hinge(),
        generator=SNGANGenerator(channels=16),
        discriminator=Spectral(SNGANDiscriminator(channels=16)),
        view=Discrimination(joint=True),  # one step of the power method for both kinds
        generator_optimizer=Adam(5e-4, b1=0.5),
        discriminator_optimizer=Adam(5e-4, b1=0.5),
        ema_decay=0.999,
    ),
    data="cifar10",
    steps=5_000,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
)
