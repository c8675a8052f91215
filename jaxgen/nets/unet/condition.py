"""What a denoiser is told in addition to the noisy images and the times.

Classes, how an image was augmented, and for networks of average velocities over which span of time.
"""

from typing import TypeAlias

from flax import struct
from jaxtyping import Array, Float

from jaxgen.typing import PerExample

Classes: TypeAlias = Float[Array, "batch classes"]
"""One-hot rows; a row of zeros says "no class", for classifier-free guidance."""


class Condition(struct.PyTreeNode):
    """Rows for each example; None where a network is not told them."""

    classes: Classes | None = None
    augmentation: Float[Array, "batch numbers"] | None = None  # zeros for an image as it is
    span: PerExample | None = None  # t - r, as the network is told times


def as_condition(condition: Condition | Classes | None) -> Condition:
    """The condition as all of its parts: an array is that of the classes.

    >>> as_condition(None)
    Condition(classes=None, augmentation=None, span=None)
    """
    return condition if isinstance(condition, Condition) else Condition(classes=condition)


def only_classes(condition: Condition | Classes | None) -> Classes | None:
    """The classes, or None. ValueError for a condition on the augmentation or on a span."""
    classes, span = classes_and_span(condition)
    if span is not None:
        raise ValueError("this network is not told of a span of time: use DiT or TimeMLP, or give classes alone")
    return classes


def classes_and_span(condition: Condition | Classes | None) -> tuple[Classes | None, PerExample | None]:
    """The classes and the span, or None for each. ValueError for a condition on the augmentation."""
    parts = as_condition(condition)
    if parts.augmentation is not None:
        raise ValueError("this network is not told how an image was augmented: use DDPMPlusPlus, or give classes alone")
    return parts.classes, parts.span
