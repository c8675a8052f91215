"""Age-cGAN's generator (DCGAN's 64x64 networks, an eighth as wide, told an age) on faces in six categories of age.

python -m experiments.train age_cgan_faces --data-dir DIR

The set is `utkface_subset`, or any folder with a sub-folder for each of six categories: --data folder:PATH.
`age_encoder_faces` finds latents of faces under its generator.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import cgan
from jaxgen.moving_averages import Exponential
from jaxgen.nets.conditioning import ConcatCondition, TiledCondition
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

EXPERIMENT = Experiment(
    model=cgan.Config(
        image_shape=(64, 64, 3),
        value_range=(-1.0, 1.0),
        num_classes=6,
        prior=Normal(100),
        generator=ConcatCondition(DCGANGenerator(channels=16)),
        discriminator=TiledCondition(DCGANDiscriminator(channels=16)),
        generator_optimizer=Optimizer(4e-4, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(4e-4, Adam(b1=0.5)),
        average=Exponential(0.999),
    ),
    data="utkface_subset",
    images=ImageOptions(size=64, flip=True),
    steps=6_000,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
)
