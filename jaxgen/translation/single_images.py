"""Images made one at a time of others, with noise: what networks whose noise is dropout share."""

from collections.abc import Callable
from typing import Any

import jax

from jaxgen.mode import Mode
from jaxgen.parallel import example_keys
from jaxgen.typing import Images, Keys, Points


def one_at_a_time(translate: Callable[[Points, Mode], Images], step: Any, keys: Keys, inputs: Points) -> jax.Array:
    """Each image is translated as a batch of its own, in training mode, with the dropout of its own key.

    Args:
        translate: a batch of inputs in a mode, to as many images.
        step: updates before this.
        keys: one for each of the inputs, or one for all.
        inputs: (batch, ...).
    """

    def alone(key: jax.Array, image: jax.Array) -> jax.Array:
        return translate(image[None], Mode(keys=key[None], step=step, train=True))[0]

    return jax.vmap(alone)(example_keys(keys, inputs.shape[0]), inputs)
