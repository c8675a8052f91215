"""What models of texts share: settings, and the frozen network that embeds captions.

Captions are UTF-8 bytes, or tokens of a larger vocabulary, padded with zeros. The encoder is called as
`net(captions, (features,), mode=mode)`; it is trained by
`jaxgen.text_to_image.caption_encoder`, and read with `--pretrained encoder=RUN:PLAYER/PART`.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp

from jaxgen.batches import Captioned
from jaxgen.checks import PositiveInt, require
from jaxgen.images import ValueRange
from jaxgen.model import Defaults
from jaxgen.nets.text.char_cnn_rnn import CharCNNRNN
from jaxgen.nets.text.given import no_captions
from jaxgen.train_state import Frozen, apply, freeze
from jaxgen.typing import Captions, Embeddings, Key, Shape

ENCODER = "encoder"
"""Name of the frozen network."""


@dataclass(frozen=True)
class TextDefaults(Defaults):
    """What the settings of models of texts say: images of 64x64 in [-1, 1], the encoder of Reed et al."""

    image_shape: Shape = (64, 64, 3)
    value_range: ValueRange = (-1.0, 1.0)
    caption_length: PositiveInt = 201  # bytes, or tokens; shorter captions are padded with zeros
    text_features: PositiveInt = 1024  # of an embedding
    encoder: nn.Module = CharCNNRNN()  # captions to embeddings; frozen

    batch_type: ClassVar = Captioned


def create_encoder(config: Any, key: Key) -> Frozen:
    """Random weights of the encoder, to be replaced by trained ones."""
    captions = no_captions(config.encoder, 1, config.caption_length, config.text_features)
    return freeze(config.encoder, ENCODER, key, captions, (config.text_features,))


def require_length(config: Any, captions: Captions) -> None:
    """ValueError for captions of another length than the config's; one vector of a whole caption has none."""
    length = config.caption_length
    if captions.ndim == 2 and jnp.issubdtype(captions.dtype, jnp.floating):
        return
    require(captions.shape[1] == length, "bytes of a caption", captions.shape[1], f"{length}, as caption_length says")


def embed(config: Any, encoder: Frozen, captions: Captions | None, num: Any = None) -> Embeddings:
    """The embedding of each caption, (batch, text_features); of `num` empty ones where there are none.

    Raises:
        ValueError: captions of another length than the config's.
    """
    if captions is None:
        rows = 1 if num is None else num
        captions = no_captions(config.encoder, rows, config.caption_length, config.text_features)
    require_length(config, captions)
    return apply(config.encoder, encoder.variables, captions, (config.text_features,))[0]
