"""StackGAN, stage II, on drawn shapes with sentences, 32x32: over the sketches of `stackgan_shapes_captions`.

python -m experiments.train stackgan_two_shapes_captions --pretrained encoder=RUN:encoders/text stage_one=RUN:ema

At step 12,000 (seed 0, 39 minutes after the 20 of stage I, on one core of an AMD EPYC, beside other work), 1,000
samples of known combinations: shape, colour, place and size are as asked in 62, 76, 94 and 94 %, all four in 49 %
(98.5 % of real ones); of combinations never trained on in 49, 77, 94 and 90, and 38 %. Colours run into each other,
and stage I has few pixels for a small shape.
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
