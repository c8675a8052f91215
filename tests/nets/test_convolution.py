"""Small integers as data: float32 is then exact, and equalities are asserted without tolerance."""

from functools import partial

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from flax import linen as nn
from jax import lax
from jax.sharding import Mesh, PartitionSpec
from jax.test_util import check_grads

from jaxgen.nets import convolution_algebra as algebra
from jaxgen.nets.convolution import (
    Conv,
    ConvMeanPool,
    ConvTranspose,
    UpsampleConv,
    conv,
    conv_mean_pool,
    conv_transpose,
    mean_pool,
    upsample_conv,
    upsample_nearest,
)
from jaxgen.nets.convolution_geometry import geometry_of

EXACT = 2**24  # float32 holds every integer up to here


def integers(*shapes):
    """Arrays of -1, 0 and 1."""
    generator = np.random.default_rng(0)
    return [jnp.asarray(generator.integers(-1, 2, s).astype(np.float32)) for s in shapes]


def assert_identical(actual, wanted):
    def check(path, a, b):
        assert a.dtype == b.dtype
        assert np.abs(b).max() < EXACT, f"{jax.tree_util.keystr(path)}: not exact in float32"
        np.testing.assert_array_equal(a, b, jax.tree_util.keystr(path))

    jax.tree_util.tree_map_with_path(check, actual, wanted)
    assert jax.tree.leaves(wanted)


def derivatives(function, x, w):
    """Value, gradients, and the gradients of a penalty on the gradients, of x and of w."""

    def energy(x, w):
        return (function(x, w) ** 2).sum() / 2

    def penalty(x, w):
        return sum((g**2).sum() / 2 for g in jax.grad(energy, (0, 1))(x, w))

    return {
        "value": function(x, w),
        "gradient": jax.grad(energy, (0, 1))(x, w),
        "penalty gradient": jax.grad(penalty, (0, 1))(x, w),
    }


