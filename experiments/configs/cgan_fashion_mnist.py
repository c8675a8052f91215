"""Conditional GAN (small convolutional networks) on Fashion-MNIST.

python -m experiments.train cgan_fashion_mnist --data-dir DIR
"""

import dataclasses

from experiments.configs import cgan_mnist

EXPERIMENT = dataclasses.replace(cgan_mnist.EXPERIMENT, data="fashion_mnist", steps=2_500)
