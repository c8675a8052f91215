"""StackGAN, stage I (a third as wide) on 850 photographs of 64x64 with five captions each.

python -m experiments.train caption_encoder_flickr8k --data-dir DIR
python -m experiments.train stackgan_flickr8k --data-dir DIR --pretrained encoder=RUN:encoders/text
"""

import dataclasses

from experiments.configs.gan_cls_flickr8k import ENCODER
from experiments.configs.gan_cls_flickr8k import EXPERIMENT as GAN_CLS
from jaxgen.moving_averages import Exponential
from jaxgen.nets.gan_cls import TextDiscriminator
from jaxgen.nets.stackgan import StageOneGenerator
from jaxgen.text_to_image import stackgan

EXPERIMENT = dataclasses.replace(
    GAN_CLS,
    model=stackgan.Config(
        caption_length=ENCODER.caption_length,
        text_features=ENCODER.features,
        encoder=ENCODER.text_encoder,
        code_features=32,
        generator=StageOneGenerator(48),
        discriminator=TextDiscriminator(32, 64),
        average=Exponential(0.999),
    ),
)