# height, width, kernel rows, kernel columns, strides, padding, channels in, channels out
CASES = [
    (5, 4, 1, 1, 1, "SAME", 3, 2),
    (5, 4, 1, 1, 2, "SAME", 2, 3),
    (6, 7, 1, 1, (2, 3), "VALID", 2, 2),
    (5, 5, 2, 2, 1, "SAME", 2, 3),
    (6, 5, 2, 2, 2, "SAME", 2, 3),
    (7, 5, 2, 3, 3, "VALID", 3, 2),
    (8, 8, 3, 3, 1, "SAME", 3, 4),
    (5, 6, 3, 3, 1, "SAME", 8, 1),
    (6, 5, 3, 3, 1, "VALID", 8, 2),
    (5, 6, 3, 3, 1, ((2, 0), (0, 2)), 8, 2),
    (7, 8, 3, 3, 2, "SAME", 1, 4),
    (8, 7, 3, 3, 2, "VALID", 8, 2),
    (6, 6, 3, 3, (1, 2), ((2, 2), (2, 0)), 2, 3),
    (7, 6, 3, 3, (3, 2), ((0, 2), (2, 1)), 2, 2),
    (5, 7, 4, 4, 1, "SAME", 2, 2),
    (8, 6, 4, 4, 2, "SAME", 2, 8),
    (7, 9, 4, 4, 2, ((3, 1), (0, 3)), 2, 2),
    (9, 8, 4, 4, 3, ((3, 3), (1, 2)), 2, 1),
    (6, 8, 5, 5, 2, "SAME", 2, 3),
    (7, 5, 5, 5, (2, 1), ((1, 4), (4, 0)), 1, 2),
    (6, 7, 6, 3, 2, "SAME", 2, 2),
    (8, 7, 7, 7, 1, "SAME", 1, 2),
    (9, 8, 7, 5, 3, ((6, 2), (4, 4)), 2, 2),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_algebra_is_the_plain_convolution_up_to_second_derivatives(case):
    height, width, rows, columns, strides, padding, inputs, outputs = case
    geometry = geometry_of((height, width), (rows, columns), strides, padding)
    x, w = integers((2, height, width, inputs), (rows, columns, inputs, outputs))

    @jax.jit
    def in_both_forms(x, w):
        convolve = partial(conv, strides=strides, padding=padding, form="algebra")
        of_padded = partial(conv_of_padded, geometry)
        return derivatives(convolve, x, w), derivatives(of_padded, x, w)

    in_algebra, of_padded = in_both_forms(x, w)
    assert_identical(in_algebra, of_padded)


def conv_of_padded(geometry, x, w):
    padding = [(0, 0), *((axis.low, axis.high) for axis in geometry), (0, 0)]
    strides = [axis.stride for axis in geometry]
    layout = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(jnp.pad(x, padding), w, strides, "VALID", dimension_numbers=layout)


@pytest.mark.parametrize("form", ["algebra", "plain"])
def test_convolution_is_the_sum_over_taps(form):
    x, w = integers((2, 7, 6, 3), (3, 4, 3, 2))
    padded = np.pad(x, ((0, 0), (1, 2), (3, 0), (0, 0)))
    wanted = np.zeros((2, 4, 2, 2), np.float32)
    for i, j in np.ndindex(4, 2):
        for s, t in np.ndindex(3, 4):
            wanted[:, i, j] += padded[:, 2 * i + s, 3 * j + t] @ np.asarray(w)[s, t]
    y = conv(x, w, strides=(2, 3), padding=((1, 2), (3, 0)), form=form)
    np.testing.assert_array_equal(y, wanted)


@pytest.mark.parametrize("case", CASES[1::4], ids=str)
def test_three_functions_are_one_trilinear_form(case):
    height, width, rows, columns, strides, padding, inputs, outputs = case
    geometry = geometry_of((height, width), (rows, columns), strides, padding)
    x, w, y = integers(
        (2, height, width, inputs),
        (rows, columns, inputs, outputs),
        (2, *(axis.output for axis in geometry), outputs),
    )

    @jax.jit
    def products(x, w, y):
        return [
            (algebra.conv(geometry, x, w) * y).sum(),
            (algebra.input_grad(geometry, y, w) * x).sum(),
            (algebra.kernel_grad(geometry, x, y) * w).sum(),
        ]

    by_output, by_input, by_kernel = products(x, w, y)
    assert by_output == by_input == by_kernel != 0


def test_kernel_gradient_does_not_depend_on_the_chunks_of_the_batch():
    x, w = integers((6, 40, 40, 1), (3, 3, 1, 2))
    geometry = geometry_of((40, 40), (3, 3), 1, "SAME")
    y = algebra.conv(geometry, x, w)
    assert y.shape[1] * y.shape[2] * 2 < algebra._POSITIONS < y.shape[1] * y.shape[2] * 3
    wanted = sum(algebra.kernel_grad(geometry, x[i : i + 1], y[i : i + 1]) for i in range(6))
    np.testing.assert_array_equal(algebra.kernel_grad(geometry, x, y), wanted)


# size, kernel, stride, padding
TRANSPOSED = [
    (3, 3, 1, "SAME"),
    (3, 4, 2, "SAME"),
    (3, 5, 2, "SAME"),
    (3, 2, 3, "SAME"),
    (4, 3, 2, "VALID"),
    (4, 2, 3, "VALID"),
]


@pytest.mark.parametrize("form", ["algebra", "plain"])
@pytest.mark.parametrize(("size", "taps", "stride", "padding"), TRANSPOSED)
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
@pytest.mark.parametrize("taps", [(1, 2), (3, 3), (4, 5)])
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


class Critic(nn.Module):
    """Every layer of the module, one 1x1 convolution and one bfloat16 one."""

    form: str = "algebra"
    dtype: jnp.dtype | None = None

    @nn.compact
    def __call__(self, images):
        x = ConvTranspose(2, dtype=self.dtype, form=self.form)(images)
        x = UpsampleConv(3, dtype=self.dtype, form=self.form)(jnp.tanh(x))
        x = ConvMeanPool(2, dtype=self.dtype, form=self.form)(jnp.tanh(x))
        x = Conv(3, strides=2, use_bias=False, dtype=self.dtype, form=self.form)(jnp.tanh(x))
        x = Conv(1, kernel_size=1, dtype=self.dtype, form=self.form)(jnp.tanh(x))
        return x.sum((1, 2, 3))


def critic_and_images(key, batch=4, **settings):
    key_params, key_images = jax.random.split(key)
    images = jax.random.normal(key_images, (batch, 4, 4, 2))
    critic = Critic(**settings)
    return critic, critic.init(key_params, images), images


def penalty_gradient(critic, params, images, axis_name=None):
    """Of mean (|grad critic| - 1)^2, as an update takes it; the batch may be one device's share."""
    mean = partial(lax.pmean, axis_name=axis_name) if axis_name else lambda value: value

    def penalty(params):
        slopes = jax.grad(lambda images: critic.apply(params, images).sum())(images)
        return mean(((jnp.sqrt((slopes**2).sum((1, 2, 3))) - 1) ** 2).mean())

    return mean(jax.grad(penalty)(params))


@pytest.fixture(scope="module")
def whole_batch():
    critic, params, images = critic_and_images(jax.random.key(1))
    return critic, params, images, jax.jit(partial(penalty_gradient, critic))(params, images)


def assert_close(actual, wanted, rtol=2e-5):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max()),
        actual,
        wanted,
    )


def test_algebra_and_plain_give_one_penalty_gradient(whole_batch):
    _, params, images, wanted = whole_batch
    plain = jax.jit(partial(penalty_gradient, Critic(form="plain")))(params, images)
    assert_close(plain, wanted)


def test_penalty_gradient_survives_vmap_pmap_and_shard_map(whole_batch):
    critic, params, images, wanted = whole_batch
    gradient = partial(penalty_gradient, critic, axis_name="batch")
    shares = images.reshape(4, 1, *images.shape[1:])
    over = {"axis_name": "batch", "in_axes": (None, 0)}
    assert_close(jax.jit(jax.vmap(gradient, **over, out_axes=None))(params, shares), wanted)
    assert_close(jax.pmap(gradient, **over, out_axes=None)(params, shares), wanted)
    mesh = Mesh(np.array(jax.devices()), ("batch",))
    specs = {"in_specs": (PartitionSpec(), PartitionSpec("batch")), "out_specs": PartitionSpec()}
    for check_vma in (True, False):
        mapped = jax.shard_map(gradient, mesh=mesh, **specs, check_vma=check_vma)
        assert_close(jax.jit(mapped)(params, images), wanted)


