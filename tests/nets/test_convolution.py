from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.test_util import check_grads

from jaxgen.nets.convolution import conv, conv_mean_pool, conv_transpose, mean_pool, upsample_conv, upsample_nearest
from tests.exhaustive import first
from tests.nets.exact import assert_identical, derivatives, integers

# size, kernel, stride, padding
TRANSPOSED = [
    (3, 3, 1, "SAME"),
    (3, 5, 2, "SAME"),
    (4, 2, 3, "VALID"),
    (1, 4, 1, "VALID"),
    (3, 4, 2, "SAME"),
    (3, 2, 3, "SAME"),
    (4, 3, 2, "VALID"),
]


@pytest.mark.parametrize("form", ["algebra", "plain"])
@pytest.mark.parametrize(("size", "taps", "stride", "padding"), first(3, TRANSPOSED))
def test_transposed_convolution_is_that_of_lax(size, taps, stride, padding, form):
    x, w = integers((2, size, size + 1, 3), (taps, taps, 3, 2))

    @jax.jit
    def both(x, w):
        ours = partial(conv_transpose, strides=stride, padding=padding, form=form)
        theirs = partial(lax.conv_transpose, strides=(stride, stride), padding=padding)
        return derivatives(ours, x, w), derivatives(theirs, x, w)

    ours, theirs = both(x, w)
    assert_identical(ours, theirs)
    if padding == "SAME":
        assert ours["value"].shape == (2, size * stride, (size + 1) * stride, 2)


@pytest.mark.parametrize(("taps", "stride", "padding"), [(4, 2, 1), (5, 3, 2), (3, 2, 0)])
def test_transposed_convolution_is_torchs_with_the_kernel_flipped(taps, stride, padding):
    """y[s o - p + t] += x[o] v[t], of size (n - 1) s + k - 2 p, with v the kernel flipped."""
    x, w = integers((2, 3, 4, 3), (taps, taps, 3, 2))
    flipped = np.flip(np.asarray(w), (0, 1))
    full = np.zeros((2, 2 * stride + taps, 3 * stride + taps, 2), np.float32)
    for i, j in np.ndindex(3, 4):
        for s, t in np.ndindex(taps, taps):
            full[:, stride * i + s, stride * j + t] += np.asarray(x)[:, i, j] @ flipped[s, t]
    crop = slice(padding, -padding or None)
    y = conv_transpose(x, w, strides=stride, padding=((padding, padding), (padding, padding)))
    np.testing.assert_array_equal(y, full[:, crop, crop])


@pytest.mark.parametrize("form", ["algebra", "plain"])
@pytest.mark.parametrize(
    "taps", [(1, 2), *(pytest.param(taps, marks=pytest.mark.exhaustive) for taps in [(3, 3), (4, 5)])]
)
def test_fused_resampling_is_the_composed_one_up_to_second_derivatives(taps, form):
    x, w = integers((2, 4, 6, 1), (*taps, 1, 2))
    w = 4 * w

    @jax.jit
    def fused_and_composed(x, w):
        up = partial(upsample_conv, form=form), lambda x, w: conv(upsample_nearest(x), w)
        down = partial(conv_mean_pool, form=form), lambda x, w: mean_pool(conv(x, w))
        return [[derivatives(f, x, w) for f in pair] for pair in (up, down)]

    for fused, composed in fused_and_composed(x, w):
        assert_identical(fused, composed)


def test_pooling_and_up_sampling_work_on_blocks():
    x = jnp.arange(2 * 4 * 6 * 1, dtype=jnp.float32).reshape(2, 4, 6, 1)
    y = upsample_nearest(x, 3)
    np.testing.assert_array_equal(y, np.kron(x[..., 0], np.ones((1, 3, 3)))[..., None])
    np.testing.assert_array_equal(mean_pool(y, 3), x)
    assert mean_pool(x)[0, 0, 0, 0] == (0 + 1 + 6 + 7) / 4
    np.testing.assert_array_equal(mean_pool(x, 1), x)
    np.testing.assert_array_equal(upsample_nearest(x, 1), x)


@pytest.mark.parametrize(
    "function",
    [
        partial(conv, strides=2),
        partial(conv_transpose, strides=2),
        upsample_conv,
        conv_mean_pool,
    ],
)
def test_derivatives_agree_with_differences(function, key):
    with jax.enable_x64(True):
        key_x, key_w = jax.random.split(key)
        x = jax.random.normal(key_x, (1, 4, 4, 2), jnp.float64)
        w = jax.random.normal(key_w, (3, 3, 2, 1), jnp.float64)
        smooth = jax.jit(lambda x, w: jnp.sin(function(x, w, form="algebra")).sum())
        check_grads(smooth, (x, w), order=2, modes=["rev"], rtol=1e-5)


GROUPED = [  # groups, channels in, channels out, stride
    (2, 4, 6, 1),
    (4, 4, 4, 2),
    *(
        pytest.param(*case, marks=pytest.mark.exhaustive)
        for case in [(1, 4, 6, 1), (2, 4, 6, 2), (4, 4, 4, 1), (3, 3, 6, 1), (3, 3, 6, 2)]
    ),
]


