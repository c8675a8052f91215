"""CycleGAN as published, between horses and zebras, 256x256: for a GPU.

python -m experiments.train cyclegan_horse2zebra_published --data-dir DIR

200 epochs of the 1,334 zebras, one image of each domain an update; the rate is constant for the first half, then falls
to 0. Pictures of 288x288, of which a window of 256x256 is taken.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.optimizers import Adam, LinearDecay, Optimizer
from jaxgen.translation import cyclegan

STEPS = 266_800
ADAM = Optimizer(2e-4, Adam(b1=0.5), LinearDecay(STEPS, begin=STEPS // 2))

EXPERIMENT = Experiment(
    model=cyclegan.Config(generator_optimizer=ADAM, discriminator_optimizer=ADAM),
    data="cycle_gan/horse2zebra",
    images=ImageOptions(size=256, crop="random", flip=True),
    steps=STEPS,
    batch_size=1,
    steps_per_call=50,
    log_every=500,
    sample_every=20_000,
    checkpoint_every=10_000,
    num_samples=24,
)
