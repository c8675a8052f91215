"""DCGAN as the courses teach it (Atienza 2018) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train dcgan_mnist_taught --data-dir DIR

1,300,801 and 1,080,577 parameters, RMSProp in Keras's convention, 40,000 steps: for a GPU.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import gan
from jaxgen.gans.discrimination import Discrimination
from jaxgen.nets.courses.atienza import AtienzaDiscriminator, AtienzaGenerator
from jaxgen.optimizers import InverseTime, Optimizer, RMSProp
from jaxgen.priors import Uniform

EXPERIMENT = Experiment(
    model=gan.Config(
        prior=Uniform(100),
        generator=AtienzaGenerator(),
        discriminator=AtienzaDiscriminator(),
        discrimination=Discrimination(joint=True),
        generator_optimizer=Optimizer(1e-4, RMSProp(decay=0.9, eps=1e-7), schedule=InverseTime(3e-8)),
        discriminator_optimizer=Optimizer(2e-4, RMSProp(decay=0.9, eps=1e-7), schedule=InverseTime(6e-8)),
    ),
    data="mnist",
    steps=40_000,
)
