"""CycleGAN (the paper's networks with six blocks, a quarter as wide) between oranges and lemons, 64x64, unpaired.

python -m experiments.train cyclegan_orange2lemon --data-dir DIR

For a processor; `cyclegan_horse2zebra_published` has the paper's width and size.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.cyclegan import ResNetTranslator
from jaxgen.nets.pix2pix import PatchDiscriminator
from jaxgen.optimizers import Adam, LinearDecay, Optimizer
from jaxgen.translation import cyclegan

STEPS = 6_000
ADAM = Optimizer(2e-4, Adam(b1=0.5), LinearDecay(STEPS, begin=STEPS // 2))

EXPERIMENT = Experiment(
    model=cyclegan.Config(
        image_shape=(64, 64, 3),
        generator=ResNetTranslator(channels=16, blocks=6),
        discriminator=PatchDiscriminator(channels=32, layers=2, norm="instance"),
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
    ),
    data="orange2lemon",
    images=ImageOptions(flip=True),
    steps=STEPS,
    batch_size=2,
    steps_per_call=25,
    log_every=100,
    sample_every=1_000,
    checkpoint_every=1_000,
    num_samples=24,
)
