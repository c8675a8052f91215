"""StackGAN, stage I, on drawn shapes with sentences, 16x16.

python -m experiments.train caption_encoder_shapes_captions
python -m experiments.train stackgan_shapes_captions --pretrained encoder=RUN:encoders/text
python -m experiments.train stackgan_two_shapes_captions --pretrained encoder=RUN:encoders/text \\
    stage_one=runs/stackgan_shapes_captions:ema

A fifth of the combinations of shape, colour, place and size is never trained on.
"""

from experiments.configs.caption_encoder_shapes_captions import EXPERIMENT as ENCODERS
from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.moving_averages import Exponential
from jaxgen.nets.gan_cls import TextDiscriminator
from jaxgen.nets.stackgan import StageOneGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from jaxgen.text_to_image import caption_encoder, stackgan

ENCODER: caption_encoder.Config = ENCODERS.model

EXPERIMENT = Experiment(
    model=stackgan.Config(
        image_shape=(16, 16, 3),
        caption_length=64,
        text_features=ENCODER.features,
        encoder=ENCODER.text_encoder,
        prior=Normal(32),
        code_features=32,
        generator=StageOneGenerator(64),
        discriminator=TextDiscriminator(64, 64),
        generator_optimizer=Optimizer(2e-4, Adam(b1=0.5)),
        discriminator_optimizer=Optimizer(2e-4, Adam(b1=0.5)),
        average=Exponential(0.999),
    ),
    data="shapes_captions",
    images=ImageOptions(size=16, caption_length=64),
    steps=12_000,
    sample_every=1_000,
    checkpoint_every=1_000,
    num_samples=36,
)
