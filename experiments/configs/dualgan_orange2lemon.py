"""DualGAN (the authors' networks, half as wide, five halvings) between oranges and lemons, 64x64, unpaired.

python -m experiments.train dualgan_orange2lemon --data-dir DIR

For a processor; `dualgan_facades_published` has the authors' width and size.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.dualgan import DualGANCritic, DualGANTranslator
from jaxgen.optimizers import Optimizer, RMSProp
from jaxgen.translation import dualgan

RMS = Optimizer(2e-4, RMSProp(decay=0.9))

EXPERIMENT = Experiment(
    model=dualgan.Config(
        image_shape=(64, 64, 3),
        generator=DualGANTranslator(channels=32, downs=5),
        discriminator=DualGANCritic(channels=32, layers=4),
        cycle_weight=100.0,
        generator_optimizer=RMS,
        discriminator_optimizer=RMS,
    ),
    data="orange2lemon",
    images=ImageOptions(flip=True),
    steps=6_000,
    batch_size=4,
    steps_per_call=25,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
    num_samples=24,
)
