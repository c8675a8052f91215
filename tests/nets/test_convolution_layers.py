"""Convolutional layers: parameters, forms, and the penalty gradients of a critic made of all of them."""

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

from jaxgen.nets.convolution import Form
from jaxgen.nets.convolution_layers import Conv, ConvMeanPool, ConvTranspose, UpsampleConv


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


@pytest.mark.exhaustive
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
        (Conv(6, feature_groups=3), nn.Conv(6, (3, 3), feature_group_count=3)),
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


def test_a_call_may_be_given_another_form(key):
    images = jnp.zeros((1, 4, 4, 2))
    for layer in (Conv(2), ConvTranspose(2), UpsampleConv(2), ConvMeanPool(2)):
        variables = layer.init(key, images)
        jaxpr = jax.make_jaxpr(lambda images, layer=layer, own=variables: layer.apply(own, images, form="plain"))(
            images
        )
        assert "custom_vjp" not in str(jaxpr)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Conv(4, kernel_size=0), "kernel_size is 0, but must be"),
        (Conv(4, feature_groups=2), "feature_groups is 2, but must be a divisor of 3 channels and of 4 features"),
        (
            ConvTranspose(4, feature_groups=3),
            "feature_groups is 3, but must be a divisor of 3 channels and of 4 features",
        ),
        (UpsampleConv(4, feature_groups=0), "feature_groups is 0, but must be a divisor"),
    ],
)
def test_wrong_layers_are_refused_in_a_sentence(layer, message):
    with pytest.raises(ValueError, match=message):
        layer.init(jax.random.key(0), jnp.zeros((2, 5, 5, 3)))
