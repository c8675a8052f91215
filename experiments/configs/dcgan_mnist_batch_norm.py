"""DCGAN with batch normalisation in the discriminator, which sees real and fake digits in one batch, on MNIST.

python -m experiments.train dcgan_mnist_batch_norm --data-dir DIR

`dcgan_mnist` with the change that the course warns of. One batch of real and fake digits has other statistics than the
fakes alone that the generator's step is judged by; with --model.view.no-joint each kind keeps
its own, as in DCGAN's paper.
"""

import dataclasses

from experiments.configs import dcgan_mnist
from jaxgen.gans.discrimination import Discrimination
from jaxgen.nets.dcgan import AtienzaDiscriminator

EXPERIMENT = dataclasses.replace(
    dcgan_mnist.EXPERIMENT,
    model=dataclasses.replace(
        dcgan_mnist.EXPERIMENT.model,
        discriminator=AtienzaDiscriminator(channels=8, norm="batch"),
        view=Discrimination(joint=True),
    ),
)
