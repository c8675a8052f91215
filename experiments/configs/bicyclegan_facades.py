"""BicycleGAN (the paper's networks, half as wide) from label maps to photographs of facades, 64x64.

python -m experiments.train bicyclegan_facades --data pairs:facades

A picture of the folder holds the photograph on the left and the label map on the right. For a processor;
`bicyclegan_facades_published` has the paper's width and size.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.bicyclegan import CodedUNetTranslator, CodeEncoder, ScaledDiscriminator
from jaxgen.optimizers import Adam, LinearDecay, Optimizer
from jaxgen.translation import bicyclegan

STEPS = 4_000
ADAM = Optimizer(2e-4, Adam(b1=0.5), LinearDecay(STEPS, begin=STEPS // 2))

EXPERIMENT = Experiment(
    model=bicyclegan.Config(
        input_shape=(64, 64, 3),
        image_shape=(64, 64, 3),
        generator=CodedUNetTranslator(channels=32, downs=6),
        encoder=CodeEncoder(channels=32, blocks=3),
        discriminator=ScaledDiscriminator(channels=32, layers=2),
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
    ),
    data="pairs:facades",
    images=ImageOptions(size=64, swap=True, crop="random", flip=True, label_maps="inputs"),
    steps=STEPS,
    batch_size=4,
    steps_per_call=25,
    log_every=100,
    sample_every=1_000,
    checkpoint_every=1_000,
    num_samples=24,
)