def test_penalty_gradient_survives_a_sharded_batch(whole_batch):
    critic, params, images, wanted = whole_batch
    mesh = Mesh(np.array(jax.devices()), ("batch",))
    images = jax.device_put(images, jax.NamedSharding(mesh, PartitionSpec("batch")))
    assert_close(jax.jit(partial(penalty_gradient, critic))(params, images), wanted)


def test_penalty_gradient_survives_scan_and_remat(whole_batch):
    _, params, images, wanted = whole_batch
    remat = nn.remat(Critic)()

    @jax.jit
    def scanned(params, images):
        def body(total, images):
            gradient = penalty_gradient(remat, params, images[None])
            return jax.tree.map(lambda t, g: t + g / len(images), total, gradient), None

        return lax.scan(body, jax.tree.map(jnp.zeros_like, params), images)[0]

    assert_close(scanned(params, images), wanted)


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


def test_layers_have_the_parameters_and_values_of_flax(key):
    images = jax.random.normal(key, (2, 6, 6, 3))
    for ours, theirs in [
        (Conv(4, 5, strides=2), nn.Conv(4, (5, 5), 2)),
        (Conv(4, (3, 1), use_bias=False), nn.Conv(4, (3, 1), use_bias=False)),
        (ConvTranspose(4), nn.ConvTranspose(4, (4, 4), (2, 2))),
        (UpsampleConv(4), nn.Conv(4, (3, 3))),
        (ConvMeanPool(4), nn.Conv(4, (3, 3))),
    ]:
        params, wanted = ours.init(key, images), theirs.init(key, images)
        assert jax.tree.map(jnp.shape, params) == jax.tree.map(jnp.shape, wanted)
        if type(ours).__name__ == type(theirs).__name__:
            np.testing.assert_allclose(ours.apply(params, images), theirs.apply(params, images), atol=1e-5)


def test_bfloat16_computes_with_float32_parameters(key):
    critic, params, images = critic_and_images(key, dtype=jnp.bfloat16)
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}
    layer = Conv(3, dtype=jnp.bfloat16)
    assert layer.init_with_output(key, images)[0].dtype == jnp.bfloat16
    rounded = jax.jit(partial(penalty_gradient, critic))(params, images)
    exact = jax.jit(partial(penalty_gradient, Critic()))(params, images)
    assert {leaf.dtype for leaf in jax.tree.leaves(rounded)} == {jnp.dtype("float32")}
    assert_close(rounded, exact, rtol=0.1)


@pytest.fixture
def unchecked_shapes():
    """Callers do not have the shape checks of the tests, but the errors."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


IMAGES, KERNEL = jnp.zeros((2, 5, 5, 3)), jnp.zeros((3, 3, 3, 4))


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conv(IMAGES[0], KERNEL), "must be NHWC and HWIO"),
        (lambda: conv(IMAGES, KERNEL[0]), "must be NHWC and HWIO"),
        (lambda: conv(IMAGES[..., :2], KERNEL), "2 channels .* takes 3"),
        (lambda: conv(IMAGES, KERNEL.astype(jnp.bfloat16)), "float32, the kernel bfloat16"),
        (lambda: conv(IMAGES, KERNEL, strides=0), "strides 0 must be a positive int"),
        (lambda: conv(IMAGES, KERNEL, strides=(1, 1, 1)), "must be a positive int, or two"),
        (lambda: conv(IMAGES, KERNEL, padding="same"), "padding 'same' must be"),
        (lambda: conv(IMAGES, KERNEL, padding=1), "padding 1 must be"),
        (lambda: conv(IMAGES, KERNEL, padding=((1, 1), (3, 0))), "from 0 to kernel size - 1 = 2"),
        (lambda: conv(IMAGES, KERNEL, padding=((1, -1), (0, 0))), "from 0 to kernel size - 1 = 2"),
        (lambda: conv(IMAGES[:, :2], KERNEL, padding="VALID"), "do not hold a kernel of 3"),
        (lambda: conv(IMAGES, KERNEL, form="fast"), "form 'fast' must be"),
        (lambda: conv_transpose(IMAGES, KERNEL[:, :, :2]), "3 channels .* takes 2"),
        (lambda: upsample_conv(IMAGES[0], KERNEL), "must be NHWC and HWIO"),
        (lambda: conv_mean_pool(IMAGES, KERNEL), "5x5 images do not divide into 2x2"),
        (lambda: mean_pool(IMAGES, 3), "5x5 images do not divide into 3x3"),
        (lambda: Conv(4, kernel_size=0).init(jax.random.key(0), IMAGES), "kernel_size 0 must be"),
    ],
)
def test_wrong_settings_are_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
