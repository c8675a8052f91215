"""MUNIT with the networks and settings of the authors' code, between cats and dogs, 64x64: for a GPU.

python -m experiments.train munit_cats2dogs_published --data-dir DIR

The learning rate is halved every 100,000 updates of one image of each domain.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.optimizers import Adam, Optimizer, StepDecay
from jaxgen.translation import munit

ADAM = Optimizer(1e-4, Adam(b1=0.5), StepDecay(100_000), weight_decay=1e-4)

EXPERIMENT = Experiment(
    model=munit.Config(image_shape=(64, 64, 3), generator_optimizer=ADAM, discriminator_optimizer=ADAM),
    data="unpaired:animals3:cats,animals3:dogs",
    images=ImageOptions(flip=True),
    steps=1_000_000,
    batch_size=1,
    steps_per_call=50,
    log_every=1_000,
    sample_every=50_000,
    checkpoint_every=10_000,
    num_samples=24,
)
