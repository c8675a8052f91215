"""Mapping network of the StyleGANs: a latent z, and perhaps a class, to a vector w of styles.

Karras, Laine, Aila: A Style-Based Generator Architecture for Generative Adversarial Networks, 2018, arXiv 1812.04948,
section 2; with classes: Karras et al.: Training Generative Adversarial Networks with Limited Data, 2020, arXiv
2006.06676.
"""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.equalized import EqualizedDense
from jaxgen.nets.norm import pixel_norm
from jaxgen.typing import Shape

SLOPE = 0.2
"""Of the leaky ReLU in all of these networks."""


class Mapping(nn.Module):
    """z / sqrt(mean z^2), then dense layers whose learning rate is a hundredth of the others'.

    A class is embedded by a linear map, normalised as z is, and appended to it.
    """

    layers: int = 8
    features: int = 512  # of all layers, w and the embedding of the class
    lr_multiplier: float = 0.01  # of weights and biases
    scaled_activation: bool = False  # whether sqrt(2) multiplies the activation, as from StyleGAN 2 on, or the weights

    @nn.compact
    def __call__(
        self,
        latents: jax.Array,
        output_shape: Shape = (),
        *,
        condition: jax.Array | None = None,
        mode: Mode = EVALUATION,
    ) -> jax.Array:
        """(batch, latent) and perhaps one-hot (batch, classes) to w, (batch, features), float32.

        `output_shape` is that of w, `(features,)`, or `()`.
        """
        require(self.layers >= 1, "layers", self.layers, "at least 1")
        shapes = f"() or ({self.features},)"
        require(tuple(output_shape) in ((), (self.features,)), "output_shape", output_shape, shapes)
        hidden = pixel_norm(latents.astype(jnp.float32))
        if condition is not None:
            embedded = EqualizedDense(self.features, name="embed")(condition.astype(jnp.float32))
            hidden = jnp.concatenate([hidden, pixel_norm(embedded)], axis=1)
        gain, scale = (1.0, math.sqrt(2)) if self.scaled_activation else (math.sqrt(2), 1.0)
        for _ in range(self.layers):
            dense = EqualizedDense(self.features, gain=gain, lr_multiplier=self.lr_multiplier)
            hidden = scale * nn.leaky_relu(dense(hidden), SLOPE)
        return hidden
