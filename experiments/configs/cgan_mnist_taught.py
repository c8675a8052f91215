"""Conditional GAN as taught (Bouchard; Atienza's networks) on MNIST: for a GPU.

python -m experiments.train cgan_mnist_taught --data-dir DIR

The class is joined to z as a unit vector, and a dense layer makes of it one more channel of the discriminator's image.
On the slides the generator's loss leaves out that D is told the class too: -log D(G(z|y')|y') is meant.
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
