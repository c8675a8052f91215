"""R3GAN (MLP) on 25 Gaussians on a grid.

python -m experiments.train r3gan_grid25

With these settings, seed 0, in a loop that draws its batches in another order than the command: after 3,750 updates
25 of 25 modes with at least 189 of 10,000 samples each, 75.2 % of all within three deviations of a mode (seed 1: 238
and 78.0 %). With
`penalty_every` 8, which fails in the paper, it was 25 modes with at least 70 samples each and 74.8 %: the penalties of
every eighth update, eight times as large, do no harm here by these figures of one seed.

A weight that is too small leaves the fine structure to a discriminator that wins: at 0.005 falling to 0.0005, with
networks half as wide and 16 latents, 4 % of the samples lay near a mode after 5,000 updates.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import r3gan
from jaxgen.moving_averages import RampedHalfLife
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Cosine, Optimizer, RampedAdam
from jaxgen.priors import Normal
from jaxgen.ramps import CosineRamp

STEPS = 3_750
ADAM = Optimizer(1e-3, RampedAdam(b2=CosineRamp(0.99, 0.99, STEPS)), Cosine(STEPS, final=0.05))

EXPERIMENT = Experiment(
    model=r3gan.Config(
        image_shape=(2,),
        value_range=None,
        num_classes=0,
        prior=Normal(2),
        generator=MLP((256, 256, 256)),
        discriminator=MLP((256, 256, 256)),
        gamma=CosineRamp(0.02, 0.02, STEPS),
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
        average=RampedHalfLife(CosineRamp(0.0, 100.0, STEPS)),
    ),
    data="grid25",
    batch_size=256,
    steps=STEPS,
    steps_per_call=50,
    log_every=500,
    sample_every=1_250,
    checkpoint_every=1_250,
    num_samples=1_000,
    pictures=("samples", "level_sets"),
)
