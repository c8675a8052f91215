"""DCGAN (Atienza's networks, a quarter as wide) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train dcgan_mnist --data-dir DIR

Small enough for a processor; `dcgan_mnist_taught` is the setting of the course, `dcgan_mnist_batch_norm` this one with
batch normalisation in the discriminator.
"""

from experiments.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.gans.priors import Uniform
from jaxgen.nets.dcgan import AtienzaDiscriminator, AtienzaGenerator
from jaxgen.optimizers import Adam

EXPERIMENT = Experiment(
    model=gan.Config(
        prior=Uniform(100),
        generator=AtienzaGenerator(channels=8),
        discriminator=AtienzaDiscriminator(channels=8),
        generator_optimizer=Adam(5e-4, b1=0.5),
        discriminator_optimizer=Adam(5e-4, b1=0.5),
        ema_decay=0.99,
    ),
    data="mnist",
    steps=1_700,
    log_every=50,
    sample_every=100,
    checkpoint_every=100,
)
