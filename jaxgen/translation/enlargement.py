"""Images that a network makes larger: what models of super-resolution share.

A config names alike: `generator`, the network, and `input_shape` and `image_shape`, whose quotient is the factor. The
network's outputs have no activation, and images are clipped to the value range where they are drawn. It takes images of
any size, since it is convolutional, and keeps its batch statistics fixed out of training.
"""

from typing import Any

import jax

from jaxgen.checks import require
from jaxgen.images import clip
from jaxgen.mode import EVALUATION, Mode
from jaxgen.train_state import apply
from jaxgen.typing import Images, Keys, Points, Variables

GENERATOR = 5
"""Of the generator's keys: a stream besides those of the discriminator's passes."""


def factor(config: Any) -> int:
    """How many times as high and wide as its input an image is. ValueError unless it is a whole number."""
    height, width, _ = config.input_shape
    found = config.image_shape[0] // height
    fits = config.image_shape[:2] == (found * height, found * width) and found >= 1
    require(fits, "image_shape", config.image_shape, f"a whole number of times as high and wide as {height}x{width}")
    return found


def enlarge(
    config: Any, variables: Variables, images: Points, mode: Mode = EVALUATION, part: str | None = None
) -> tuple[Images, Variables]:
    """G(x) of images of any size, not clipped, and the generator's variables after the pass.

    With `part`, variables are those of several networks, and the generator is the one of that name.
    """
    times, (height, width) = factor(config), images.shape[1:3]
    shape = times * height, times * width, config.image_shape[2]
    return apply(config.generator, variables, images, shape, mode=mode.stream(GENERATOR), part=part)


def sample(config: Any, state: Any, key: Keys, num: int, condition: Points | None = None) -> jax.Array:
    """G(x) of each of `num` images, `condition`, of any size, in the value range; the key plays no part."""
    return enlarged(config, state, condition)


def enlarged(config: Any, state: Any, condition: Points | None, part: str | None = None) -> jax.Array:
    """G(x) of images of any size by the moving average, in the value range; `part` as in `enlarge`."""
    if condition is None:
        raise ValueError("condition is None, but must be the images to enlarge, in the value range")
    outputs, _ = enlarge(config, state.ema, condition, part=part)
    return clip(outputs, config.value_range)


def interpolate(variables: Variables, others: Variables, share: float) -> Variables:
    """(1 - alpha) theta + alpha theta', alpha the `share` of the others: section 3.4 of arXiv 1809.00219.

    Between a network that was trained by pixel error and the same one after an adversarial game.
    """
    return jax.tree.map(lambda one, other: (1 - share) * one + share * other, variables, others)
