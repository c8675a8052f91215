"""Places in a style-based synthesis network where its maps can be read and replaced.

A network calls a hook point after the layer of each style. It returns what it is given; what enters a network there is
an interceptor of Flax: `jaxgen.gans.style_features`.
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax


class Features(NamedTuple):
    """The state of a synthesis network between two layers."""

    hidden: jax.Array  # (batch, height, width, channels)
    image: Any  # the colours so far at the size of `hidden`; None of a network that makes its image last


class HookPoint(nn.Module):
    """The features as they are."""

    number: int  # of the style that was used last, from 0

    def __call__(self, features: Features) -> Features:
        """Features to the same features."""
        return features
