"""What is static in a convolution: sizes, strides and padding of its two axes, checked once."""

from typing import Literal, NamedTuple, TypeAlias

from jaxgen.checks import require

Pair: TypeAlias = int | tuple[int, int]
"""For rows and columns; an int stands for both."""

Padding: TypeAlias = Literal["SAME", "VALID"] | tuple[tuple[int, int], tuple[int, int]]
"""Zeros (before, after) the rows and the columns."""


class Axis(NamedTuple):
    """One spatial axis of a convolution: y[o] = sum_t x[o stride + t - low] w[t]."""

    size: int  # of x
    taps: int  # of w
    stride: int
    low: int  # zeros before x
    high: int  # zeros after x

    @property
    def output(self) -> int:
        """Size of y."""
        return (self.size + self.low + self.high - self.taps) // self.stride + 1


Geometry: TypeAlias = tuple[Axis, Axis]
"""Rows and columns."""


def pair(value: Pair, name: str) -> tuple[int, int]:
    """A setting for rows and for columns."""
    values = (value, value) if isinstance(value, int) else value
    require(len(values) == 2 and min(values) >= 1, name, value, "a positive int, or two: for rows and columns")
    return values


def geometry_of(sizes: tuple[int, ...], taps: tuple[int, ...], strides: Pair, padding: Padding) -> Geometry:
    """The convolution of images of these sizes; "SAME" gives ceil(size / stride) outputs."""
    rows, columns = (_axis(*axis) for axis in zip(sizes, taps, pair(strides, "strides"), _both(padding), strict=True))
    return rows, columns


def transposed_geometry_of(sizes: tuple[int, ...], taps: tuple[int, ...], strides: Pair, padding: Padding) -> Geometry:
    """The convolution whose outputs have these sizes.

    Its images have size s n for "SAME", s n + max(k - s, 0) for "VALID", and (n - 1) s + k - before - after for
    explicit padding.
    """
    images = []
    for n, k, s, pad in zip(sizes, taps, pair(strides, "strides"), _both(padding), strict=True):
        if pad == "SAME":
            images.append(n * s)
        elif pad == "VALID":
            images.append(n * s + max(k - s, 0))
        else:
            images.append((n - 1) * s + k - sum(pad))
    return geometry_of(tuple(images), taps, strides, padding)


def _both(padding: Padding):
    """The padding of rows and of columns."""
    if padding in ("SAME", "VALID"):
        return padding, padding
    lengths = [isinstance(pad, tuple) and len(pad) for pad in padding] if isinstance(padding, tuple) else []
    wanted = '"SAME", "VALID" or ((before, after), (before, after))'
    require(lengths == [2, 2], "padding", padding, wanted)
    return padding


def _axis(size: int, taps: int, stride: int, padding) -> Axis:
    if padding == "VALID":
        low, high = 0, 0
    elif padding == "SAME":
        total = max((-(-size // stride) - 1) * stride + taps - size, 0)
        low, high = total // 2, total - total // 2
    else:
        low, high = padding
    # More padding would only add zeros, and XLA on CPU reads beyond the images in its gradient.
    in_range = 0 <= low < taps and 0 <= high < taps
    require(in_range, "padding", (low, high), f"from 0 to kernel size - 1 = {taps - 1}")
    axis = Axis(size, taps, stride, low, high)
    if size < 1 or axis.output < 1:
        raise ValueError(
            f"images of size {size} with padding {(low, high)} do not hold a kernel of {taps}:"
            " use larger images or a smaller kernel"
        )
    return axis
