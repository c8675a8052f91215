"""DCGAN (Atienza's networks, a quarter as wide) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train dcgan_mnist --data-dir DIR

Small enough for a processor; `dcgan_mnist_taught` is the setting of the course, `dcgan_mnist_batch_norm` this one with
batch normalisation in the discriminator.

At step 3,500 (seed 0, stopped at 1,000 and 1,700 and resumed, 14 minutes on one shared core of an Intel Xeon, 3 to
5 updates a second), 2,000 samples: a classifier that is right on 99.1 % of held-out digits recognises (p >= 0.9) 69.6 %
of them [67.6, 71.6], and the ten digits have shares of 7.1 to 11.7 %; Frechet distance 13.7 [12.4, 15.1]. At step 1,700
they were 55.8 % and 37.2, at 1,000 49.9 % and 63.3. With 2e-4 in place of 5e-4 the discriminator told nothing apart
(its loss was 2 log 2): 45.8 % and 110.7 at step 700.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.moving_averages import Exponential
from jaxgen.nets.courses.atienza import AtienzaDiscriminator, AtienzaGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Uniform

EXPERIMENT = Experiment(
    model=gan.Config(
        prior=Uniform(100),
        generator=AtienzaGenerator(channels=8),
        discriminator=AtienzaDiscriminator(channels=8),
        generator_optimizer=Optimizer(5e-4, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(5e-4, Adam(b1=0.5)),
        average=Exponential(0.99),
    ),
    data="mnist",
    steps=3_500,
    log_every=100,
    sample_every=500,
    checkpoint_every=500,
)
