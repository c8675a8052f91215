"""StackGAN, stage II, on drawn shapes with sentences, 32x32: over the sketches of `stackgan_shapes_captions`.

python -m experiments.train stackgan_two_shapes_captions --pretrained encoder=RUN:encoders/text stage_one=RUN:ema
"""

import dataclasses

from experiments.configs.stackgan_shapes_captions import EXPERIMENT as STAGE_ONE
from experiments.configs.stackgan_shapes_captions import MODEL as FIRST
from experiments.data.options import ImageOptions
from jaxgen.nets.gan_cls import TextDiscriminator
from jaxgen.nets.stackgan import StageTwoGenerator
from jaxgen.text_to_image import stackgan

EXPERIMENT = dataclasses.replace(
    STAGE_ONE,
    model=dataclasses.replace(
        FIRST,
        image_shape=(32, 32, 3),
        generator=StageTwoGenerator(32, blocks=2),
        discriminator=TextDiscriminator(32, 64),
        stage_one=stackgan.StageOne(FIRST.image_shape, FIRST.augmentation, FIRST.generator),
    ),
    images=ImageOptions(caption_length=64),
)
