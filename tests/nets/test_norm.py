import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.norm import ConditionalBatchNorm, normalize

INPUTS = 5.0 + 2.0 * jax.random.normal(jax.random.key(0), (8, 4, 4, 3))


class Layer(nn.Module):
    norm: str

    @nn.compact
    def __call__(self, inputs, mode=EVALUATION):
        return normalize(inputs, self.norm, mode)


TRAINING = Mode(train=True)


def run(norm, inputs=INPUTS, mode=TRAINING):
    variables = Layer(norm).init(jax.random.key(0), inputs)
    return Layer(norm).apply(variables, inputs, mode=mode, mutable=["batch_stats"])


@pytest.mark.parametrize(("norm", "axes"), [("batch", (0, 1, 2)), ("layer", (1, 2, 3))])
def test_outputs_have_mean_0_and_variance_1_over_the_axes_of_the_norm(norm, axes):
    outputs, _ = run(norm)
    np.testing.assert_allclose(outputs.mean(axes), 0.0, atol=1e-5)
    np.testing.assert_allclose(outputs.std(axes), 1.0, atol=1e-3)


def test_none_is_the_identity_without_variables():
    assert Layer("none").init(jax.random.key(0), INPUTS) == {}
    np.testing.assert_array_equal(run("none")[0], INPUTS)


def test_batch_statistics_over_devices_are_those_of_the_whole_batch():
    wanted, stats = run("batch")
    variables = Layer("batch").init(jax.random.key(0), INPUTS)

    def shard(inputs):
        return Layer("batch").apply(variables, inputs, mode=Mode(train=True, axis_name="i"), mutable=["batch_stats"])

    found, found_stats = jax.vmap(shard, axis_name="i")(INPUTS.reshape(4, 2, 4, 4, 3))
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, atol=1e-5)
    for a, b in zip(jax.tree.leaves(found_stats), jax.tree.leaves(stats), strict=True):
        np.testing.assert_allclose(a[0], b, atol=1e-5)


def test_batch_norm_keeps_its_digits_where_the_mean_is_large():
    """The fast variance E[x^2] - E[x]^2 would give a standard deviation of about 2 here."""
    narrow = 1000.0 + 0.01 * jax.random.normal(jax.random.key(0), (4096, 2))
    outputs, _ = run("batch", narrow)
    assert 0.9 < outputs.std() < 1.0  # epsilon 1e-5 beside a variance of 1e-4


def test_running_statistics_serve_when_not_training():
    variables = Layer("batch").init(jax.random.key(0), INPUTS)
    outputs = Layer("batch").apply(variables, INPUTS)
    np.testing.assert_allclose(outputs, INPUTS / np.sqrt(1 + 1e-5), rtol=1e-5)


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_half_precision_is_normalised_in_float32(norm):
    outputs, _ = run(norm, INPUTS.astype(jnp.bfloat16))
    assert outputs.dtype == jnp.bfloat16
    np.testing.assert_allclose(outputs.astype(jnp.float32), run(norm)[0], atol=0.05)


def test_an_unknown_norm_is_refused():
    with pytest.raises(ValueError, match="norm is 'group', but must be"):
        run("group")


CLASSES = jax.nn.one_hot(jnp.arange(8) % 3, 3)


def test_conditional_batch_norm_scales_and_moves_what_batch_norm_gives_by_the_class():
    layer = ConditionalBatchNorm()
    variables = layer.init(jax.random.key(0), INPUTS, CLASSES)
    scale, offset = np.random.default_rng(0).normal(size=(2, 3, 3)).astype(np.float32)
    params = {"scale": {"kernel": scale}, "offset": {"kernel": offset}}
    plain, stats = run("batch")

    def apply(inputs, classes, params=params, **options):
        return layer.apply(variables | {"params": params}, inputs, classes, mutable=["batch_stats"], **options)

    outputs, found = apply(INPUTS, CLASSES, mode=TRAINING)
    wanted = [image * scale[i % 3] + offset[i % 3] for i, image in enumerate(np.asarray(plain))]
    np.testing.assert_allclose(outputs, wanted, atol=1e-5)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(stats), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    begun, _ = apply(INPUTS, CLASSES, variables["params"], mode=TRAINING)
    np.testing.assert_allclose(begun, plain, atol=1e-6)  # every class begins as plain batch norm
    shards = INPUTS.reshape(4, 2, 4, 4, 3), CLASSES.reshape(4, 2, 3)
    shared = Mode(train=True, axis_name="i")
    over_devices, _ = jax.vmap(lambda *shard: apply(*shard, mode=shared), axis_name="i")(*shards)
    np.testing.assert_allclose(over_devices.reshape(outputs.shape), outputs, atol=1e-5)
    at_rest, _ = apply(INPUTS, CLASSES, variables["params"])
    np.testing.assert_allclose(at_rest, INPUTS / np.sqrt(1 + 1e-5), rtol=1e-5)
