"""SNGAN with a projection discriminator (the paper's ResNets) on CIFAR-10: for a GPU.

python -m experiments.train sngan_projection_cifar10_published --data-dir DIR
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import cgan
from jaxgen.gans.objectives import Hinge
from jaxgen.nets.projection import ProjectionDiscriminator
from jaxgen.nets.sngan_resnet import FEATURES_32, ConditionalResNetGenerator
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import Adam, LinearDecay, Optimizer
from jaxgen.priors import Normal

EXPERIMENT = Experiment(
    model=cgan.Config(
        image_shape=(32, 32, 3),
        value_range=(-1.0, 1.0),
        prior=Normal(128),
        objective=Hinge(),
        generator=ConditionalResNetGenerator(),
        discriminator=Spectral(ProjectionDiscriminator(FEATURES_32, last_bias=False)),
        discriminator_steps=5,
        generator_batches=2,
        generator_optimizer=Optimizer(2e-4, Adam(b1=0.0, b2=0.9), LinearDecay(50_000)),
        discriminator_optimizer=Optimizer(2e-4, Adam(b1=0.0, b2=0.9), LinearDecay(250_000)),
    ),
    data="cifar10",
    steps=50_000,
    num_samples=100,
)
