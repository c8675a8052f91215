"""R3GAN (its networks, narrow) on CIFAR-10, with classes: one class a column.

python -m experiments.train r3gan_cifar10 --data-dir DIR

Meant for about an hour on two cores; `r3gan_cifar10_published` has the networks and the length of the paper.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import r3gan
from jaxgen.moving_averages import RampedHalfLife
from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.r3gan import R3GANDiscriminator, R3GANGenerator
from jaxgen.optimizers import Cosine, Optimizer, RampedAdam
from jaxgen.ramps import CosineRamp

STEPS = 3_000
CHANNELS, GROUPS = (96, 64, 48, 32), (12, 8, 6, 4)  # groups of 16 channels, as published
ADAM = Optimizer(5e-4, RampedAdam(b2=CosineRamp(0.9, 0.99, STEPS)), Cosine(STEPS, final=0.25))

EXPERIMENT = Experiment(
    model=r3gan.Config(
        generator=InnerCondition(R3GANGenerator(CHANNELS, GROUPS, blocks=1)),
        discriminator=InnerCondition(R3GANDiscriminator(CHANNELS, GROUPS, blocks=1)),
        gamma=CosineRamp(0.5, 0.05, STEPS),
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
        average=RampedHalfLife(CosineRamp(0.0, 150.0, STEPS)),
    ),
    data="cifar10",
    images=ImageOptions(flip=True),
    batch_size=32,
    steps=STEPS,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
    num_samples=100,
)
