"""Modulated convolution: two forms of one value, and the laws of demodulation."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.convolution import conv
from jaxgen.nets.modulated import ModulatedConv, modulated_conv, modulated_kernels
from jaxgen.nets.resampling import upsample

IMAGES = jax.random.normal(jax.random.key(0), (3, 4, 6, 5))
KERNEL = jax.random.normal(jax.random.key(1), (3, 3, 5, 4))
SCALES = 1.0 + jax.random.normal(jax.random.key(2), (3, 5))


def apply(net, *inputs) -> Any:
    """The outputs alone, as arrays to the type checker."""
    return net.apply(*inputs)


OPTIONS = [(demodulate, up) for demodulate in (True, False) for up in (True, False)]


@pytest.mark.parametrize(("demodulate", "up"), OPTIONS)
def test_both_forms_have_the_same_values_and_gradients(demodulate, up):
    def found(form):
        def total(*inputs):
            outputs = modulated_conv(*inputs, demodulate=demodulate, up=up, form=form)
            return jnp.sin(outputs).sum(), outputs

        return jax.jit(jax.value_and_grad(total, (0, 1, 2), has_aux=True))(IMAGES, KERNEL, SCALES)

    for one, other in zip(*(jax.tree.leaves(found(form)) for form in ("scaled", "grouped")), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)


def test_a_modulated_convolution_is_a_convolution_of_each_example_with_its_own_kernel():
    kernels = modulated_kernels(KERNEL, SCALES)
    wanted = [conv(IMAGES[n : n + 1], kernels[n])[0] for n in range(3)]
    np.testing.assert_allclose(modulated_conv(IMAGES, KERNEL, SCALES), wanted, atol=1e-5)


def test_demodulated_filters_have_norm_1_whatever_the_scale_of_the_style():
    kernels = modulated_kernels(KERNEL, SCALES)
    np.testing.assert_allclose((np.asarray(kernels) ** 2).sum((1, 2, 3)), np.ones((3, 4)), rtol=1e-5)
    by_hand = np.asarray(KERNEL)[None] * np.asarray(SCALES)[:, None, None, :, None]
    np.testing.assert_allclose(modulated_kernels(KERNEL, SCALES, demodulate=False), by_hand, rtol=1e-6)
    outputs = modulated_conv(IMAGES, KERNEL, SCALES)
    np.testing.assert_allclose(modulated_conv(IMAGES, KERNEL, 7 * SCALES), outputs, atol=1e-5)
    np.testing.assert_allclose(modulated_conv(IMAGES, 7 * KERNEL, SCALES), outputs, atol=1e-5)
    linear = modulated_conv(IMAGES, KERNEL, SCALES, demodulate=False)
    np.testing.assert_allclose(
        modulated_conv(IMAGES, KERNEL, 7 * SCALES, demodulate=False), 7 * linear, rtol=1e-4, atol=1e-4
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize("form", ["scaled", "grouped"])
def test_doubling_is_zeros_between_pixels_then_the_kernel_then_the_filter(form):
    """A kernel that leaves pixels where they are doubles as `upsample` does; others as written out."""
    still = jnp.zeros((3, 3, 5, 5)).at[1, 1].set(jnp.eye(5))
    options = {"demodulate": False, "up": True, "form": form}
    ones = jnp.ones((3, 5))
    np.testing.assert_allclose(modulated_conv(IMAGES, still, ones, **options), upsample(IMAGES), atol=1e-5)
    zeros = jnp.zeros((3, 8, 12, 5)).at[:, ::2, ::2].set(IMAGES)
    wide = conv(zeros, KERNEL, padding=((2, 2), (2, 2)))  # the pixel (0, 0) is at (1, 1) + the kernel's middle
    taps = jnp.outer(jnp.array([1.0, 3.0, 3.0, 1.0]), jnp.array([1.0, 3.0, 3.0, 1.0])) / 16
    taps = jnp.tile(taps[:, :, None, None], (1, 1, 1, 4))
    wanted = conv(wide, taps, padding=((1, 0), (1, 0)), feature_groups=4)
    np.testing.assert_allclose(modulated_conv(IMAGES, KERNEL, ones, **options), wanted, atol=1e-4)


def test_a_fresh_layer_has_scales_around_1_and_no_learning_rate_of_its_own():
    layer, w = ModulatedConv(4), jax.random.normal(jax.random.key(3), (3, 7))
    variables = layer.init(jax.random.key(4), IMAGES, w)
    params: Any = variables["params"]
    assert params["kernel"].shape == (3, 3, 5, 4) and params["affine"]["kernel"].shape == (7, 5)
    np.testing.assert_array_equal(params["affine"]["bias"], np.ones(5))
    scales = w @ params["affine"]["kernel"] / math.sqrt(7) + 1.0
    wanted = modulated_conv(IMAGES, params["kernel"], scales)
    np.testing.assert_allclose(apply(layer, variables, IMAGES, w), wanted, atol=1e-5)
    plain = apply(layer.clone(demodulate=False), variables, IMAGES, w)
    wanted = modulated_conv(IMAGES, params["kernel"], scales / math.sqrt(45), demodulate=False)
    np.testing.assert_allclose(plain, wanted, atol=1e-5)
    half = apply(layer.clone(dtype="bfloat16"), variables, IMAGES, w)
    assert half.dtype == jnp.bfloat16
    np.testing.assert_allclose(half.astype(jnp.float32), apply(layer, variables, IMAGES, w), atol=0.1)


def test_kernels_of_other_sizes_do_not_double():
    with pytest.raises(ValueError, match=r"shape of kernel is \(1, 1, 5, 4\), but must be 3x3 to double"):
        modulated_conv(IMAGES, KERNEL[:1, :1], SCALES, up=True)
