import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.initializers import Normal
from jaxgen.nets.norm import ConditionalBatchNorm, normalize, offset_batch_norm, pixel_norm

INPUTS = 5.0 + 2.0 * jax.random.normal(jax.random.key(0), (8, 4, 4, 3))


class Layer(nn.Module):
    norm: str
    groups: int = 32
    affine: bool = True

    @nn.compact
    def __call__(self, inputs, mode=EVALUATION):
        return normalize(inputs, self.norm, mode, groups=self.groups, affine=self.affine)


TRAINING = Mode(train=True)


def run(norm, inputs=INPUTS, mode=TRAINING):
    variables = jax.jit(lambda: Layer(norm).init(jax.random.key(0), inputs))()
    return Layer(norm).apply(variables, inputs, mode=mode, mutable=["batch_stats"])


@pytest.mark.parametrize(("norm", "axes"), [("batch", (0, 1, 2)), ("layer", (1, 2, 3)), ("instance", (1, 2))])
def test_outputs_have_mean_0_and_variance_1_over_the_axes_of_the_norm(norm, axes):
    outputs, _ = run(norm)
    np.testing.assert_allclose(outputs.mean(axes), 0.0, atol=1e-5)
    np.testing.assert_allclose(outputs.std(axes), 1.0, atol=1e-3)


@pytest.mark.parametrize("norm", ["batch", "layer", "group", "instance"])
def test_without_affine_a_norm_has_no_params_and_gives_what_it_gave_when_fresh(norm):
    variables = Layer(norm, 3, affine=False).init(jax.random.key(0), INPUTS)
    assert "params" not in variables
    found, _ = Layer(norm, 3, affine=False).apply(variables, INPUTS, TRAINING, mutable=["batch_stats"])
    variables = Layer(norm, 3).init(jax.random.key(0), INPUTS)
    wanted, _ = Layer(norm, 3).apply(variables, INPUTS, TRAINING, mutable=["batch_stats"])
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_none_is_the_identity_without_variables():
    assert Layer("none").init(jax.random.key(0), INPUTS) == {}
    np.testing.assert_array_equal(run("none")[0], INPUTS)


def test_batch_statistics_over_devices_are_those_of_the_whole_batch():
    wanted, stats = run("batch")
    variables = jax.jit(lambda: Layer("batch").init(jax.random.key(0), INPUTS))()

    def shard(inputs):
        return Layer("batch").apply(variables, inputs, mode=Mode(train=True, axis_name="i"), mutable=["batch_stats"])

    found, found_stats = jax.vmap(shard, axis_name="i")(INPUTS.reshape(4, 2, 4, 4, 3))
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, atol=1e-5)
    for a, b in zip(jax.tree.leaves(found_stats), jax.tree.leaves(stats), strict=True):
        np.testing.assert_allclose(a[0], b, atol=1e-5)


@pytest.mark.parametrize("norm", ["batch", "group", "instance"])
def test_digits_are_kept_where_the_mean_is_large(norm):
    """The fast variance E[x^2] - E[x]^2 would give a standard deviation of about 2 here."""
    narrow = 1000.0 + 0.01 * jax.random.normal(jax.random.key(0), (2, 2048, 2))
    outputs, _ = run(norm, narrow)
    assert outputs.std() == pytest.approx(1 / np.sqrt(1.1), rel=0.03)  # epsilon 1e-5 beside a variance of 1e-4


def test_running_statistics_serve_when_not_training():
    variables = jax.jit(lambda: Layer("batch").init(jax.random.key(0), INPUTS))()
    outputs = Layer("batch").apply(variables, INPUTS)
    np.testing.assert_allclose(outputs, INPUTS / np.sqrt(1 + 1e-5), rtol=1e-5)


@pytest.mark.parametrize("norm", ["batch", "layer", "group", "instance"])
def test_half_precision_is_normalised_in_float32(norm):
    outputs, _ = run(norm, INPUTS.astype(jnp.bfloat16))
    assert outputs.dtype == jnp.bfloat16
    np.testing.assert_allclose(outputs.astype(jnp.float32), run(norm)[0], atol=0.05)


def test_an_unknown_norm_is_refused():
    with pytest.raises(ValueError, match=r"norm is 'weight', but must be one of \('none', 'batch', 'layer', 'group'"):
        run("weight")


