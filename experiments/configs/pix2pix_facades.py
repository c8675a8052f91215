"""pix2pix (the paper's networks, a quarter as wide) from label maps to photographs of facades, 64x64.

python -m experiments.train pix2pix_facades --data pairs:facades

A picture of the folder holds the photograph on the left and the label map on the right. For a processor;
`pix2pix_facades_published` has the paper's width and size.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.pix2pix import PatchDiscriminator, UNetTranslator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.translation import pix2pix

EXPERIMENT = Experiment(
    model=pix2pix.Config(
        input_shape=(64, 64, 3),
        image_shape=(64, 64, 3),
        generator=UNetTranslator(channels=32, downs=6),
        discriminator=PatchDiscriminator(channels=32, layers=2),
        generator_optimizer=Optimizer(2e-4, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(2e-4, Adam(b1=0.5)),
    ),
    data="pairs:facades",
    images=ImageOptions(size=64, swap=True, crop="random", flip=True, label_maps="inputs"),
    steps=9_000,
    batch_size=4,
    steps_per_call=25,
    log_every=100,
    sample_every=1_500,
    checkpoint_every=1_500,
    num_samples=24,
)
