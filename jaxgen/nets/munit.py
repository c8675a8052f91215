"""Networks of MUNIT: an encoder of style, and a decoder whose norms a style sets.

Huang, Liu, Belongie, Kautz: Multimodal Unsupervised Image-to-Image Translation, 2018, arXiv 1804.04732, and their
code. The encoder of content and the discriminator are UNIT's: `jaxgen.nets.unit`.

The encoder of style has no norm: an instance norm takes away means and variances of the maps, which the style consists
of. Borders are reflected, and weights begin as N(0, 2 / fan-in).
"""

from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.initializers import HeNormal
from jaxgen.nets.mlp import MLP
from jaxgen.nets.norm import normalize
from jaxgen.nets.unit import convolution, doublings, halvings, require_doublings, require_sides, residual
from jaxgen.typing import Images, Latents, Points, Shape

PerChannel = Float[Array, "batch channels"]
"""One value for each example and channel."""


class StyleEncoder(nn.Module):
    """An image to its style: halvings, the mean over all places, a linear map."""

    channels: int = 64  # of the full size; doubled at the first two halvings
    downs: int = 4  # halvings
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, inputs: Images, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32. ValueError for sides that do not fit."""
        require(len(output_shape) == 1, "output_shape", output_shape, "one number, the dimensions of a style")
        require_sides(inputs, self.downs)
        conv = convolution(self.dtype)
        widths = [self.channels * min(2**level, 4) for level in range(self.downs + 1)]
        hidden = halvings(inputs.astype(self.dtype), conv, lambda hidden: hidden, widths)
        means = hidden.astype(jnp.float32).mean(axis=(1, 2), keepdims=True).astype(self.dtype)
        return conv(*output_shape, 1)(means)[:, 0, 0].astype(jnp.float32)


class AdaptiveInstanceNorm(nn.Module):
    """Each channel of each example with a given mean and a given deviation (AdaIN), in float32.

    Huang, Belongie: Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization, 2017, arXiv 1703.06868.
    """

    @nn.compact
    def __call__(self, inputs: Images, means: PerChannel, deviations: PerChannel) -> jax.Array:
        """(batch, height, width, channels) to the same shape; a deviation below 0 turns the signs around."""
        normal = normalize(inputs.astype(jnp.float32), "instance", EVALUATION, affine=False)
        return (normal * deviations[:, None, None] + means[:, None, None]).astype(inputs.dtype)


class StyleDecoder(nn.Module):
    """A content and a style to an image: an MLP makes means and deviations of the residual blocks' norms of a style."""

    ups: int = 2  # doublings; each halves the channels
    blocks: int = 4  # residual ones, at the smallest size
    features: tuple[int, ...] = (256, 256)  # width of each hidden layer of the MLP
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, inputs: Points, style: Latents, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, rows, columns, channels) and (batch, dims) to (batch, *output_shape), float32, without activation.

        Raises:
            ValueError: an output shape whose sides are not 2^ups times the inputs', or channels that do not halve.
        """
        require_doublings(inputs, output_shape, self.ups)
        conv, channels = convolution(self.dtype), inputs.shape[-1]
        mlp = MLP(self.features, initializer=HeNormal(), dtype=self.dtype)
        settings = mlp(style, (self.blocks, 2, 2, channels))  # by block, norm in it, and mean or deviation

        def adapted(block: int, number: int):
            means, deviations = settings[:, block, number, 0], settings[:, block, number, 1]
            return lambda hidden: AdaptiveInstanceNorm()(hidden, means, deviations)

        hidden = inputs.astype(self.dtype)
        for block in range(self.blocks):
            hidden = residual(hidden, conv, (adapted(block, 0), adapted(block, 1)))
        return doublings(hidden, conv, self.ups, output_shape[2])
