"""StyleGAN 3 (T, narrow, 6 layers) on anime faces of 32x32 pixels.

python -m experiments.train stylegan3_anime --data-dir DIR

Meant for about half an hour on one core.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import stylegan3
from jaxgen.gans.regularization import Slope
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.stylegan2 import StyleGAN2Discriminator
from jaxgen.nets.stylegan3 import StyleGAN3Synthesis
from jaxgen.priors import Normal

BATCH = 16

EXPERIMENT = Experiment(
    model=stylegan3.Config(
        image_shape=(32, 32, 3),
        prior=Normal(64),
        mapping=Mapping(2, 64, scaled_activation=True),
        synthesis=StyleGAN3Synthesis(512, 32, num_layers=6, margin=4, magnitude_half_life=20_000 / BATCH),
        discriminator=StyleGAN2Discriminator(768, 64),
        r1=Slope(0.1, every=16),
        average=HalfLife(2_000 / BATCH, ramp_up=0.05),
    ),
    data="anime_faces",
    images=ImageOptions(size=32, flip=True),
    batch_size=BATCH,
    steps=4_000,
    sample_every=1_000,
    checkpoint_every=1_000,
)
