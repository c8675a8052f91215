"""UNIT (the authors' networks, a quarter as wide, two scales) between cats and dogs, 64x64, unpaired.

python -m experiments.train unit_cats2dogs --data-dir DIR

For a processor; `unit_cats2dogs_published` has the authors' width.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.moving_averages import Exponential
from jaxgen.nets.unit import ContentDecoder, ContentEncoder, MultiScaleDiscriminator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.translation import unit

ADAM = Optimizer(2e-4, Adam(b1=0.5), weight_decay=1e-4)

EXPERIMENT = Experiment(
    model=unit.Config(
        image_shape=(64, 64, 3),
        encoder=ContentEncoder(channels=16, blocks=2),
        decoder=ContentDecoder(blocks=2),
        discriminator=MultiScaleDiscriminator(channels=32, layers=3, scales=2),
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
        average=Exponential(0.999),
    ),
    data="unpaired:animals3:cats,animals3:dogs",
    images=ImageOptions(flip=True),
    steps=6_000,
    batch_size=1,
    steps_per_call=25,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
    num_samples=24,
)
