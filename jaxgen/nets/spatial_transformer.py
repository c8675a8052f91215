"""The spatial transformer of latent diffusion: places of a map attend to each other and to a context.

Rombach, Blattmann, Lorenz, Esser, Ommer: High-Resolution Image Synthesis with Latent Diffusion Models, 2021, arXiv
2112.10752, appendix E, and the authors' code. With h the normalised map after a dense layer, its places as tokens,

    h = h + Attention(LN(h)),    h = h + Attention(LN(h), context),    h = h + W_2 (a GELU(b))        (1)

where (a, b) = W_1 LN(h), each four times as wide as h (GEGLU: Shazeer, 2020, arXiv 2002.05202); and the map plus a
dense layer of h, whose weights begin at 0. Layers to Q, K and V have no bias.
"""

from typing import Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxgen.checks import require
from jaxgen.nets.attention import Attention
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.text.context import Context
from jaxgen.nets.text.transformer import LayerNorm
from jaxgen.nets.unet.blocks import GroupNorm
from jaxgen.typing import Images


class CrossAttentionBlock(nn.Module):
    """Equation 1 for tokens."""

    heads: int
    dtype: Literal["float32", "bfloat16"] = "float32"

    @nn.compact
    def __call__(
        self,
        tokens: Float[Array, "batch places width"],
        context: Float[Array, "batch others context_width"],
        mask: Bool[Array, "batch others"],
    ) -> Float[Array, "batch places width"]:
        """The shape of the tokens; those of the context at which the mask is False are not attended to."""
        width, dtype = tokens.shape[2], jnp.dtype(self.dtype)
        own = Attention(self.heads, use_bias=False, dtype=self.dtype, name="own_attention")
        tokens = tokens + own(LayerNorm(name="norm_0")(tokens))
        cross = Attention(self.heads, use_bias=False, dtype=self.dtype, name="cross_attention")
        tokens = tokens + cross(LayerNorm(name="norm_1")(tokens), context.astype(dtype), mask)
        hidden = nn.Dense(8 * width, dtype=dtype, name="dense_0")(LayerNorm(name="norm_2")(tokens))
        values, gates = jnp.split(hidden, 2, axis=2)
        return tokens + nn.Dense(width, dtype=dtype, name="dense_1")(values * nn.gelu(gates, approximate=False))


class SpatialTransformer(nn.Module):
    """A map to a map, whose places have attended to each other and to the tokens of a context."""

    heads: int = 8
    depth: int = 1  # blocks of equation 1
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params, norms and softmax are float32

    @nn.compact
    def __call__(self, maps: Images, context: Context) -> Outputs:
        """(batch, height, width, channels) to the same; ValueError unless the channels divide into heads."""
        batch, height, width, channels = maps.shape
        fits = self.heads >= 1 and channels % self.heads == 0
        require(fits, "heads", self.heads, f"a divisor of {channels} channels")
        require(self.depth >= 1, "depth", self.depth, "at least 1")
        dtype = jnp.dtype(self.dtype)
        hidden = GroupNorm(activate=False, name="norm")(maps).reshape(batch, height * width, channels)
        hidden = nn.Dense(channels, dtype=dtype, name="inputs")(hidden)
        for block in range(self.depth):
            hidden = CrossAttentionBlock(self.heads, self.dtype, name=f"block_{block}")(hidden, *context)
        zeros = nn.initializers.zeros
        hidden = nn.Dense(channels, dtype=dtype, kernel_init=zeros, name="outputs")(hidden)
        return maps + hidden.reshape(maps.shape)
