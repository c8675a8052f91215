"""Every convolution of the package as a function of images and kernel; layers are in `convolution_layers`.

Images are NHWC, kernels HWIO. Each convolution has two forms of equal value:

- "plain": `lax.conv_general_dilated` as JAX differentiates it: for accelerators, and for `jax.jvp`.
- "algebra": `jaxgen.nets.convolution_algebra`, in reverse mode only (`jax.jvp` and `jax.jacfwd` raise: put the network
  into `jaxgen.nets.forward_mode.PlainConvolutions`). On CPU the
  gradients of transposed convolutions, and of gradient penalties of strided ones, are about ten times faster, and all
  gradients stay fast inside `lax.scan`, where the plain ones fall to naive loops.

"auto" is the algebra if JAX's default backend at the time of tracing is the CPU, else plain.

A convolution can include the resampling next to it, in 4/9 of the multiplications for a 3x3 kernel:

    conv(upsample_nearest(x), w) = upsample_conv(x, w)     one transposed convolution of stride 2
    mean_pool(conv(x, w))        = conv_mean_pool(x, w)    one convolution of stride 2

where the kernel, one row and one column larger, sums four shifts of w. Cheaper still, and the way to prefer in critics
under a gradient penalty, is to pool first: `conv(mean_pool(x), w)`.

With G feature groups each G-th of the outputs, in order, is a convolution of that G-th of the images' channels alone,
and a kernel has shape (rows, columns, inputs / G, outputs); as many groups as channels make it depthwise.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal, TypeAlias

import jax
import jax.numpy as jnp
from jax import Array, lax

from jaxgen.checks import require
from jaxgen.nets import convolution_algebra as algebra
from jaxgen.nets.convolution_algebra import Kernel, Outputs, adjoint, plain_conv, plain_input_grad
from jaxgen.nets.convolution_geometry import Padding, Pair, geometry_of, transposed_geometry_of
from jaxgen.typing import Images

Form: TypeAlias = Literal["auto", "plain", "algebra"]


def conv(
    images: Images,
    kernel: Kernel,
    *,
    strides: Pair = 1,
    padding: Padding = "SAME",
    feature_groups: int = 1,
    form: Form = "auto",
) -> Outputs:
    """y[o] = sum_t x[o s + t - l] w[t], with stride s and l zeros before the images.

    "SAME" gives ceil(size / s) rows or columns, the odd zero after the images, as in Flax.

    Raises:
        ValueError: ranks, channels, types or sizes do not fit, or a setting is out of range.
    """
    _check(images, kernel, feature_groups)
    geometry = geometry_of(images.shape[1:3], kernel.shape[:2], strides, padding)
    convolve = algebra.conv if _uses_algebra(form) else plain_conv
    return _in_groups(partial(convolve, geometry), *_vary_alike(images, kernel), feature_groups)


def conv_transpose(
    images: Images,
    kernel: Kernel,
    *,
    strides: Pair = 1,
    padding: Padding = "SAME",
    feature_groups: int = 1,
    form: Form = "auto",
) -> Outputs:
    """The adjoint of a strided convolution: y[i] = sum_{o,t: o s + t - l = i} x[o] w[k - 1 - t].

    With n rows or columns in, "SAME" gives s n and "VALID" s n + max(k - s, 0), as in Flax and TensorFlow. Explicit
    padding is cropped from the output as in torch, to (n - 1) s + k - before - after. The kernel is that of Flax's
    `ConvTranspose`; torch's (inputs, outputs, rows, columns) and TensorFlow's (rows, columns, outputs, inputs) are
    flipped against it in space.

    Raises:
        ValueError: ranks, channels, types or sizes do not fit, or a setting is out of range.
    """
    _check(images, kernel, feature_groups)
    geometry = transposed_geometry_of(images.shape[1:3], kernel.shape[:2], strides, padding)
    input_grad = algebra.input_grad if _uses_algebra(form) else plain_input_grad

    def convolve(images: Images, kernel: Kernel) -> Outputs:
        return input_grad(geometry, images, adjoint(kernel))

    return _in_groups(convolve, *_vary_alike(images, kernel), feature_groups)


def upsample_conv(images: Images, kernel: Kernel, *, feature_groups: int = 1, form: Form = "auto") -> Outputs:
    """conv(upsample_nearest(images, 2), kernel) as one transposed convolution of stride 2.

    In y[i] = sum_t w[t] x[floor((i + t - l) / 2)] put i + t - l = 2 o + e, with e = 0 or 1: output i has x[o] through
    w[t] where 2 o + (k - 1 - t + e) - (k - 1 - l) = i, the condition of a transposed convolution with shifted kernels.
    """
    _check(images, kernel, feature_groups)
    rows, columns = ((k // 2, (k - 1) // 2) for k in kernel.shape[:2])  # k - 1 - l, and l
    summed = _sum_of_shifts(kernel)
    return conv_transpose(images, summed, strides=2, padding=(rows, columns), feature_groups=feature_groups, form=form)


def conv_mean_pool(images: Images, kernel: Kernel, *, feature_groups: int = 1, form: Form = "auto") -> Outputs:
    """mean_pool(conv(images, kernel), 2) as one convolution of stride 2."""
    _check(images, kernel, feature_groups)
    _check_blocks(images, 2)
    return conv(images, _sum_of_shifts(kernel) / 4, strides=2, feature_groups=feature_groups, form=form)


def mean_pool(images: Images, factor: int = 2) -> Outputs:
    """Mean over blocks of factor x factor pixels."""
    _check_blocks(images, factor)
    batch, height, width, channels = images.shape
    blocks = (batch, height // factor, factor, width // factor, factor, channels)
    return images.reshape(blocks).mean((2, 4))


def upsample_nearest(images: Images, factor: int = 2) -> Outputs:
    """Each pixel becomes a block of factor x factor pixels."""
    _check_rank(images)
    require(factor >= 1, "factor", factor, "at least 1")
    batch, height, width, channels = images.shape
    blocks = (batch, height, factor, width, factor, channels)
    pixels = jnp.broadcast_to(images[:, :, None, :, None, :], blocks)
    return pixels.reshape(batch, height * factor, width * factor, channels)


def _uses_algebra(form: Form) -> bool:
    require(form in ("auto", "plain", "algebra"), "form", form, "auto, plain or algebra")
    return form == "algebra" or (form == "auto" and jax.default_backend() == "cpu")


def _in_groups(convolve: Callable[[Images, Kernel], Outputs], images: Images, kernel: Kernel, groups: int) -> Outputs:
    """Each group of channels convolved by itself: as one convolution in groups, and so are its derivatives."""
    if groups == 1:
        return convolve(images, kernel)
    images, kernel = (array.reshape(*array.shape[:3], groups, array.shape[3] // groups) for array in (images, kernel))
    outputs = jax.vmap(convolve, in_axes=3, out_axes=3)(images, kernel)
    return outputs.reshape(*outputs.shape[:3], groups * outputs.shape[4])


def _sum_of_shifts(kernel: Array) -> Array:
    """W[t] = sum of w[t - e] over e in {0, 1} x {0, 1}."""
    (rows, columns), none = kernel.shape[:2], (0, 0)
    kernel = jnp.pad(kernel, ((1, 1), (1, 1), none, none))
    kernel = kernel[: rows + 1] + kernel[1:]
    return kernel[:, : columns + 1] + kernel[:, 1:]


def _vary_alike(images: Images, kernel: Kernel) -> tuple[Images, Kernel]:
    """Both vary over the same axes of a `shard_map`, as the custom derivatives need it."""
    varying = [jax.typeof(array).manual_axis_type.varying for array in (images, kernel)]
    missing = [tuple((varying[0] | varying[1]) - axes) for axes in varying]
    images, kernel = (
        lax.pcast(array, axes, to="varying") if axes else array
        for array, axes in zip((images, kernel), missing, strict=True)
    )
    return images, kernel


def _check(images: Images, kernel: Kernel, groups: int) -> None:
    _check_rank(images)
    require(kernel.ndim == 4, "shape of kernel", kernel.shape, "(rows, columns, inputs, outputs)")
    inputs, outputs = images.shape[3], kernel.shape[3]
    divides = groups >= 1 and inputs % groups == outputs % groups == 0
    require(divides, "feature_groups", groups, f"a divisor of {inputs} channels and of {outputs} outputs")
    fitting = f"for images of {inputs} channels" + (f" in {groups} groups" if groups > 1 else "")
    require(kernel.shape[2] * groups == inputs, "shape of kernel", kernel.shape, fitting)
    require(kernel.dtype == images.dtype, "dtype of kernel", kernel.dtype, f"that of the images, {images.dtype}")


def _check_rank(images: Images) -> None:
    require(images.ndim == 4, "shape of images", images.shape, "(batch, height, width, channels)")


def _check_blocks(images: Images, factor: int) -> None:
    _check_rank(images)
    require(factor >= 1, "factor", factor, "at least 1")
    height, width = images.shape[1:3]
    fits = height % factor == width % factor == 0
    require(fits, "size of images", f"{height}x{width}", f"a multiple of {factor}x{factor}")
