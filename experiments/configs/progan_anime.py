"""ProGAN (its networks, narrow) on faces of drawn characters: from 4x4 to 32x32.

python -m experiments.train progan_anime --data-dir DIR
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import progan
from jaxgen.gans.growing import Growth
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.progan import ProGANDiscriminator, ProGANGenerator
from jaxgen.priors import Normal

GROWTH = Growth(first=4, stabilise=24_000, fade=24_000, batch_sizes=(32, 32, 32, 16))

EXPERIMENT = Experiment(
    model=progan.Config(
        image_shape=(32, 32, 3),
        prior=Normal(64),
        generator=ProGANGenerator(base=256, maximum=64),
        discriminator=ProGANDiscriminator(base=256, maximum=64),
        growth=GROWTH,
        average=HalfLife(half_life=300.0),
    ),
    data="anime_faces",
    images=ImageOptions(size=32, flip=True),
    batch_size=16,
    steps=12_000,
    log_every=100,
    sample_every=250,
    checkpoint_every=1_000,
    num_samples=64,
)
