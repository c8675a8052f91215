"""Caption encoder (transformer over bytes, 64 features, contrastive) on drawn shapes with sentences: a small CLIP.

python -m experiments.train caption_encoder_shapes_captions_transformer
"""

from experiments.data.options import ImageOptions
from experiments.runs.experiment import Experiment
from jaxgen.nets.conv import ConvCritic
from jaxgen.nets.text.pooled import PooledText
from jaxgen.nets.text.transformer import TextTransformer
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.text_to_image import caption_encoder
from jaxgen.text_to_image.matching import Contrastive

EXPERIMENT = Experiment(
    model=caption_encoder.Config(
        image_shape=(32, 32, 3),
        caption_length=64,
        features=64,
        image_encoder=ConvCritic(16),
        text_encoder=PooledText(TextTransformer(width=64, blocks=2)),
        objective=Contrastive(),
        optimizer=Optimizer(5e-4, Adam(b2=0.98), warm_up=200, weight_decay=0.01),
    ),
    data="shapes_captions",
    images=ImageOptions(caption_length=64),
    batch_size=64,
    steps=2_000,
    pictures=("retrievals",),
)
