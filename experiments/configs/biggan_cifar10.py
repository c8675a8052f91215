"""BigGAN (its networks, a quarter as wide, shared embedding and hierarchical latents) on CIFAR-10: one class a column.

python -m experiments.train biggan_cifar10 --data-dir DIR
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import cgan
from jaxgen.gans.objectives import Hinge
from jaxgen.moving_averages import Exponential
from jaxgen.nets.biggan import DISCRIMINATOR_CIFAR, GENERATOR_CIFAR
from jaxgen.nets.initializers import Orthogonal
from jaxgen.nets.projection import ProjectionDiscriminator
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

GENERATOR = GENERATOR_CIFAR.clone(channels=16, embedding=32, hierarchical=True, initializer=Orthogonal())
FEATURES = DISCRIMINATOR_CIFAR.features.clone(channels=(32, 32, 32, 32), initializer=Orthogonal())

EXPERIMENT = Experiment(
    model=cgan.Config(
        image_shape=(32, 32, 3),
        value_range=(-1.0, 1.0),
        prior=Normal(128),
        objective=Hinge(),
        generator=Spectral(GENERATOR, exempt=("embedding",)),
        discriminator=Spectral(ProjectionDiscriminator(FEATURES, initializer=Orthogonal())),
        discriminator_steps=2,
        generator_optimizer=Optimizer(4e-4, Adam(b1=0.0)),
        discriminator_optimizer=Optimizer(8e-4, Adam(b1=0.0)),
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
