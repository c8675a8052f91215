"""PixelDA (the authors' networks, narrower and with three blocks) from MNIST to USPS, 28x28.

python -m experiments.train pixelda_usps --data-dir DIR
python -m experiments.adaptation runs/pixelda_usps

`pixelda_mnist_m` on other data. The second command tells how well target digits are recognised with and without
adaptation.
"""

import dataclasses

from experiments.configs import pixelda_mnist_m
from experiments.data.options import ImageOptions

COLOURED = pixelda_mnist_m.EXPERIMENT

EXPERIMENT = dataclasses.replace(
    COLOURED,
    model=dataclasses.replace(COLOURED.model, image_shape=(28, 28, 1)),
    data="unpaired:mnist,usps",
    images=ImageOptions(size=28),
)
