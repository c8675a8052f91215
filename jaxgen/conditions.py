"""Conditions that a model is given, for all families: class labels, for one."""

import functools
from typing import Any

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


def classes_of(config: Any, labels: Labels | None, num: int) -> Float[Array, "batch classes"] | None:
    """One-hot rows for a model with `num_classes`, or None if it has 0 of them.

    Without labels image i is of class i mod `num_classes`; a label of -1 stands for no class.
    """
    if not config.num_classes:
        return None
    return one_hot(in_turn(labels, num, config.num_classes), config.num_classes)
