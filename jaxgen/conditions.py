"""Conditions that a model is given, for all families: class labels, for one."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgen import parallel
from jaxgen.typing import AxisName, Key, Labels


def one_hot(labels: Int[Array, "*batch"], num_classes: int) -> Float[Array, "*batch classes"]:
    """The unit vector of each label's class."""
    return jax.nn.one_hot(labels, num_classes, dtype=jnp.float32)


def in_turn(labels: Labels | None, num: int, num_classes: int) -> Labels:
    """The labels; without any, example i is of class i mod `num_classes`, so that a picture has one class a column."""
    return jnp.arange(num, dtype=jnp.int32) % num_classes if labels is None else labels


def draw_labels(key: Key, num: int, num_classes: int, axis_name: AxisName = None) -> Labels:
    """Uniform classes, the same for an example however many devices share the batch."""
    return parallel.draw(
        functools.partial(jax.random.randint, shape=(), minval=0, maxval=num_classes), key, num, axis_name
    )
