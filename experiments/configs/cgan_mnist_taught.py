"""Conditional GAN as taught (Bouchard; Atienza's networks) on MNIST: for a GPU.

python -m experiments.train cgan_mnist_taught --data-dir DIR

The class is concatenated to z as a one-hot vector; in the discriminator a dense layer makes one more channel of it.
Corrections of the course: docs/courses.md.
"""

from experiments.runs.experiment import Experiment
from jaxgen.gans import cgan
from jaxgen.gans.discrimination import Discrimination
from jaxgen.nets.conditioning import ChannelCondition, ConcatCondition
from jaxgen.nets.courses.atienza import AtienzaDiscriminator, AtienzaGenerator
from jaxgen.optimizers import InverseTime, Optimizer, RMSProp

EXPERIMENT = Experiment(
    model=cgan.Config(
        generator=ConcatCondition(AtienzaGenerator()),
        discriminator=ChannelCondition(AtienzaDiscriminator()),
        discrimination=Discrimination(joint=True),
        generator_optimizer=Optimizer(1e-4, RMSProp(decay=0.9, eps=1e-7), schedule=InverseTime(3e-8)),
        discriminator_optimizer=Optimizer(2e-4, RMSProp(decay=0.9, eps=1e-7), schedule=InverseTime(6e-8)),
    ),
    data="mnist",
    steps=40_000,
    num_samples=100,
)
