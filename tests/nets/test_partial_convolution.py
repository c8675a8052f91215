"""Partial convolutions: the golden value, their laws, and the U-Net of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import correlate2d

from jaxgen.nets.convolution import conv
from jaxgen.nets.partial_convolution import PartialConv, PartialUNet, partial_conv
from tests.nets.parameters import count, zeros

IMAGES = jax.random.normal(jax.random.key(0), (2, 7, 6, 3))
KERNEL = jax.random.normal(jax.random.key(1), (3, 3, 3, 4))
BIAS = jnp.arange(4.0)
MASK = jax.random.bernoulli(jax.random.key(2), 0.3, (2, 7, 6, 1)).astype(jnp.float32)
ALL = jnp.ones((2, 7, 6, 1))


def test_the_golden_value():
    images = jnp.arange(1.0, 10.0).reshape(1, 3, 3, 1)
    mask = jnp.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]).reshape(1, 3, 3, 1)
    outputs, live = partial_conv(images, mask, jnp.ones((3, 3, 1, 1)), jnp.array([0.5]), padding="VALID")
    np.testing.assert_allclose(outputs, 21.5)  # 9 / 3 (1 + 2 + 4) + 0.5
    np.testing.assert_array_equal(live, 1.0)


@pytest.mark.parametrize("strides", [1, 2])
def test_it_is_the_formula_by_scipy(strides):
    images, kernel, mask = (np.asarray(array, np.float64) for array in (IMAGES, KERNEL, MASK))
    outputs, live = partial_conv(IMAGES, MASK, KERNEL, BIAS, strides=strides, padding=((1, 1), (1, 1)))
    for example in range(2):
        known = mask[example, :, :, 0]
        sums = 3 * correlate2d(known, np.ones((3, 3)), "same")
        for feature in range(4):
            products = sum(
                correlate2d(known * images[example, :, :, channel], kernel[:, :, channel, feature], "same")
                for channel in range(3)
            )
            wanted = np.where(sums > 0, products * 27 / np.maximum(sums, 1) + feature, 0.0)[::strides, ::strides]
            np.testing.assert_allclose(outputs[example, :, :, feature], wanted, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(live[example, :, :, 0], sums[::strides, ::strides] > 0)


def test_with_everything_known_it_is_the_plain_convolution_but_for_the_border_which_is_scaled_up():
    outputs, live = partial_conv(IMAGES, ALL, KERNEL, BIAS, padding="VALID")
    np.testing.assert_allclose(outputs, conv(IMAGES, KERNEL, padding="VALID") + BIAS[None, None, None], rtol=1e-6)
    assert live.all()
    share = correlate2d(np.ones((7, 6)), np.ones((3, 3)), "same") / 9  # of the window inside the images
    outputs, _ = partial_conv(IMAGES, ALL, KERNEL)
    np.testing.assert_allclose(outputs * share[None, :, :, None], conv(IMAGES, KERNEL), rtol=1e-4, atol=1e-5)


def test_with_nothing_known_it_gives_zeros_without_the_bias_and_an_empty_mask():
    outputs, live = partial_conv(IMAGES, 0 * ALL, KERNEL, BIAS)
    assert not outputs.any() and not live.any()


def test_nothing_depends_on_what_stands_in_the_hole():
    slope = jax.grad(lambda images: (partial_conv(images, MASK, KERNEL, BIAS)[0] ** 2).sum())(IMAGES)
    hidden = np.broadcast_to(np.asarray(MASK) == 0, IMAGES.shape)
    assert not np.asarray(slope)[hidden].any()
    outputs, _ = partial_conv(jnp.where(hidden, jnp.nan, IMAGES), MASK, KERNEL, BIAS)
    np.testing.assert_array_equal(outputs, partial_conv(IMAGES, MASK, KERNEL, BIAS)[0])
    slope = jax.grad(lambda mask: partial_conv(IMAGES, mask, KERNEL, BIAS)[0].sum())(MASK)
    assert not slope.any()  # masks are given, not learned


def test_a_constant_kernel_gives_of_a_constant_image_the_same_everywhere_whatever_is_known():
    outputs, live = partial_conv(jnp.full((2, 7, 6, 3), 0.7), MASK, jnp.full((3, 3, 3, 1), 0.2), jnp.array([1.0]))
    known = np.asarray(live) > 0
    np.testing.assert_allclose(np.asarray(outputs)[known], 0.2 * 27 * 0.7 + 1.0, rtol=1e-5)
    assert known.sum() > 0 and not np.asarray(outputs)[~known].any()


def test_masks_grow_until_everything_is_known():
    mask = jnp.zeros((1, 9, 9, 1)).at[0, 4, 4].set(1.0)
    for step in range(1, 5):
        _, after = partial_conv(jnp.ones((1, 9, 9, 1)), mask, jnp.ones((3, 3, 1, 1)))
        assert (after >= mask).all() and after.sum() == (2 * step + 1) ** 2
        mask = after
    assert mask.all()


def test_a_mask_of_each_channel_counts_channels_of_places():
    """The same for all channels it is that of one channel; a channel that is hidden everywhere is left out."""
    same = jnp.broadcast_to(MASK, IMAGES.shape)
    for one, other in zip(
        partial_conv(IMAGES, same, KERNEL, BIAS), partial_conv(IMAGES, MASK, KERNEL, BIAS), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    two = jnp.broadcast_to(jnp.array([1.0, 1.0, 0.0])[None, None, None], IMAGES.shape)
    outputs, _ = partial_conv(IMAGES, two, KERNEL, padding="VALID")
    wanted = 1.5 * conv(IMAGES[..., :2], KERNEL[:, :, :2], padding="VALID")
    np.testing.assert_allclose(outputs, wanted, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"shape of mask is \(2, 7, 6, 2\), but must be \(2, 7, 6, 1\) or"):
        partial_conv(IMAGES, two[..., :2], KERNEL)


def test_the_layer_owns_the_kernel_and_the_bias():
    layer = PartialConv(4, 3, strides=2, bias_init=jax.nn.initializers.ones)
    variables = layer.init(jax.random.key(0), IMAGES, MASK)
    kernel = variables["params"]["kernel"]
    wanted = partial_conv(IMAGES, MASK, kernel, jnp.ones(4), strides=2)
    for got, value in zip(layer.apply(variables, IMAGES, MASK), wanted, strict=True):
        np.testing.assert_array_equal(got, value)
    wide = PartialConv(400, 3).init(jax.random.key(0), IMAGES, MASK)["params"]["kernel"]
    assert float(wide.std()) == pytest.approx((2 / 27) ** 0.5, rel=0.03) and kernel.shape == (3, 3, 3, 4)
    without = PartialConv(4, use_bias=False).init(jax.random.key(0), IMAGES, MASK)
    assert set(without["params"]) == {"kernel"}


def test_the_u_net_has_the_weights_of_its_sixteen_layers():
    """Sides 7, 5, 5, 3, ... down and 3 up, of maps joined by those on the way down; norms on all but first and last."""
    widths = [3, 64, 128, 256, 512, 512, 512, 512, 512]
    total = 0
    for side, inputs, outputs in zip((7, 5, 5, 3, 3, 3, 3, 3), widths, widths[1:], strict=False):
        total += side**2 * inputs * outputs + outputs + (2 * outputs if inputs != 3 else 0)
    below = 512
    for beside, outputs in zip(widths[-2::-1], (512, 512, 512, 512, 256, 128, 64, 3), strict=True):
        total += 9 * (below + beside) * outputs + outputs + (2 * outputs if outputs != 3 else 0)
        below = outputs
    assert count(PartialUNet(), zeros(512, 512, 3), zeros(512, 512, 1), (512, 512, 3)) == total


def test_the_u_net_sees_the_known_pixels_and_sizes_that_do_not_halve_are_refused():
    net, images = PartialUNet(channels=2, downs=2), jax.random.normal(jax.random.key(0), (1, 8, 12, 1))
    mask = jnp.ones((1, 8, 12, 1)).at[:, 2:5, 3:9].set(0.0)
    variables = net.init(jax.random.key(1), images, mask, (8, 12, 2))
    slope = jax.grad(lambda images: net.apply(variables, images, mask, (8, 12, 2)).sum())(images)
    hidden = np.asarray(mask) == 0
    assert not np.asarray(slope)[hidden].any() and np.abs(np.asarray(slope)[~hidden]).max() > 0
    with pytest.raises(ValueError, match="size of the images is 10x12, but must be a multiple of 4x4"):
        net.init(jax.random.key(0), zeros(10, 12, 1), zeros(10, 12, 1), (10, 12, 1))
    with pytest.raises(ValueError, match="8x12, as the images"):
        net.init(jax.random.key(0), images, mask, (16, 12, 2))
