"""Gated PixelCNN: a distribution over grids of integers, one position after the other.

van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves, Kavukcuoglu: Conditional Image Generation with PixelCNN Decoders,
2016, arXiv 1606.05328.

    p(c) = product over i of p(c_i | c_0, ..., c_(i-1)), i in raster order: row by row, from left to right.

Logits at position i depend on the codes before it alone. In place of masks, which multiply by zero, the inputs are
shifted by a row (for the vertical stack, which sees the rows above) and by a column (for the horizontal stack, which
sees its row so far), and each convolution pads above, or on the left, as far as its kernel reaches.
"""

from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgen.checks import require
from jaxgen.nets.convolution import Conv

Grid = Int[Array, "batch height width"]
"""One code for each position."""


class PixelCNN(nn.Module):
    """Two stacks of gated convolutions, figure 2 of the paper, which leave no code before unseen.

    Beside the paper: codes are embedded, and the horizontal stack has its residual connection in the first layer too.
    """

    channels: int = 64  # of each stack
    layers: int = 6
    kernel_size: int = 3  # n, odd; each layer sees n // 2 more rows and columns
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, codes: Grid, num_codes: int) -> Float[Array, "batch height width codes"]:
        """(batch, height, width) of 0 to num_codes - 1 to float32 logits (batch, height, width, num_codes)."""
        require(self.channels >= 1, "channels", self.channels, "at least 1")
        require(self.layers >= 1, "layers", self.layers, "at least 1")
        require(self.kernel_size % 2 == 1, "kernel_size", self.kernel_size, "odd")
        dtype, reach = jnp.dtype(self.dtype), self.kernel_size // 2
        rows, columns = (reach, 0), (reach, reach)

        def pointwise(features: int, hidden: jax.Array) -> jax.Array:
            return Conv(features, 1, dtype=dtype)(hidden)

        embedded = nn.Embed(num_codes, self.channels, dtype=dtype)(codes)
        vertical, horizontal = shift_down(embedded), shift_right(embedded)
        for _ in range(self.layers):
            above = Conv(2 * self.channels, (reach + 1, self.kernel_size), padding=(rows, columns), dtype=dtype)(
                vertical
            )
            left = Conv(2 * self.channels, (1, reach + 1), padding=((0, 0), (reach, 0)), dtype=dtype)(horizontal)
            left = left + pointwise(2 * self.channels, above)
            vertical = gate(above)
            horizontal = horizontal + pointwise(self.channels, gate(left))
        hidden = nn.relu(pointwise(self.channels, nn.relu(horizontal)))
        return pointwise(num_codes, hidden).astype(jnp.float32)


def gate(hidden: Float[Array, "batch height width twice"]) -> Float[Array, "batch height width channels"]:
    """tanh(a) sigmoid(b) of the two halves of the channels: equation 2."""
    first, second = jnp.split(hidden, 2, axis=-1)
    return jnp.tanh(first) * nn.sigmoid(second)


def shift_down(hidden: Float[Array, "batch height width channels"]) -> Float[Array, "batch height width channels"]:
    """Each position gets what lay above it; zeros in the first row."""
    return jnp.pad(hidden, ((0, 0), (1, 0), (0, 0), (0, 0)))[:, :-1]


def shift_right(hidden: Float[Array, "batch height width channels"]) -> Float[Array, "batch height width channels"]:
    """Each position gets what lay on its left; zeros in the first column."""
    return jnp.pad(hidden, ((0, 0), (0, 0), (1, 0), (0, 0)))[:, :, :-1]
