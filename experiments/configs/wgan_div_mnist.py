"""WGAN-div (small convolutional networks) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train wgan_div_mnist --data-dir DIR

The networks of `wgan_gp_mnist`, with the paper's k = 2, p = 6 and four steps of the critic.

Meant for about fifteen minutes on two cores.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.gans.drawn_penalties import Divergence
from jaxgen.gans.objectives import Wasserstein
from jaxgen.gans.regularization import Regularization
from jaxgen.moving_averages import Exponential
from jaxgen.nets.conv import ConvCritic, ConvGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal

EXPERIMENT = Experiment(
    model=gan.Config(
        value_range=(-1.0, 1.0),
        prior=Normal(64),
        objective=Wasserstein(),
        generator=ConvGenerator(channels=16),
        discriminator=ConvCritic(channels=8),
        discriminator_steps=4,
        regularization=Regularization(divergence=Divergence(2.0, power=6.0)),
        generator_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
        discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.0, b2=0.9)),
        average=Exponential(0.999),
    ),
    data="mnist",
    steps=3_000,
    log_every=50,
    sample_every=500,
    checkpoint_every=500,
)