MANY = 5.0 + 2.0 * jax.random.normal(jax.random.key(1), (2, 3, 4, 12))


@pytest.mark.parametrize(
    ("norm", "groups", "num"), [("group", 4, 4), ("group", 32, 12), ("group", 1, 1), ("instance", 4, 12)]
)
def test_group_and_instance_norm_are_torchs(norm, groups, num):
    """x - mean over sqrt(var + 1e-5), of an example and a group of neighbours, then scale and offset per channel.

    As `torch.nn.GroupNorm`, and as `InstanceNorm2d(affine=True)`, which is a group for each channel.
    """
    layer = Layer(norm, groups)
    variables = jax.jit(lambda: layer.init(jax.random.key(0), MANY))()
    (params,) = variables["params"].values()
    assert params["scale"].shape == params["bias"].shape == (12,)
    scale, bias = np.random.default_rng(0).normal(size=(2, 12)).astype(np.float32)
    own = {"params": {name: {"scale": scale, "bias": bias} for name in variables["params"]}}
    grouped = np.asarray(MANY, np.float64).reshape(2, 12, num, 12 // num)
    centred = grouped - grouped.mean((1, 3), keepdims=True)
    wanted = (centred / np.sqrt((centred**2).mean((1, 3), keepdims=True) + 1e-5)).reshape(MANY.shape) * scale + bias
    np.testing.assert_allclose(layer.apply(own, MANY), wanted, atol=1e-5)


@pytest.mark.parametrize("norm", ["layer", "group", "instance"])
def test_norms_of_one_example_do_not_depend_on_the_others_or_on_the_mode(norm):
    outputs, state = run(norm)
    assert state == {}
    np.testing.assert_allclose(run(norm, INPUTS[2:3], EVALUATION)[0], outputs[2:3], atol=1e-6)


@pytest.mark.parametrize(
    ("norm", "groups", "shape", "message"),
    [
        ("group", 4, (2, 6), "channels is 6, but must be a multiple of 4 for a norm of 4 groups"),
        ("group", 0, (2, 6), "groups is 0, but must be at least 1"),
        (
            "instance",
            32,
            (2, 6),
            r"shape of inputs is \(2, 6\), but must be \(batch, ..., channels\) for an instance norm",
        ),
    ],
)
def test_norms_that_mean_nothing_are_refused(norm, groups, shape, message):
    with pytest.raises(ValueError, match=message):
        Layer(norm, groups).init(jax.random.key(0), jnp.ones(shape))


CLASSES = jax.nn.one_hot(jnp.arange(8) % 3, 3)


def test_conditional_batch_norm_scales_and_moves_what_batch_norm_gives_by_the_class():
    layer = ConditionalBatchNorm()
    variables = jax.jit(lambda: layer.init(jax.random.key(0), INPUTS, CLASSES))()
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


def test_with_weights_the_scale_is_one_more_than_a_linear_map_of_the_condition():
    """BigGAN's: of any vectors, not of classes alone; both maps begin as the weights say, and a map of 0 is no map."""
    layer = ConditionalBatchNorm(Normal(0.5))
    condition = jax.random.normal(jax.random.key(1), (8, 40))
    variables = jax.jit(lambda: layer.init(jax.random.key(0), INPUTS, condition))()
    params = jax.tree.map(np.asarray, variables["params"])
    assert all(0.35 < params[name]["kernel"].std() < 0.65 for name in ("scale", "offset"))
    plain, _ = run("batch")
    scale, offset = (np.asarray(condition) @ params[name]["kernel"] for name in ("scale", "offset"))
    found, _ = layer.apply(variables, INPUTS, condition, TRAINING, mutable=["batch_stats"])
    wanted = np.asarray(plain) * (1 + scale[:, None, None]) + offset[:, None, None]
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    nothing = variables | {"params": jax.tree.map(jnp.zeros_like, variables["params"])}
    found, _ = layer.apply(nothing, INPUTS, condition, TRAINING, mutable=["batch_stats"])
    np.testing.assert_allclose(found, plain, atol=1e-6)


class Defaults(nn.Module):
    """A group norm of the default number of groups."""

    @nn.compact
    def __call__(self, inputs):
        return normalize(inputs, "group", EVALUATION)


def test_groups_are_32_by_default():
    inputs = jax.random.normal(jax.random.key(2), (2, 3, 128)) + jnp.arange(128.0)[None, None]
    outputs, wanted = (net.init_with_output(jax.random.key(0), inputs)[0] for net in (Defaults(), Layer("group", 32)))
    np.testing.assert_array_equal(outputs, wanted)


def test_batch_norm_has_a_scale_and_an_offset_for_each_channel():
    layer = Layer("batch")
    variables = layer.init(jax.random.key(0), INPUTS)
    scale, bias = np.random.default_rng(1).normal(size=(2, 3)).astype(np.float32)
    assert {leaf.shape for leaf in jax.tree.leaves(variables["params"])} == {(3,)}
    own = {name: {"scale": scale, "bias": bias} for name in variables["params"]}
    found = layer.apply({**variables, "params": own}, INPUTS)
    np.testing.assert_allclose(found, np.asarray(layer.apply(variables, INPUTS)) * scale + bias, rtol=1e-5, atol=1e-5)


def test_an_offset_batch_norm_is_batch_norm_without_a_scale_with_the_epsilon_of_slim():
    class Offset(nn.Module):
        @nn.compact
        def __call__(self, inputs, mode=EVALUATION):
            return offset_batch_norm(inputs, mode)

    inputs = 0.01 * INPUTS
    variables = Offset().init(jax.random.key(0), inputs)
    (name,) = variables["params"]
    assert set(variables["params"][name]) == {"bias"}
    offset = np.array([1.0, -2.0, 0.5], np.float32)
    own = {**variables, "params": {name: {"bias": offset}}}
    found, _ = Offset().apply(own, inputs, mode=TRAINING, mutable=["batch_stats"])
    numbers = np.asarray(inputs)
    wanted = (numbers - numbers.mean((0, 1, 2))) / np.sqrt(numbers.var((0, 1, 2)) + 1e-3) + offset
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_layer_norm_has_a_scale_and_an_offset_for_each_channel():
    """Statistics over rows, columns and channels; scale and offset by channel, as in WGAN-GP's code."""
    layer = Layer("layer")
    variables = jax.jit(lambda: layer.init(jax.random.key(0), MANY))()
    scale, bias = np.random.default_rng(1).normal(size=(2, 12)).astype(np.float32)
    own = {"params": {name: {"scale": scale, "bias": bias} for name in variables["params"]}}
    assert all(leaf.shape == (12,) for leaf in jax.tree.leaves(variables))
    tilted = np.asarray(MANY, np.float64) + 3.0 * np.arange(3)[None, :, None, None]  # rows of different means
    mean, variance = tilted.mean((1, 2, 3), keepdims=True), tilted.var((1, 2, 3), keepdims=True)
    wanted = (tilted - mean) / np.sqrt(variance + 1e-6) * scale + bias
    np.testing.assert_allclose(layer.apply(own, jnp.asarray(tilted, jnp.float32)), wanted, atol=1e-4)


def test_running_averages_keep_nine_tenths_of_what_they_were():
    _, stats = run("batch")
    ((found,),) = (tuple(stats["batch_stats"].values()),)
    np.testing.assert_allclose(found["mean"], 0.1 * INPUTS.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(found["var"], 0.9 + 0.1 * INPUTS.var((0, 1, 2)), rtol=1e-5)


def test_a_condition_of_integers_is_that_of_floats():
    classes = jnp.eye(3, dtype=jnp.float32)[jnp.arange(8) % 3]
    layer = ConditionalBatchNorm()
    variables = jax.jit(lambda: layer.init(jax.random.key(0), INPUTS, classes))()
    wanted = layer.apply(variables, INPUTS, classes)
    np.testing.assert_array_equal(layer.apply(variables, INPUTS, classes.astype(jnp.int32)), wanted)


def test_pixel_norm_gives_a_mean_square_of_one_whatever_the_scale():
    for scale in (1.0, 50.0):
        np.testing.assert_allclose((pixel_norm(scale * INPUTS) ** 2).mean(axis=-1), np.ones((8, 4, 4)), atol=1e-5)
    assert not pixel_norm(jnp.zeros((1, 3))).any()
    slope = jax.grad(lambda x: pixel_norm(x).sum())(jnp.zeros((1, 3)))
    assert np.isfinite(slope).all()
