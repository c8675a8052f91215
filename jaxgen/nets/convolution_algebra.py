"""The convolution algebra: three functions that are each other's derivatives.

A convolution is a trilinear form in images x, kernel w and outputs y. With stride s and l zeros before the images,

    T(x, w, y) = sum_{b,o,t} x[b, o s + t - l] w[t] y[b, o]

(spatial indices stand for pairs, channels are contracted), and its partial derivatives are

    (1)  conv(x, w)         = dT/dy      the convolution
    (2)  input_grad(y, w)   = dT/dx      the transposed convolution
    (3)  kernel_grad(x, y)  = dT/dw      the correlation of images and outputs

Each is linear in both arguments and has the other two as derivatives: differentiation of any order stays in (1)-(3).
JAX knows this too, but the layouts and dilations in which it emits them fall to naive loops on CPU, a hundred times
slower inside `lax.scan`. Here all three are emitted as convolutions of NHWC images with HWIO kernels and without input
dilation, the one form that is fast on CPU; so are then gradients, and gradients of gradient penalties.

These are custom reverse-mode derivatives: `jax.jvp` and `jax.jacfwd` raise. The plain functions have JAX's own. The
package's door to both, with checks, is `jaxgen.nets.convolution`.
"""

from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jaxgen.nets.convolution_geometry import Axis, Geometry
from jaxgen.typing import Images

Kernel: TypeAlias = Float[Array, "rows columns inputs outputs"]
"""HWIO."""

Outputs: TypeAlias = Float[Array, "batch out_height out_width features"]
"""NHWC, of other sizes than the images."""

