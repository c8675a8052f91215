"""Softmax GAN (the networks of `lsgan_mnist`) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train softmax_gan_mnist --data-dir DIR

Meant for about six minutes on one core.
"""

import dataclasses

from experiments.configs.lsgan_mnist import EXPERIMENT as LSGAN
from jaxgen.gans.objectives import Softmax

EXPERIMENT = dataclasses.replace(LSGAN, model=dataclasses.replace(LSGAN.model, objective=Softmax()))
