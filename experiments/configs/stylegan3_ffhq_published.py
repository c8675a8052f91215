"""StyleGAN 3 (configuration T) as published on faces of 256x256 pixels: for several GPUs.

python -m experiments.train stylegan3_ffhq_published --data-dir DIR

The faces of FFHQ-U, unaligned, as a folder of pictures: `--data folder:PATH`. The authors report a Frechet inception
distance of 4.62, EQ-T of 63 dB and EQ-R of 13 dB after 25 million images, 781,250 updates of 32; with R 4.50, 67 dB and
40 dB.
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.gans import stylegan3
from jaxgen.gans.regularization import Slope
from jaxgen.nets.stylegan2 import StyleGAN2Discriminator

EXPERIMENT = Experiment(
    model=stylegan3.Config(
        image_shape=(256, 256, 3),
        discriminator=StyleGAN2Discriminator(16384),
        r1=Slope(2.0, every=16),
    ),
    data="folder:ffhq",
    images=ImageOptions(size=256, flip=True),
    batch_size=32,
    steps=781_250,
    log_every=500,
    sample_every=5_000,
    checkpoint_every=5_000,
)
