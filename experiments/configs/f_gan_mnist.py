"""f-GAN (Jensen-Shannon divergence, the networks of `lsgan_mnist`) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train f_gan_mnist --data-dir DIR

--model.objective.divergence pearson, or another of `jaxgen.losses.divergences`, plays for that one.

Meant for about six minutes on one core.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.gans.f_gan import FDivergence
from jaxgen.moving_averages import Exponential
from jaxgen.nets.lsgan import LSGANDiscriminator, LSGANGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Uniform

EXPERIMENT = Experiment(
    model=gan.Config(
        value_range=(-1.0, 1.0),
        prior=Uniform(64),
        objective=FDivergence("jensen_shannon"),
        generator=LSGANGenerator(features=(64, 32, 16), strides=(2, 2)),
        discriminator=LSGANDiscriminator(channels=16, layers=3),
        generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(5e-4, Adam(b1=0.5)),
        average=Exponential(0.99),
    ),
    data="mnist",
    steps=4_000,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
)
