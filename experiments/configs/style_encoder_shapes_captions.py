"""Style encoder of GAN-CLS on drawn shapes: what a sentence does not say, found in a picture.

python -m experiments.train style_encoder_shapes_captions --pretrained generator=runs/gan_cls_shapes_captions:ema \
    encoder=runs/caption_encoder_shapes_captions:encoders/text
python -m experiments.latents RUN style --images test:0,5,9 --text "a large blue ring at the top left"
"""

from experiments.configs.gan_cls_shapes_captions import EXPERIMENT as GAN_CLS
from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.conv import ConvCritic
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.text_to_image import gan_cls, style_encoder

GAME: gan_cls.Config = GAN_CLS.model

EXPERIMENT = Experiment(
    model=style_encoder.Config(
        image_shape=(32, 32, 3),
        caption_length=64,
        text_features=GAME.text_features,
        encoder=GAME.encoder,
        prior=GAME.prior,
        generator=GAME.generator,
        style_encoder=ConvCritic(32, norm="batch"),
        optimizer=Optimizer(5e-4, Adam()),
    ),
    data="shapes_captions",
    images=ImageOptions(caption_length=64),
    batch_size=64,
    steps=4_000,
    pictures=("styles",),
)
