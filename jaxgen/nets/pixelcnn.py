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
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv
from jaxgen.typing import Shape

Grid = Int[Array, "batch rows columns"]
"""One code for each position."""


class PixelCNN(nn.Module):
    """Two stacks of gated convolutions, figure 2 of the paper, which leave no code before unseen.

    In addition to the paper, codes are embedded, and the horizontal stack has its residual connection in the first
    layer too.
    """

    channels: int = 64  # of each stack
    layers: int = 6
    reach: int = 1  # rows and columns that each layer sees in each direction: n = 2 reach + 1
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(
        self,
        codes: Grid,
        output_shape: Shape,
        *,
        condition: Float[Array, "batch rows columns maps"] | None = None,
        mode: Mode = EVALUATION,
    ) -> Float[Array, "batch rows columns codes"]:
        """Codes of 0 to K - 1, (batch, rows, columns), to float32 logits (batch, *output_shape).

        `output_shape` is (rows, columns, K). Maps of a condition, all of which each position sees at its place, are
        added in each layer, as in section 2.3 of the paper.
        """
        fits = len(output_shape) == 3 and output_shape[:2] == codes.shape[1:]
        require(fits, "output_shape", output_shape, f"(rows, columns, codes) for a grid of {codes.shape[1:]}")
        num_codes = output_shape[2]
        require(self.channels >= 1, "channels", self.channels, "at least 1")
        require(self.layers >= 1, "layers", self.layers, "at least 1")
        require(self.reach >= 1, "reach", self.reach, "at least 1")
        dtype, reach = jnp.dtype(self.dtype), self.reach
        rows, columns = (reach, 0), (reach, reach)

        def pointwise(features: int, hidden: jax.Array) -> jax.Array:
            return Conv(features, 1, dtype=dtype)(hidden)

        embedded = nn.Embed(num_codes, self.channels, dtype=dtype)(codes)
        vertical, horizontal = shift_down(embedded), shift_right(embedded)
        for _ in range(self.layers):
            above = Conv(2 * self.channels, (reach + 1, 2 * reach + 1), padding=(rows, columns), dtype=dtype)(vertical)
            left = Conv(2 * self.channels, (1, reach + 1), padding=((0, 0), (reach, 0)), dtype=dtype)(horizontal)
            left = left + pointwise(2 * self.channels, above)
            if condition is not None:
                told = pointwise(4 * self.channels, condition.astype(dtype))
                above, left = above + told[..., : 2 * self.channels], left + told[..., 2 * self.channels :]
            vertical = gate(above)
            horizontal = horizontal + pointwise(self.channels, gate(left))
        hidden = nn.relu(pointwise(self.channels, nn.relu(horizontal)))
        return pointwise(num_codes, hidden).astype(jnp.float32)


def gate(hidden: Float[Array, "batch rows columns twice"]) -> Float[Array, "batch rows columns channels"]:
    """tanh(a) sigmoid(b) of the two halves of the channels: equation 2."""
    first, second = jnp.split(hidden, 2, axis=-1)
    return jnp.tanh(first) * nn.sigmoid(second)


def shift_down(hidden: Float[Array, "batch rows columns channels"]) -> Float[Array, "batch rows columns channels"]:
    """Each position gets what lay above it; zeros in the first row."""
    return jnp.pad(hidden, ((0, 0), (1, 0), (0, 0), (0, 0)))[:, :-1]


def shift_right(hidden: Float[Array, "batch rows columns channels"]) -> Float[Array, "batch rows columns channels"]:
    """Each position gets what lay on its left; zeros in the first column."""
    return jnp.pad(hidden, ((0, 0), (0, 0), (1, 0), (0, 0)))[:, :, :-1]
