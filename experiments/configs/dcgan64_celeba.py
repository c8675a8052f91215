"""DCGAN (Radford's 64x64 networks, an eighth as wide) on 64x64 faces of CelebA: 2,400 pictures.

python -m experiments.train dcgan64_celeba --data-dir DIR
python -m experiments.latents runs/dcgan64_celeba arithmetic --plus attributes:Smiling --minus attributes:-Smiling

`dcgan64_lakeside` on other data, meant for 30 to 40 minutes on two cores. The second command adds a smile, as the
paper's figure 7: draws are grouped by classifiers of the attributes. The size of the published setting is
`dcgan64_tiny_imagenet`.
"""

import dataclasses

from experiments.configs import dcgan64_lakeside

EXPERIMENT = dataclasses.replace(dcgan64_lakeside.EXPERIMENT, data="celeba_subset")
