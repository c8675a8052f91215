"""StarGAN (the paper's networks with three blocks, a quarter as wide) between black, blond and brown hair, 64x64.

python -m experiments.train stargan_celeba --data-dir DIR

`stargan_animals3` on other data. For a processor; `stargan_rafd_published` has the paper's width and size.
"""

import dataclasses

from experiments.configs import stargan_animals3
from experiments.data.options import ImageOptions

EXPERIMENT = dataclasses.replace(
    stargan_animals3.EXPERIMENT, data="celeba_subset", images=ImageOptions(size=64, flip=True)
)
