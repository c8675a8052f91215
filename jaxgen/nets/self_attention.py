"""Self-attention of maps in a GAN.

Zhang, Goodfellow, Metaxas, Odena: Self-Attention Generative Adversarial Networks, 2018, arXiv 1805.08318, and the
authors' code, where they differ. With x the map, and its places as tokens,

    o = W_o softmax(theta(x) phi(x)^T) g(x),    y = gamma o + x        (1)

theta, phi, g and W_o are 1x1 convolutions without bias, of an eighth, an eighth, a half and all of the channels.
gamma is one number that begins at 0. The products are not divided by the root of the features. As in the code, phi
and g are halved in both sides by the maximum of 2x2 places.
"""

from collections.abc import Iterable
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.nets.attention import attend
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.initializers import GlorotUniform, Initializer, to_flax
from jaxgen.typing import Images


def attend_unscaled(
    queries: Float[Array, "batch tokens features"],
    keys: Float[Array, "batch others features"],
    values: Float[Array, "batch others value_features"],
) -> Float[Array, "batch tokens value_features"]:
    """softmax(Q K^T) V, without division by the root of the features; values may have more features than keys.

    >>> x = jnp.array([[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]])
    >>> print(attend_unscaled(x, x, x)[0, 0].round(3))
    [0.845 0.578]
    """
    width = values.shape[-1]
    missing = width - queries.shape[-1]
    require(missing >= 0, "features of values", width, f"at least those of queries, {queries.shape[-1]}")
    wide = [jnp.pad(tokens, ((0, 0), (0, 0), (0, missing))) for tokens in (queries, keys)]  # zeros add nothing to Q K^T
    wide[0] = wide[0] * width**0.5  # `attend` divides by it
    return attend(*(tokens[:, :, None] for tokens in (*wide, values)))[:, :, 0]


class SelfAttention(nn.Module):
    """Equation (1)."""

    pool: bool = True  # whether phi and g are halved
    initializer: Initializer = GlorotUniform()
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params and softmax are float32

    @nn.compact
    def __call__(self, maps: Images) -> Images:
        """(batch, height, width, channels) to the same, in the compute dtype.

        Raises:
            ValueError: channels that 8 does not divide, or sides that do not halve where they are pooled.
        """
        batch, height, width, channels = maps.shape
        require(channels % 8 == 0, "channels of a map with attention", channels, "a multiple of 8")
        fits = not self.pool or height % 2 == width % 2 == 0
        require(fits, "map with attention", f"{height}x{width}", "of even sides where `pool` is True")
        kernel_init = to_flax(self.initializer)

        def tokens(name: str, features: int, *, pool: bool) -> jax.Array:
            found = self._conv(features, name, kernel_init)(maps)
            found = nn.max_pool(found, (2, 2), (2, 2)) if pool else found
            return found.reshape(batch, found.shape[1] * found.shape[2], features)

        queries = tokens("theta", channels // 8, pool=False)
        keys, values = tokens("phi", channels // 8, pool=self.pool), tokens("g", channels // 2, pool=self.pool)
        attended = attend_unscaled(queries, keys, values).reshape(batch, height, width, channels // 2)
        gamma = self.param("gamma", nn.initializers.zeros, (), jnp.float32)
        outputs = self._conv(channels, "outputs", kernel_init)(attended)
        return gamma.astype(outputs.dtype) * outputs + maps.astype(outputs.dtype)

    def _conv(self, features: int, name: str, kernel_init: nn.initializers.Initializer) -> Conv:
        dtype = jnp.dtype(self.dtype)
        return Conv(features, 1, use_bias=False, dtype=dtype, kernel_init=kernel_init, name=name)


def check_heights(attention: tuple[int, ...], heights: Iterable[int]) -> None:
    """ValueError unless a network has maps of all the heights at which it is asked for attention."""
    heights = tuple(heights)
    require(set(attention) <= set(heights), "attention", attention, f"heights of maps, which are {heights}")
