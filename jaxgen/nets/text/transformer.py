"""A transformer that reads captions: a vector for each token, of the whole caption.

Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin: Attention Is All You Need, 2017, arXiv
1706.03762, with the norms in front of each layer (Xiong et al., 2020, arXiv 2002.04745) and learned positions:

    h = E[token] + P[position]
    h = h + Attention(LN(h)),    h = h + W_2 GELU(W_1 LN(h))        for each block
    values = LN(h)

The latent diffusion models of Rombach, Blattmann, Lorenz, Esser, Ommer, 2021, arXiv 2112.10752, learn such a network
together with the denoiser, of 32 blocks of width 1280. Theirs reads tokens of words; the default here reads bytes.
"""

from typing import Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.attention import Attention
from jaxgen.nets.dropout import dropout
from jaxgen.nets.text.context import Context, mask_of
from jaxgen.typing import Captions, Shape

BYTES = 256
"""Tokens of UTF-8."""

EMBEDDING = nn.initializers.normal(0.02)


class LayerNorm(nn.Module):
    """Normalisation of each token in float32, with scale and offset: Ba, Kiros, Hinton, 2016, arXiv 1607.06450."""

    @nn.compact
    def __call__(self, tokens: Float[Array, "batch tokens width"]) -> Float[Array, "batch tokens width"]:
        """The type and the shape of the inputs."""
        norm = nn.LayerNorm(epsilon=1e-5, use_fast_variance=False, name="norm")
        return norm(tokens.astype(jnp.float32)).astype(tokens.dtype)


class TransformerBlock(nn.Module):
    """Attention of the tokens to each other and two dense layers, each behind a norm and added to its inputs."""

    heads: int
    dropout: float = 0.0  # of what is added
    layer: int = 0  # the number of its first dropout in the network; the second has the next one
    dtype: Literal["float32", "bfloat16"] = "float32"
    causal: bool = False  # whether a token attends to those up to its own place alone

    @nn.compact
    def __call__(
        self,
        tokens: Float[Array, "batch tokens width"],
        mask: Bool[Array, "batch tokens"] | None,
        mode: Mode = EVALUATION,
    ) -> Float[Array, "batch tokens width"]:
        """The shape of the tokens; those at which the mask is False are not attended to."""
        width, dtype = tokens.shape[2], jnp.dtype(self.dtype)
        attention = Attention(self.heads, dtype=self.dtype, causal=self.causal, name="attention")
        hidden = attention(LayerNorm(name="norm_0")(tokens), mask=mask)
        tokens = tokens + dropout(hidden, self.dropout, mode, self.layer)
        hidden = nn.Dense(4 * width, dtype=dtype, name="dense_0")(LayerNorm(name="norm_1")(tokens))
        hidden = nn.Dense(width, dtype=dtype, name="dense_1")(nn.gelu(hidden, approximate=False))
        return tokens + dropout(hidden, self.dropout, mode, self.layer + 1)


class TextTransformer(nn.Module):
    """A context network: captions to their `Context`, which has as many tokens as the captions."""

    width: int = 128  # of a token
    blocks: int = 2
    heads: int = 4
    vocabulary: int = BYTES  # tokens from 0, which is padding, on
    dropout: float = 0.0
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params, norms and softmax are float32

    @nn.compact
    def __call__(self, captions: Captions, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> Context:
        """(batch, length), padded with 0, to (batch, length, width), float32, and the mask of the tokens.

        A caption of zeros alone is the empty one: its first token counts. Captions have the length of those with which
        the variables were made, as the positions have.

        Raises:
            ValueError: an output shape other than (), no block, a width that does not divide into heads.
        """
        require(output_shape == (), "output_shape", output_shape, "(): tokens have the width of the network")
        require(jnp.issubdtype(captions.dtype, jnp.integer), "type of captions", captions.dtype, "integers: tokens")
        require(self.blocks >= 1, "blocks", self.blocks, "at least 1")
        require(self.vocabulary >= 2, "vocabulary", self.vocabulary, "at least 2: padding and a token")
        fits = self.heads >= 1 and self.width >= 1 and self.width % self.heads == 0
        require(fits, "heads", self.heads, f"a divisor of the width {self.width}")
        dtype, mask = jnp.dtype(self.dtype), mask_of(captions)
        positions = self.param("positions", EMBEDDING, (captions.shape[1], self.width), jnp.float32)
        embed = nn.Embed(self.vocabulary, self.width, embedding_init=EMBEDDING, name="tokens")
        hidden = (embed(captions.astype(jnp.int32)) + positions[None]).astype(dtype)
        for block in range(self.blocks):
            layer = TransformerBlock(self.heads, self.dropout, 2 * block, self.dtype, name=f"block_{block}")
            hidden = layer(hidden, mask, mode)
        return Context(LayerNorm(name="norm")(hidden).astype(jnp.float32), mask)
