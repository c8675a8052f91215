"""SNGAN with a projection discriminator (the paper's ResNets, a quarter as wide) on CIFAR-10: one class a column.

python -m experiments.train sngan_projection_cifar10 --data-dir DIR
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import cgan
from jaxgen.gans.objectives import Hinge
from jaxgen.moving_averages import Exponential
from jaxgen.nets.projection import ProjectionDiscriminator
from jaxgen.nets.sngan_resnet import ConditionalResNetGenerator, ResNetFeatures
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

EXPERIMENT = Experiment(
    model=cgan.Config(
        image_shape=(32, 32, 3),
        value_range=(-1.0, 1.0),
        prior=Normal(128),
        objective=Hinge(),
        generator=ConditionalResNetGenerator((64, 64, 64, 64)),
        discriminator=Spectral(ProjectionDiscriminator(ResNetFeatures((32, 32, 32, 32)), last_bias=False)),
        discriminator_steps=2,
        generator_optimizer=Optimizer(4e-4, Adam(b1=0.0, b2=0.9)),
        discriminator_optimizer=Optimizer(8e-4, Adam(b1=0.0, b2=0.9)),
        average=Exponential(0.999),
    ),
    data="cifar10",
    images=ImageOptions(flip=True),
    steps=4_000,
    log_every=50,
    sample_every=1_000,
    checkpoint_every=500,
    num_samples=100,
)
