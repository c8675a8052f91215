"""R3GAN (its networks, very narrow) on scikit-learn's 8x8 handwritten digits: one class a column.

python -m experiments.train r3gan_digits

At update 1,000, seed 0, all ten classes can be read, with grey noise on them.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import r3gan
from jaxgen.moving_averages import RampedHalfLife
from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.r3gan import R3GANDiscriminator, R3GANGenerator
from jaxgen.optimizers import Cosine, Optimizer, RampedAdam
from jaxgen.priors import Normal
from jaxgen.ramps import CosineRamp

STEPS = 2_000
ADAM = Optimizer(1e-3, RampedAdam(b2=CosineRamp(0.9, 0.99, STEPS)), Cosine(STEPS, final=0.25))

EXPERIMENT = Experiment(
    model=r3gan.Config(
        image_shape=(8, 8, 1),
        prior=Normal(32),
        generator=InnerCondition(R3GANGenerator((32, 32), (4, 4), blocks=1, embedding=32)),
        discriminator=InnerCondition(R3GANDiscriminator((32, 32), (4, 4), blocks=1)),
        gamma=CosineRamp(1.0, 0.1, STEPS),
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
        average=RampedHalfLife(CosineRamp(0.0, 100.0, STEPS)),
    ),
    data="digits",
    steps=STEPS,
    steps_per_call=20,
    sample_every=1_000,
    checkpoint_every=1_000,
    num_samples=100,
)
