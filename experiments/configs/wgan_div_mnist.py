"""WGAN-div (small convolutional networks) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train wgan_div_mnist --data-dir DIR

The networks of `wgan_gp_mnist`, with the paper's k = 2, p = 6 and four steps of the critic.

At step 3,000 (seed 0, 37 minutes on one core of an Intel Xeon, beside other work), 1,000 samples: a classifier that is
right on 99.1 % of held-out digits recognises (p >= 0.9) 70.7 % of them [68.2, 73.6] (of held-out digits 97.3), and the
ten digits have shares of 8.2 to 11.4 %; Frechet distance 9.6 [7.9, 11.3] (held out 3.9), precision .62, recall .91.
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
