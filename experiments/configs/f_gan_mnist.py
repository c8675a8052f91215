"""f-GAN (Jensen-Shannon divergence, the networks of `lsgan_mnist`) on MNIST, prepared by tensorflow-datasets.

python -m experiments.train f_gan_mnist --data-dir DIR

--model.objective.divergence pearson, or another of `jaxgen.losses.divergences`, plays for that one.

Meant for about six minutes on one core.
"""

import dataclasses

from experiments.configs.lsgan_mnist import EXPERIMENT as LSGAN
from jaxgen.gans.f_gan import FDivergence

EXPERIMENT = dataclasses.replace(LSGAN, model=dataclasses.replace(LSGAN.model, objective=FDivergence("jensen_shannon")))
