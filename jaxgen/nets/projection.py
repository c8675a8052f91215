"""Scores of a discriminator from features of images: without classes, and with them by projection.

Miyato, Koyama: cGANs with Projection Discriminator, 2018, arXiv 1802.05637. With phi(x) the features of an image, psi
a linear map to one number and y a class, one-hot,

    f(x, y) = psi(phi(x)) + y^T V phi(x)        (1)

`Spectral` of `jaxgen.nets.spectral` normalises V too, as in the authors' code.
"""

import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.initializers import GlorotUniform, Initializer, to_flax
from jaxgen.typing import Images, PerExample, Shape


def sum_pool(maps: Images) -> Float[Array, "batch channels"]:
    """ReLU, then the sum over all places, in float32: the features of SNGAN and its successors."""
    return nn.relu(maps).astype(jnp.float32).sum((1, 2))


class LinearDiscriminator(nn.Module):
    """One dense layer from the features of images to all outputs."""

    features: nn.Module  # phi: called as `features(images, mode=mode)`, to (batch, features)
    last_bias: bool = True  # whether the dense layer has a bias
    initializer: Initializer = GlorotUniform()
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the dense layer's computation

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32; one score each with `()`."""
        found = self.features(images, mode=mode)
        dtype, kernel_init = jnp.dtype(self.dtype), to_flax(self.initializer)
        outputs = nn.Dense(math.prod(output_shape), self.last_bias, dtype=dtype, kernel_init=kernel_init)(found)
        return outputs.astype(jnp.float32).reshape(images.shape[0], *output_shape)


class ProjectionDiscriminator(nn.Module):
    """Equation (1): one score for each image and its class."""

    features: nn.Module  # phi: called as `features(images, mode=mode)`, to (batch, features)
    last_bias: bool = True  # whether psi has a bias
    initializer: Initializer = GlorotUniform()  # of psi and of V
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation of psi and of y^T V; the sum is float32

    @nn.compact
    def __call__(
        self,
        images: Images,
        classes: Float[Array, "batch classes"],
        output_shape: Shape = (),
        *,
        mode: Mode = EVALUATION,
    ) -> PerExample:
        """Images and one-hot classes to (batch,), float32.

        Raises:
            ValueError: another output shape than `()`.
        """
        require(output_shape == (), "output_shape", output_shape, "(): a projection discriminator gives one score")
        found = self.features(images, mode=mode)
        dtype, kernel_init = jnp.dtype(self.dtype), to_flax(self.initializer)
        score = nn.Dense(1, self.last_bias, dtype=dtype, kernel_init=kernel_init, name="psi")(found)
        embed = nn.Dense(found.shape[-1], use_bias=False, dtype=dtype, kernel_init=kernel_init, name="embedding")
        embedded = embed(classes)
        return score[:, 0].astype(jnp.float32) + (embedded.astype(jnp.float32) * found.astype(jnp.float32)).sum(-1)
