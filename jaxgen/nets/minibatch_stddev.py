"""The standard deviation over a minibatch as a feature: it lets a discriminator see how varied fakes are.

Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs for Improved Quality, Stability, and Variation, 2017, arXiv
1710.10196, section 3, in the groups of the authors' later code.
"""

import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.parallel import gather, share
from jaxgen.typing import AxisName, Images

EPSILON = 1e-8


def append_stddev(images: Images, group: int = 4, *, axis_name: AxisName = None) -> Outputs:
    """The maps and one more channel: the mean over places and channels of the standard deviation over a group.

    Of a batch of N examples in groups of G the examples i, i + N / G, i + 2 N / G, ... form one. A batch that does not
    divide into groups takes the next smaller ones that it divides into. Where devices share the batch the groups are
    those of the whole batch.

    Args:
        images: (batch, height, width, channels).
        group: G, examples of a group.
        axis_name: of the devices that share the batch, or None.
    """
    require(group >= 1, "group", group, "at least 1")
    statistic = share(_statistic(gather(images, axis_name), group), axis_name)
    feature = jnp.broadcast_to(statistic.astype(images.dtype)[:, None, None, None], (*images.shape[:3], 1))
    return jnp.concatenate([images, feature], axis=3)


def _statistic(images: Images, group: int) -> jax.Array:
    """(batch,), float32: the same number for all examples of a group."""
    num = images.shape[0]
    size = max(each for each in range(1, min(group, num) + 1) if num % each == 0)
    grouped = images.astype(jnp.float32).reshape(size, num // size, *images.shape[1:])
    variance = ((grouped - grouped.mean(axis=0, keepdims=True)) ** 2).mean(axis=0)
    return jnp.tile(jnp.sqrt(variance + EPSILON).mean(axis=(1, 2, 3)), size)
