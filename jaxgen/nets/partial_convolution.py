"""Partial convolutions, and a U-Net of them that fills holes of any form.

Liu, Reda, Shih, Wang, Tao, Catanzaro: Image Inpainting for Irregular Holes Using Partial Convolutions, 2018, arXiv
1804.07723. A window W of a kernel w sees the known inputs x alone, and what it gives is scaled up for those it misses:

    y = w * (M x) |W| / sum M + b    where sum M > 0, else 0,        M' = 1[sum M > 0],

the sums over the places and channels of the window. Zeros around the images count as a hole.

    PartialUNet(downs=8)    512x512 pixels; a side of 2^downs or a multiple of it
"""

import functools
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution import conv, upsample_nearest
from jaxgen.nets.convolution_geometry import Padding, Pair, pair
from jaxgen.nets.norm import Norm, normalize
from jaxgen.typing import Images, Shape

HE = nn.initializers.variance_scaling(2.0, "fan_in", "normal")

SLOPE = 0.2
"""Of the leaky ReLU on the way up."""

KERNELS = (7, 5, 5)
"""Sides of the first kernels on the way down; 3 from there on."""


def partial_conv(
    images: Images,
    mask: Float[Array, "batch height width masks"],
    kernel: Float[Array, "rows columns inputs outputs"],
    bias: Float[Array, " outputs"] | None = None,
    *,
    strides: Pair = 1,
    padding: Padding = "SAME",
) -> tuple[Float[Array, "batch _ _ outputs"], Float[Array, "batch _ _ 1"]]:
    """The outputs, and which of them know anything of the images.

    Args:
        images: x; numbers in the hole, NaN too, play no part.
        mask: M, 1 where x is known and 0 in the hole, one channel for all or one for each channel of x.
        kernel: w.
        bias: b.
        strides: of the window.
        padding: around the images.

    Raises:
        ValueError: the mask is of another size, or shapes of a convolution do not fit.
    """
    channels = images.shape[3]
    fits = mask.shape[:3] == images.shape[:3] and mask.shape[3] in (1, channels)
    require(fits, "shape of mask", mask.shape, f"{(*images.shape[:3], 1)} or {images.shape}")
    known = jax.lax.stop_gradient(mask.astype(jnp.float32).sum(axis=3, keepdims=True)).astype(images.dtype)
    ones = jnp.ones((*kernel.shape[:2], 1, 1), images.dtype)
    # A convolution, not `reduce_window`: XLA would put one into the other and sum windows of windows for each place.
    sums = conv(known, ones, strides=strides, padding=padding).astype(jnp.float32)
    seen = jnp.where(mask > 0, images, jnp.zeros((), images.dtype))
    outputs = conv(seen, kernel, strides=strides, padding=padding)
    window = kernel.shape[0] * kernel.shape[1] * mask.shape[3]
    live = sums > 0
    outputs = outputs.astype(jnp.float32) * (window / jnp.maximum(sums, 1.0))
    outputs = outputs if bias is None else outputs + bias.astype(jnp.float32)[None, None, None]
    return jnp.where(live, outputs, 0.0).astype(images.dtype), live.astype(jnp.float32)


class PartialConv(nn.Module):
    """`partial_conv` with its own kernel and bias."""

    features: int
    kernel_size: Pair = 3
    strides: Pair = 1
    padding: Padding = "SAME"
    use_bias: bool = True
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; the parameters are float32
    kernel_init: nn.initializers.Initializer = HE
    bias_init: nn.initializers.Initializer = nn.initializers.zeros

    @nn.compact
    def __call__(self, images: jax.Array, mask: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(batch, height, width, channels) and their mask to (..., features) and theirs, of one channel."""
        shape = (*pair(self.kernel_size, "kernel_size"), images.shape[3], self.features)
        kernel = self.param("kernel", self.kernel_init, shape, jnp.float32).astype(self.dtype)
        bias = self.param("bias", self.bias_init, shape[3:], jnp.float32) if self.use_bias else None
        return partial_conv(images.astype(self.dtype), mask, kernel, bias, strides=self.strides, padding=self.padding)


class PartialUNet(nn.Module):
    """Halvings down, doublings of the nearest pixel back up, each joined by the maps and masks on the way down.

    Norms stand behind all but the first and the last layer.
    """

    channels: int = 64  # of the first map; doubled at each halving, up to eight times as many
    downs: int = 8  # halvings
    norm: Norm = "batch"
    fixed_statistics: bool = False  # of the batch norms on the way down in training: section 3.3, second phase
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(
        self, images: jax.Array, mask: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION
    ) -> jax.Array:
        """Images and their mask, (batch, height, width, 1), to (batch, *output_shape), float32, unbounded.

        Raises:
            ValueError: sides that are no multiples of 2^downs, or other sides of the outputs than of the images.
        """
        (height, width), multiple = images.shape[1:3], 2**self.downs
        require(self.downs >= 1 and self.channels >= 1, "downs, channels", (self.downs, self.channels), "at least 1")
        fits = height % multiple == width % multiple == 0
        require(fits, "size of the images", f"{height}x{width}", f"a multiple of {multiple}x{multiple}")
        require(output_shape[:2] == (height, width), "output_shape", output_shape, f"{height}x{width}, as the images")
        layer = functools.partial(PartialConv, dtype=self.dtype)
        widths = [self.channels * min(2**level, 8) for level in range(self.downs)]
        way_down = EVALUATION if self.fixed_statistics else mode
        maps = [(images.astype(self.dtype), mask)]
        for level, features in enumerate(widths):
            side = KERNELS[level] if level < len(KERNELS) else 3
            border = side // 2, side // 2
            hidden, known = layer(features, side, strides=2, padding=(border, border))(*maps[-1])
            hidden = hidden if level == 0 else normalize(hidden, self.norm, way_down)
            maps.append((nn.relu(hidden), known))
        hidden, known = maps.pop()
        for features in (*widths[-2::-1], output_shape[2]):
            last = len(maps) == 1
            hidden, known = layer(features)(*_joined(hidden, known, *maps.pop()))
            hidden = hidden if last else nn.leaky_relu(normalize(hidden, self.norm, mode), SLOPE)
        return hidden.astype(jnp.float32)


def _joined(below: jax.Array, known_below: jax.Array, beside: jax.Array, known_beside: jax.Array):
    """Maps of half the size, doubled, beside those of full size; and a mask with a channel for each."""
    maps = jnp.concatenate([upsample_nearest(below), beside], axis=3)
    wide = [
        jnp.broadcast_to(known, each.shape)
        for each, known in ((maps[..., : below.shape[3]], upsample_nearest(known_below)), (beside, known_beside))
    ]
    return maps, jnp.concatenate(wide, axis=3)
