"""R3GAN (its networks, narrow) on Fashion-MNIST: one class a column.

python -m experiments.train r3gan_fashion_mnist --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import r3gan
from jaxgen.moving_averages import RampedHalfLife
from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.r3gan import R3GANDiscriminator, R3GANGenerator
from jaxgen.optimizers import Cosine, Optimizer, RampedAdam
from jaxgen.ramps import CosineRamp

STEPS = 3_000
CHANNELS, GROUPS = (64, 48, 32), (8, 6, 4)  # groups of 16 channels, as published
ADAM = Optimizer(5e-4, RampedAdam(b2=CosineRamp(0.9, 0.99, STEPS)), Cosine(STEPS, final=0.25))

EXPERIMENT = Experiment(
    model=r3gan.Config(
        image_shape=(28, 28, 1),
        generator=InnerCondition(R3GANGenerator(CHANNELS, GROUPS, blocks=1)),
        discriminator=InnerCondition(R3GANDiscriminator(CHANNELS, GROUPS, blocks=1)),
        gamma=CosineRamp(0.5, 0.05, STEPS),
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
        average=RampedHalfLife(CosineRamp(0.0, 150.0, STEPS)),
    ),
    data="fashion_mnist",
    batch_size=32,
    steps=STEPS,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
    num_samples=100,
)
