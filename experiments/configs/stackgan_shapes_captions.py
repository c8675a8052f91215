"""StackGAN, stage I, on drawn shapes with sentences, 16x16.

python -m experiments.train caption_encoder_shapes_captions
python -m experiments.train stackgan_shapes_captions --pretrained encoder=RUN:encoders/text
python -m experiments.train stackgan_two_shapes_captions --pretrained encoder=RUN:encoders/text \\
    stage_one=runs/stackgan_shapes_captions:ema

A fifth of the combinations of shape, colour, place and size is never trained on.
"""

import dataclasses

from experiments.configs.gan_cls_shapes_captions import EXPERIMENT as GAN_CLS
from experiments.data.options import ImageOptions
from jaxgen.moving_averages import Exponential
from jaxgen.nets.gan_cls import TextDiscriminator
from jaxgen.nets.stackgan import StageOneGenerator
from jaxgen.text_to_image import gan_cls, stackgan

SAME: gan_cls.Config = GAN_CLS.model

MODEL = stackgan.Config(
    image_shape=(16, 16, 3),
    caption_length=SAME.caption_length,
    text_features=SAME.text_features,
    encoder=SAME.encoder,
    prior=SAME.prior,
    code_features=32,
    generator=StageOneGenerator(64),
    discriminator=TextDiscriminator(64, 64),
    average=Exponential(0.999),
)

EXPERIMENT = dataclasses.replace(GAN_CLS, model=MODEL, images=ImageOptions(size=16, caption_length=SAME.caption_length))
