"""Caption encoder (transformer over byte pairs, 64 features, contrastive) on drawn shapes with sentences.

python -m experiments.train caption_encoder_shapes_captions_bpe

The vocabulary is learned on the training captions when the run begins: `pip install -e '.[tokens]'`. A run that takes
the encoder reads captions with the same one: --images.tokens 320 --images.caption-length 24 --tokenizer RUN.
"""

import dataclasses

from experiments.configs.caption_encoder_shapes_captions_transformer import EXPERIMENT as OF_BYTES
from experiments.data.options import ImageOptions
from jaxgen.nets.text.pooled import PooledText
from jaxgen.nets.text.transformer import TextTransformer

TOKENS, LENGTH = 320, 24

EXPERIMENT = dataclasses.replace(
    OF_BYTES,
    model=dataclasses.replace(
        OF_BYTES.model,
        caption_length=LENGTH,
        text_encoder=PooledText(TextTransformer(width=64, blocks=2, vocabulary=TOKENS)),
    ),
    images=ImageOptions(caption_length=LENGTH, tokens=TOKENS),
)
