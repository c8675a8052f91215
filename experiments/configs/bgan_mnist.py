"""Boundary-seeking GAN (continuous; the networks of `lsgan_mnist`) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train bgan_mnist --data-dir DIR

Meant for about six minutes on one core.
"""

import dataclasses

from experiments.configs.lsgan_mnist import EXPERIMENT as LSGAN
from jaxgen.gans.objectives import BoundarySeeking

EXPERIMENT = dataclasses.replace(LSGAN, model=dataclasses.replace(LSGAN.model, objective=BoundarySeeking()))
