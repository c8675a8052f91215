"""An encoder of captions from a network that gives a vector for each token.

Radford et al.: Learning Transferable Visual Models From Natural Language Supervision, 2021, arXiv 2103.00020, section
2.4, take the token that ends the text, behind a norm, through a linear map. Captions here have no such token.
"""

from typing import Literal

import flax.linen as nn
import jax

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.typing import Captions, Shape


class PooledText(nn.Module):
    """The mean of the tokens that are no padding, or the first one, and a dense layer to the features."""

    net: nn.Module  # a context network
    pooling: Literal["mean", "first"] = "mean"  # the first token has seen the others where they attend to each other

    @nn.compact
    def __call__(self, captions: Captions, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, length) uint8 to (batch, features), float32; `output_shape` is (features,)."""
        require(len(output_shape) == 1, "output_shape", output_shape, "(features,)")
        values, mask = self.net(captions, (), mode=mode)
        if self.pooling == "first":
            pooled = values[:, 0]
        else:
            weights = mask.astype(values.dtype)
            pooled = (values * weights[:, :, None]).sum(axis=1) / weights.sum(axis=1)[:, None]
        return nn.Dense(output_shape[0])(pooled)
