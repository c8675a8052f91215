from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax import lax
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, PartitionSpec
from jax.test_util import check_grads

from jaxgen.nets.convolution import (
    Conv,
    ConvMeanPool,
    ConvTranspose,
    Form,
    UpsampleConv,
    conv,
    conv_mean_pool,
    conv_transpose,
    mean_pool,
    upsample_conv,
    upsample_nearest,
)
from tests.nets.exact import assert_identical, derivatives, integers

# size, kernel, stride, padding
TRANSPOSED = [
    (3, 3, 1, "SAME"),
    (1, 4, 1, "VALID"),
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

    form: Form = "algebra"
    dtype: Any = None

    @nn.compact
    def __call__(self, images):
        x = ConvTranspose(2, dtype=self.dtype, form=self.form)(images)
        x = UpsampleConv(3, dtype=self.dtype, form=self.form)(jnp.tanh(x))
        x = ConvMeanPool(2, dtype=self.dtype, form=self.form)(jnp.tanh(x))
        x = Conv(3, strides=2, use_bias=False, dtype=self.dtype, form=self.form)(jnp.tanh(x))
        x = Conv(1, kernel_size=1, dtype=self.dtype, form=self.form)(jnp.tanh(x))
        return x.sum((1, 2, 3))


def penalty_gradient(critic, params, images, axis_name=None):
    """Of mean (|grad critic| - 1)^2, as an update takes it; the batch may be one device's share."""
    mean = partial(lax.pmean, axis_name=axis_name) if axis_name else lambda value: value

    def penalty(params):
        slopes = jax.grad(lambda images: critic.apply(params, images).sum())(images)
        return mean(((jnp.sqrt((slopes**2).sum((1, 2, 3))) - 1) ** 2).mean())

    return mean(jax.grad(penalty)(params))


@pytest.fixture(scope="module")
def whole_batch():
    critic = Critic()
    images = jax.random.normal(jax.random.key(1), (4, 4, 4, 2))
    params = jax.jit(critic.init)(jax.random.key(2), images)
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


@pytest.mark.parametrize("layer", [Conv(2), ConvTranspose(2), UpsampleConv(2), ConvMeanPool(2)])
def test_layers_take_the_form_that_they_are_given_and_on_a_cpu_the_algebra(layer, key):
    assert jax.default_backend() == "cpu"
    images = jnp.zeros((1, 4, 4, 2))
    for settings, takes_algebra in [({}, True), ({"form": "algebra"}, True), ({"form": "plain"}, False)]:
        jaxpr = jax.make_jaxpr(layer.clone(**settings).init_with_output)(key, images)
        assert ("custom_vjp" in str(jaxpr)) == takes_algebra


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Conv(4, 5, strides=2, bias_init=nn.initializers.ones), nn.Conv(4, (5, 5), 2)),
        (Conv(4, (3, 1), use_bias=False), nn.Conv(4, (3, 1), use_bias=False)),
        (ConvTranspose(4, bias_init=nn.initializers.ones), nn.ConvTranspose(4, (4, 4), (2, 2))),
        (UpsampleConv(4), nn.Conv(4, (3, 3))),
        (ConvMeanPool(4), nn.Conv(4, (3, 3))),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_have_the_parameters_and_values_of_flax(ours, theirs, key):
    images = jax.random.normal(key, (2, 6, 6, 3))
    value, params = jax.jit(ours.init_with_output)(key, images)
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(jnp.shape, jax.eval_shape(theirs.init, key, images))
    if type(ours).__name__ == type(theirs).__name__:
        np.testing.assert_allclose(value, jax.jit(theirs.apply)(params, images), atol=1e-5)


def test_bfloat16_computes_with_float32_parameters(whole_batch):
    _, params, images, wanted = whole_batch
    gradient = jax.jit(partial(penalty_gradient, Critic(dtype=jnp.bfloat16)))(params, images)
    (actual, _), (wanted, _) = ravel_pytree(gradient), ravel_pytree(wanted)
    assert jnp.linalg.norm(actual - wanted) < 0.1 * jnp.linalg.norm(wanted)
    for layer in (Conv(3, dtype=jnp.bfloat16), UpsampleConv(3, dtype=jnp.bfloat16)):
        outputs, params = jax.eval_shape(layer.init_with_output, jax.random.key(0), images)
        assert outputs.dtype == jnp.bfloat16
        assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}


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
        (upsample_conv, IMAGES[0], KERNEL, {}, "shape of images is"),
        (conv_mean_pool, IMAGES, KERNEL, {}, "size of images is 5x5, but must be a multiple of 2x2"),
    ],
)
def test_wrong_arguments_are_refused_in_a_sentence(function, images, kernel, settings, message):
    with pytest.raises(ValueError, match=message):
        function(images, kernel, **settings)


@pytest.mark.usefixtures("unchecked_shapes")
def test_wrong_layers_and_blocks_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="kernel_size is 0, but must be"):
        Conv(4, kernel_size=0).init(jax.random.key(0), IMAGES)
    with pytest.raises(ValueError, match="size of images is 5x5, but must be a multiple of 3x3"):
        mean_pool(IMAGES, 3)
    for function in (mean_pool, upsample_nearest):
        with pytest.raises(ValueError, match="factor is 0, but must be at least 1"):
            function(IMAGES, 0)
        with pytest.raises(ValueError, match="shape of images is"):
            function(IMAGES[0], 1)
