"""StyleGAN (its networks, narrow) on faces of drawn characters: from 8x8 to 32x32.

python -m experiments.train stylegan_anime --data-dir DIR
python -m experiments.sample RUN --drawing.psi 0.7    # truncated samples
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import stylegan
from jaxgen.gans.growing import Growth
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.progan import ProGANDiscriminator
from jaxgen.nets.stylegan import StyleGANSynthesis
from jaxgen.priors import Normal

GROWTH = Growth(first=8, stabilise=32_000, fade=32_000, batch_sizes=(32, 32, 16))

EXPERIMENT = Experiment(
    model=stylegan.Config(
        image_shape=(32, 32, 3),
        prior=Normal(64),
        mapping=Mapping(layers=4, features=64),
        synthesis=StyleGANSynthesis(base=256, maximum=64),
        discriminator=ProGANDiscriminator(base=256, maximum=64, blurred=True),
        growth=GROWTH,
        gamma=1.0,
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
