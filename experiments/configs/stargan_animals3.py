"""StarGAN (the paper's networks with three blocks, a quarter as wide) between cats, dogs and pandas, 64x64.

python -m experiments.train stargan_animals3 --data-dir DIR

For a processor; `stargan_rafd_published` has the paper's width and size.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.conditioning import TiledCondition
from jaxgen.nets.stargan import StarGANDiscriminator, StarGANTranslator
from jaxgen.optimizers import Adam, LinearDecay, Optimizer
from jaxgen.translation import stargan

STEPS = 2_000

EXPERIMENT = Experiment(
    model=stargan.Config(
        image_shape=(64, 64, 3),
        num_classes=3,
        generator=TiledCondition(StarGANTranslator(channels=16, blocks=3)),
        discriminator=StarGANDiscriminator(channels=16, layers=5),
        discriminator_steps=3,
        generator_optimizer=Optimizer(4e-4, Adam(b1=0.5), LinearDecay(STEPS, begin=STEPS // 2)),
        discriminator_optimizer=Optimizer(4e-4, Adam(b1=0.5), LinearDecay(3 * STEPS, begin=3 * STEPS // 2)),
    ),
    data="animals3",
    images=ImageOptions(flip=True),
    steps=STEPS,
    batch_size=8,
    steps_per_call=10,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
    num_samples=32,
)
