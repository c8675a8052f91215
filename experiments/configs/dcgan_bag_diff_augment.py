"""DCGAN with differentiable augmentation on 500 bags of Fashion-MNIST.

python -m experiments.train dcgan_bag_diff_augment --data-dir DIR

`dcgan_bag` whose discriminator meets transformed pictures alone, real and fake.
"""

import dataclasses

from experiments.configs import dcgan_bag
from jaxgen.nets.diff_augment import DiffAugment

EXPERIMENT = dataclasses.replace(
    dcgan_bag.EXPERIMENT,
    model=dataclasses.replace(
        dcgan_bag.EXPERIMENT.model, discriminator=DiffAugment(dcgan_bag.EXPERIMENT.model.discriminator)
    ),
)
