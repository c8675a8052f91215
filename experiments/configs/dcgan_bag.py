"""DCGAN (Atienza's networks, a quarter as wide) on 500 bags of Fashion-MNIST.

python -m experiments.train dcgan_bag --data-dir DIR

What few pictures do to a GAN: `dcgan_bag_diff_augment` differs in the discriminator's augmentation alone, and
`--model.regularization.lecam.weight 0.3` adds LeCam. An update costs what one of `dcgan_mnist` does: about ten minutes
on one core in all.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.moving_averages import Exponential
from jaxgen.nets.courses.atienza import AtienzaDiscriminator, AtienzaGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

EXPERIMENT = Experiment(
    model=gan.Config(
        value_range=(-1.0, 1.0),
        prior=Normal(100),
        generator=AtienzaGenerator(channels=8),
        discriminator=AtienzaDiscriminator(channels=8),
        generator_optimizer=Optimizer(5e-4, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(5e-4, Adam(b1=0.5)),
        average=Exponential(0.99),
    ),
    data="fashion_mnist:bag:500",
    steps=2_000,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
)
