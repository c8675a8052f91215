"""Conditional GAN (small convolutional networks) on Fashion-MNIST.

python -m experiments.train cgan_fashion_mnist --data-dir DIR

`cgan_mnist` on other data, for half as long. At step 2,500 (seed 0, 2.5 minutes on one shared core of an Intel Xeon, 16
to 19 updates a second), 2,000 samples: a classifier that is right on 90.3 % of held-out pictures finds the class that
was asked for in 88.5 % of them [87.0, 89.8] (90.0 % of held-out ones), recognises (p >= 0.9) 61.6 % (69.9 %), and none
of the ten classes is missing; Frechet distance 8.8 (0.7). Shapes are right, cloth has a weave that real cloth has not.
"""

import dataclasses

from experiments.configs import cgan_mnist

EXPERIMENT = dataclasses.replace(cgan_mnist.EXPERIMENT, data="fashion_mnist", steps=2_500)