@pytest.mark.parametrize("form", ["algebra", "plain"])
@pytest.mark.parametrize(("groups", "inputs", "outputs", "stride"), GROUPED)
def test_a_convolution_in_groups_is_that_of_lax_up_to_second_derivatives(groups, inputs, outputs, stride, form):
    x, w = integers((2, 5, 4, inputs), (3, 3, inputs // groups, outputs))

    @jax.jit
    def both(x, w):
        layout = {"dimension_numbers": ("NHWC", "HWIO", "NHWC"), "feature_group_count": groups}
        ours = partial(conv, strides=stride, feature_groups=groups, form=form)
        theirs = partial(lax.conv_general_dilated, window_strides=(stride, stride), padding="SAME", **layout)
        return derivatives(ours, x, w), derivatives(theirs, x, w)

    assert_identical(*both(x, w))


@pytest.mark.parametrize("form", first(1, ["algebra", "plain"]))
@pytest.mark.parametrize("function", [partial(conv_transpose, strides=2), upsample_conv, conv_mean_pool])
def test_other_convolutions_in_groups_are_those_of_each_group_side_by_side(function, form):
    x, w = integers((2, 4, 6, 4), (3, 3, 2, 6))
    w = 4 * w  # a mean of four stays an integer

    def by_hand(x, w):
        parts = zip(jnp.split(x, 2, axis=3), jnp.split(w, 2, axis=3), strict=True)
        return jnp.concatenate([function(*part, form=form) for part in parts], axis=3)

    @jax.jit
    def both(x, w):
        return derivatives(partial(function, feature_groups=2, form=form), x, w), derivatives(by_hand, x, w)

    assert_identical(*both(x, w))


def test_vmap_over_kernels_convolves_with_each():
    x, w = integers((3, 2, 5, 5, 2), (3, 3, 3, 2, 2))

    def function(x, w):
        return derivatives(partial(conv, strides=2, form="algebra"), x, w)

    each = [jax.jit(function)(*xw) for xw in zip(x, w, strict=True)]
    assert_identical(jax.jit(jax.vmap(function))(x, w), jax.tree.map(lambda *a: jnp.stack(a), *each))


def test_forward_mode_needs_the_plain_form(key):
    x = jax.random.normal(key, (1, 4, 4, 2))
    w = jax.random.normal(key, (3, 3, 2, 2))
    value, tangent = jax.jvp(lambda w: conv(x, w, form="plain"), (w,), (w,))
    np.testing.assert_allclose(value, tangent, rtol=1e-5)
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(lambda w: conv(x, w, form="algebra"), (w,), (w,))


IMAGES, KERNEL = jnp.zeros((2, 5, 5, 3)), jnp.zeros((3, 3, 3, 4))


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("function", "images", "kernel", "settings", "message"),
    [
        (conv, IMAGES[0], KERNEL, {}, r"shape of images is \(5, 5, 3\), but must be \(batch, height"),
        (conv, IMAGES, KERNEL[0], {}, r"shape of kernel is \(3, 3, 4\), but must be \(rows, columns"),
        (conv, IMAGES[..., :2], KERNEL, {}, r"kernel is \(3, 3, 3, 4\), but must be for images of 2 channels"),
        (conv, IMAGES, KERNEL.astype(jnp.bfloat16), {}, "is bfloat16, but must be that of the images, float32"),
        (conv, IMAGES, KERNEL, {"strides": 0}, "strides is 0, but must be a positive int"),
        (conv, IMAGES, KERNEL, {"padding": "same"}, "padding is same, but must be"),
        (conv, IMAGES, KERNEL, {"form": "fast"}, "form is fast, but must be"),
        (conv_transpose, IMAGES, KERNEL[:, :, :2], {}, "for images of 3 channels"),
        (
            conv,
            IMAGES,
            KERNEL,
            {"feature_groups": 2},
            "feature_groups is 2, but must be a divisor of 3 channels and of 4",
        ),
        (conv, IMAGES, KERNEL, {"feature_groups": 0}, "feature_groups is 0, but must be a divisor"),
        (conv, IMAGES, KERNEL[..., :3], {"feature_groups": 3}, "must be for images of 3 channels in 3 groups"),
        (upsample_conv, IMAGES[0], KERNEL, {}, "shape of images is"),
        (conv_mean_pool, IMAGES, KERNEL, {}, "size of images is 5x5, but must be a multiple of 2x2"),
    ],
)
def test_wrong_arguments_are_refused_in_a_sentence(function, images, kernel, settings, message):
    with pytest.raises(ValueError, match=message):
        function(images, kernel, **settings)


@pytest.mark.usefixtures("unchecked_shapes")
def test_wrong_blocks_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="size of images is 5x5, but must be a multiple of 3x3"):
        mean_pool(IMAGES, 3)
    for function in (mean_pool, upsample_nearest):
        with pytest.raises(ValueError, match="factor is 0, but must be at least 1"):
            function(IMAGES, 0)
        with pytest.raises(ValueError, match="shape of images is"):
            function(IMAGES[0], 1)
