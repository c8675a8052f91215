"""StackGAN, stage II, as the authors' script has it for birds, 256x256: for a GPU.

python -m experiments.train stackgan_two_cub_published --data captions:FOLDER \\
    --pretrained encoder=RUN:encoders/text stage_one=RUNS/stackgan_cub_published:ema

As `stackgan_cub_published`; the learning rate is halved at each 100 epochs.
"""

import dataclasses

from experiments.configs.gan_cls_cub_published import HALVED
from experiments.configs.stackgan_cub_published import EXPERIMENT as STAGE_ONE
from experiments.data.options import ImageOptions
from jaxgen.nets.stackgan import StageTwoDiscriminator, StageTwoGenerator
from jaxgen.text_to_image import stackgan

EXPERIMENT = dataclasses.replace(
    STAGE_ONE,
    model=stackgan.Config(
        image_shape=(256, 256, 3),
        generator=StageTwoGenerator(),
        discriminator=StageTwoDiscriminator(),
        stage_one=stackgan.StageOne(),
        generator_optimizer=HALVED,
        discriminator_optimizer=HALVED,
    ),
    images=ImageOptions(size=256, crop="random", flip=True, caption_length=201),
)
