"""StyleGAN 2 (narrow) on 32x32 faces of CelebA: 2,400 pictures.

python -m experiments.train stylegan2_celeba --data-dir DIR

Meant for about half an hour on one core.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import stylegan2
from jaxgen.gans.lazy_regularization import lazy
from jaxgen.gans.regularization import Slope
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.stylegan2 import StyleGAN2Discriminator, StyleGAN2Synthesis
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

ADAM = Optimizer(0.0025, Adam(b1=0.0, b2=0.99))

EXPERIMENT = Experiment(
    model=stylegan2.Config(
        image_shape=(32, 32, 3),
        prior=Normal(128),
        mapping=Mapping(4, 128, scaled_activation=True),
        synthesis=StyleGAN2Synthesis(channel_base=768, channel_max=64),
        discriminator=StyleGAN2Discriminator(channel_base=768, channel_max=64),
        r1=Slope(0.1, every=16),
        generator_optimizer=lazy(ADAM, 4),
        discriminator_optimizer=lazy(ADAM, 16),
        average=HalfLife(500.0),
    ),
    data="celeba_subset",
    images=ImageOptions(size=32, flip=True),
    batch_size=16,
    steps=10_000,
    sample_every=1_000,
    checkpoint_every=1_000,
)