_LAYOUT = ("NHWC", "HWIO", "NHWC")
_NARROW, _MANY = 64, 16  # channels of y at most, and of x at least, for a kernel gradient with columns side by side
_POSITIONS = 4096  # that one emitted kernel gradient sums over: with more, XLA's are slower on CPU


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def conv(geometry: Geometry, x: Images, w: Kernel) -> Outputs:
    """y[o] = sum_t x[o s + t - l] w[t], equation (1)."""
    return _convolve(x, w, [(axis.low, axis.high) for axis in geometry], _strides(geometry))


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def input_grad(geometry: Geometry, y: Outputs, w: Kernel) -> Images:
    """x[i] = sum_{o,t: o s + t - l = i} y[o] w[t], equation (2).

    With i + l = q s + r, the sum runs over the taps t = u s + r and o = q - u: for each phase r, a convolution of
    stride 1 with every s-th tap. Phases of rows are convolutions of their own. Phases of columns are channels of one
    convolution, which is the faster for being wide, and a reshape brings them to their columns.
    """
    rows, columns = geometry
    w, padding, first = _column_phases(columns, w)
    # A stride beyond the kernel leaves phases without taps: they take a tap of zeros.
    w = jnp.pad(w, ((0, max(rows.stride - rows.taps, 0)), (0, 0), (0, 0), (0, 0)))
    per_phase = -(-rows.size // rows.stride)
    phases = []
    for i in range(rows.stride):
        q, r = divmod(i + rows.low, rows.stride)
        taps = jnp.flip(w[r :: rows.stride], 0)
        before, after = taps.shape[0] - 1 - q, per_phase + q - rows.output
        phase = _convolve(y, taps, [(before, after), padding])
        phase = phase.reshape(y.shape[0], per_phase, -1, w.shape[3] // columns.stride)
        phases.append(phase[:, :, first : first + columns.size])
    x = jnp.stack(phases, axis=2)
    return x.reshape(y.shape[0], -1, *x.shape[3:])[:, : rows.size]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def kernel_grad(geometry: Geometry, x: Images, y: Outputs) -> Kernel:
    """w[t] = sum_{b,o} x[b, o s + t - l] y[b, o], equation (3).

    With stride 1 the roles of x and y can be exchanged, which gives the flipped transpose: better so when y has fewer
    channels, for they become the outputs of the emitted convolution, narrow and slow.
    """
    strides = _strides(geometry)
    if geometry[0].taps == geometry[1].taps == 1:
        return jnp.einsum("bhwi,bhwo->io", _every(strides, x), y)[None, None]
    if strides == (1, 1) and y.shape[3] < x.shape[3]:
        return adjoint(_sum_over_chunks(_exchanged(geometry), y, x))
    return _sum_over_chunks(geometry, x, y)


conv.defvjp(
    lambda geometry, x, w: (conv(geometry, x, w), (x, w)),
    lambda geometry, xw, y: (input_grad(geometry, y, xw[1]), kernel_grad(geometry, xw[0], y)),
)
input_grad.defvjp(
    lambda geometry, y, w: (input_grad(geometry, y, w), (y, w)),
    lambda geometry, yw, x: (conv(geometry, x, yw[1]), kernel_grad(geometry, x, yw[0])),
)
kernel_grad.defvjp(
    lambda geometry, x, y: (kernel_grad(geometry, x, y), (x, y)),
    lambda geometry, xy, w: (input_grad(geometry, xy[1], w), conv(geometry, xy[0], w)),
)


def plain_conv(geometry: Geometry, x: Images, w: Kernel) -> Outputs:
    """Equation (1) as JAX differentiates it."""
    return lax.conv_general_dilated(
        x,
        w,
        window_strides=_strides(geometry),
        padding=[(axis.low, axis.high) for axis in geometry],
        dimension_numbers=_LAYOUT,
    )


def plain_input_grad(geometry: Geometry, y: Outputs, w: Kernel) -> Images:
    """Equation (2) as JAX differentiates it."""
    before = [axis.taps - 1 - axis.low for axis in geometry]
    after = [axis.size + axis.low - (axis.output - 1) * axis.stride - 1 for axis in geometry]
    return lax.conv_general_dilated(
        y,
        adjoint(w),
        window_strides=(1, 1),
        padding=list(zip(before, after, strict=True)),
        lhs_dilation=_strides(geometry),
        dimension_numbers=_LAYOUT,
    )


def adjoint(kernel: Kernel) -> Float[Array, "rows columns outputs inputs"]:
    """Flipped in space, inputs and outputs exchanged."""
    return jnp.flip(kernel, (0, 1)).swapaxes(2, 3)


def _convolve(x: Array, w: Array, padding, strides=(1, 1), dilation=(1, 1)) -> Array:
    """The fast form: NHWC images, HWIO kernel, no input dilation; for a single tap a matrix product.

    Negative padding crops by slicing. XLA on CPU reads beyond the images if it is left in the convolution, or folded
    into it from a `lax.pad`.
    """
    (top, bottom), (left, right) = [(max(-low, 0), max(-high, 0)) for low, high in padding]
    x = x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]
    padding = [(max(low, 0), max(high, 0)) for low, high in padding]
    if w.shape[:2] == (1, 1) and padding == [(0, 0), (0, 0)]:
        return jnp.einsum("bhwi,io->bhwo", _every(strides, x), w[0, 0])
    return lax.conv_general_dilated(
        x, w, window_strides=strides, padding=padding, rhs_dilation=dilation, dimension_numbers=_LAYOUT
    )


def _every(strides: tuple[int, int], x: Array) -> Array:
    """Every s-th row and column."""
    return x[:, :: strides[0], :: strides[1]]


def _strides(geometry: Geometry) -> tuple[int, int]:
    return geometry[0].stride, geometry[1].stride


def _exchanged(geometry: Geometry) -> Geometry:
    """T of stride 1 with x and y exchanged: its taps are t' = k - 1 - t."""
    rows, columns = (Axis(a.output, a.taps, 1, a.taps - 1 - a.low, a.taps - 1 - a.high) for a in geometry)
    return rows, columns


def _column_phases(columns: Axis, w: Array) -> tuple[Array, tuple[int, int], int]:
    """Kernel from y to (phase, channel), padding of y, and where column 0 is in the outputs."""
    taps = -(-columns.taps // columns.stride)
    w = jnp.pad(w, ((0, 0), (0, taps * columns.stride - columns.taps), (0, 0), (0, 0)))
    w = w.reshape(w.shape[0], taps, columns.stride, *w.shape[2:])
    w = jnp.flip(w, 1).transpose(0, 1, 4, 2, 3)
    start, first = divmod(columns.low, columns.stride)
    end = (columns.low + columns.size - 1) // columns.stride + 1
    return w.reshape(*w.shape[:3], -1), (taps - 1 - start, end - columns.output), first


def _sum_over_chunks(geometry: Geometry, x: Images, y: Outputs) -> Kernel:
    """Equation (3) in chunks of the batch, the largest of at most `_POSITIONS` positions, or a quarter of that."""
    batch, positions = x.shape[0], y.shape[1] * y.shape[2]
    if not isinstance(batch, int):  # an exported program has a symbol for it
        return _correlate(geometry, x, y)
    most = _POSITIONS // 4 if _are_beside(geometry, x, y) else _POSITIONS
    divisors = [n for n in range(1, batch + 1) if batch % n == 0]
    size = max((n for n in divisors if n == 1 or n * positions <= most), default=batch)
    if size == batch:
        return _correlate(geometry, x, y)
    # Chunk t holds every num-th example from the t-th on: where devices share the batch, each chunk is shared as well.
    num = batch // size
    x, y = (a.reshape(size, num, *a.shape[1:]) for a in (x, y))

    def partial_sum(t: Array) -> Kernel:
        return _correlate(geometry, *(lax.dynamic_index_in_dim(a, t, axis=1, keepdims=False) for a in (x, y)))

    return lax.map(partial_sum, jnp.arange(num)).sum(0)


def _correlate(geometry: Geometry, x: Images, y: Outputs) -> Kernel:
    """Equation (3) as a convolution of x with y dilated by s, batch and channels exchanged.

    Its outputs are the channels of y. Where these are few, and the stride is 1, those of y as each column of taps sees
    it stand side by side: a wider convolution, over taps of one column.
    """
    rows, columns = geometry
    padding = [(a.low, (a.output - 1) * a.stride + a.taps - a.size - a.low) for a in geometry]
    beside = _are_beside(geometry, x, y)
    if beside:
        y, padding[1] = _seen_by_columns(columns, y), (0, 0)
    x, y = x.transpose(3, 1, 2, 0), y.transpose(1, 2, 0, 3)
    w = _convolve(x, y, padding, dilation=_strides(geometry))
    if beside:
        w = w.reshape(w.shape[0], rows.taps, columns.taps, -1)
    return w.transpose(1, 2, 0, 3)


def _are_beside(geometry: Geometry, x: Images, y: Outputs) -> bool:
    """Whether the columns of taps stand side by side."""
    one = _strides(geometry) == (1, 1) and geometry[1].taps > 1
    return one and y.shape[3] <= _NARROW and x.shape[3] >= _MANY


def _seen_by_columns(columns: Axis, y: Outputs) -> Float[Array, "batch out_height width taps_features"]:
    """y[c - t + l] for every column c of the images, the taps t side by side; 0 beyond y."""
    last = columns.taps - 1
    y = jnp.pad(y, ((0, 0), (0, 0), (last - columns.low, last - columns.high), (0, 0)))
    return jnp.concatenate([y[:, :, last - t : last - t + columns.size] for t in range(columns.taps)], axis=3)
