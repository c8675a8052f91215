"""GAN-CLS and GAN-INT (half as wide) on 850 photographs of 64x64 with five captions each.

python -m experiments.train caption_encoder_flickr8k --data-dir DIR
python -m experiments.train gan_cls_flickr8k --data-dir DIR --pretrained encoder=RUN:encoders/text
"""

from experiments.configs.caption_encoder_flickr8k import EXPERIMENT as ENCODERS
from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.moving_averages import Exponential
from jaxgen.nets.gan_cls import TextDiscriminator, TextGenerator
from jaxgen.text_to_image import caption_encoder, gan_cls

ENCODER: caption_encoder.Config = ENCODERS.model

EXPERIMENT = Experiment(
    model=gan_cls.Config(
        caption_length=ENCODER.caption_length,
        text_features=ENCODER.features,
        encoder=ENCODER.text_encoder,
        generator=TextGenerator(48, 64),
        discriminator=TextDiscriminator(32, 64),
        average=Exponential(0.999),
    ),
    data="flickr8k_subset",
    images=ImageOptions(size=64, crop="random", flip=True, caption_length=ENCODER.caption_length),
    batch_size=32,
    steps=3_000,
    sample_every=500,
    checkpoint_every=500,
    num_samples=24,
)
