"""Perceptual distance of pairs: how far apart two images are in features of a VGG-19 whose weights a person names.

Features behind the last convolution, of unit length at each place, as in LPIPS (arXiv 1801.03924) with equal weights of
all channels: comparable among runs here, not with published values of LPIPS.
"""

import functools
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from experiments.runs import pretrained
from jaxgen import metrics
from jaxgen.nets.vgg19 import VGG19
from jaxgen.train_state import Frozen

LEAST = 16
"""Pixels along each side, for four poolings."""


def distance(weights: pathlib.Path, net: VGG19 | None = None) -> Callable[[Any, Any], Any]:
    """Of images in [0, 1], (num, height, width, 1 or 3), to their targets. UserError for weights that do not fit."""
    net = net or VGG19()
    like = jax.eval_shape(functools.partial(net.init, jax.random.key(0)), jnp.zeros((1, LEAST, LEAST, 3)))
    variables = pretrained.read(str(weights), Frozen(dict(like), "features"))

    def features(images: Any) -> list[Any]:
        colours = jnp.broadcast_to(2 * images - 1, (*images.shape[:3], 3))
        found: Any = net.apply(variables, colours)
        return [found]

    def compare(images: Any, targets: Any) -> Any:
        if min(images.shape[1:3]) < LEAST:
            raise ValueError(f"images of {images.shape[1]}x{images.shape[2]} pixels are too small; {LEAST} are needed")
        channels = jax.eval_shape(features, images)[0].shape[-1]
        return metrics.lpips(features, [jnp.ones(channels)], images, targets)

    return compare
