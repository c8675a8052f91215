"""BigGAN as the author's script for CIFAR-10 has it: for a GPU.

python -m experiments.train biggan_cifar10_published --data-dir DIR

500 epochs of 50 images, four steps of the discriminator; the average begins at once, where the script waits for 1,000
updates.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import cgan
from jaxgen.gans.objectives import Hinge
from jaxgen.moving_averages import Exponential
from jaxgen.nets.biggan import DISCRIMINATOR_CIFAR, GENERATOR_CIFAR
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

ADAM = Optimizer(2e-4, Adam(b1=0.0))

EXPERIMENT = Experiment(
    model=cgan.Config(
        image_shape=(32, 32, 3),
        value_range=(-1.0, 1.0),
        prior=Normal(128),
        objective=Hinge(),
        generator=Spectral(GENERATOR_CIFAR, exempt=("scale", "offset")),
        discriminator=Spectral(DISCRIMINATOR_CIFAR),
        discriminator_steps=4,
        generator_optimizer=ADAM,
        discriminator_optimizer=ADAM,
        average=Exponential(0.9999),
    ),
    data="cifar10",
    images=ImageOptions(flip=True),
    batch_size=50,
    steps=125_000,
    num_samples=100,
)
