"""BicycleGAN as published, from label maps to photographs of facades, 256x256: for a GPU.

python -m experiments.train bicyclegan_facades_published --data pairs:facades

400 epochs of 400 pairs, two an update; the rate is constant for the first half, then falls to 0. Pictures of 288x288,
of which a window of 256x256 is taken.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.optimizers import Adam, LinearDecay, Optimizer
from jaxgen.translation import bicyclegan

STEPS = 80_000
ADAM = Optimizer(2e-4, Adam(b1=0.5), LinearDecay(STEPS, begin=STEPS // 2))

EXPERIMENT = Experiment(
    model=bicyclegan.Config(generator_optimizer=ADAM, discriminator_optimizer=ADAM),
    data="pairs:facades",
    images=ImageOptions(size=256, swap=True, crop="random", flip=True, label_maps="inputs"),
    steps=STEPS,
    batch_size=2,
    steps_per_call=50,
    log_every=500,
    sample_every=10_000,
    checkpoint_every=10_000,
    num_samples=24,
)
