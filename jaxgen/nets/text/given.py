"""In the place of a network that reads captions: embeddings that another one has made before.

Such embeddings stand in the batches where captions do: (batch, features), or (batch, tokens, features) padded with
zeros, of CLIP or T5 for example. These modules have no parameters.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.text.context import Context
from jaxgen.typing import Captions, Embeddings, Shape


class Given(nn.Module):
    """An encoder of captions that are embeddings already."""

    @nn.compact
    def __call__(self, captions: Captions, output_shape: Shape, *, mode: Mode = EVALUATION) -> Embeddings:
        """(batch, features) as it is, float32; `output_shape` is (features,). ValueError for another shape or type."""
        _require_floats(captions)
        require(captions.shape[1:] == output_shape, "shape of an embedding", captions.shape[1:], f"{output_shape}")
        return captions.astype(jnp.float32)


class GivenContext(nn.Module):
    """A context network of captions that are embeddings of their tokens already."""

    features: int = 768  # of a token; CLIP's ViT-L/14 has so many

    @nn.compact
    def __call__(self, captions: Captions, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> Context:
        """(batch, tokens, features) as values, float32; tokens of zeros alone are padding, but for the first one.

        Raises:
            ValueError: captions of another shape or type, an output shape other than ().
        """
        require(output_shape == (), "output_shape", output_shape, "(): tokens are as they are")
        _require_floats(captions)
        fits = captions.ndim == 3 and captions.shape[2] == self.features
        require(fits, "shape of embeddings", captions.shape[1:], f"(tokens, {self.features})")
        return Context(captions.astype(jnp.float32), (captions != 0).any(axis=2).at[:, 0].set(True))


def no_captions(net: nn.Module, num: int, length: int, features: int = 0) -> jax.Array:
    """`num` empty captions as a network reads them: zeros, bytes or embeddings.

    Args:
        net: an encoder of captions or a context network.
        num: how many.
        length: bytes or tokens of a caption.
        features: of an embedding that an encoder gives.
    """
    if isinstance(net, Given):
        return jnp.zeros((num, features), jnp.float32)
    if isinstance(net, GivenContext):
        return jnp.zeros((num, length, net.features), jnp.float32)
    return jnp.zeros((num, length), jnp.uint8)


def _require_floats(captions: Captions) -> None:
    floats = jnp.issubdtype(captions.dtype, jnp.floating)
    require(floats, "type of captions", captions.dtype, "floats: embeddings of a file, not texts")
