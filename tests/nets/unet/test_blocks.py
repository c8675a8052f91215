import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.convolution import conv, mean_pool, upsample_nearest
from jaxgen.nets.unet.blocks import AttentionBlock, GroupNorm, ResidualBlock, Style, check_maps, num_groups
from tests.exhaustive import exhaustive
from tests.nets.unet.networks import init

IMAGES = jax.random.normal(jax.random.key(1), (2, 4, 4, 8)) + 1
EMBEDDING = jax.random.normal(jax.random.key(2), (2, 5))


def formula_of_norm(hidden, params, groups):
    """Flax's own norm and a swish."""
    return jax.nn.swish(nn.GroupNorm(groups, epsilon=1e-6).apply({"params": params}, hidden))


def convolved(hidden, params):
    return conv(hidden, params["kernel"]) + params["bias"][None, None, None]


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_the_norm_is_flaxs(groups):
    net = GroupNorm(groups, activate=False)
    variables = init(net, IMAGES)
    wanted = nn.GroupNorm(groups, epsilon=1e-6).apply(variables, IMAGES)
    np.testing.assert_allclose(net.apply(variables, IMAGES), wanted, atol=1e-5)
    np.testing.assert_allclose(GroupNorm(groups).apply(variables, IMAGES), jax.nn.swish(wanted), atol=1e-5)


def test_the_norm_of_bfloat16_is_computed_in_float32_also_far_from_zero():
    """1000 + 4 k in bfloat16, whose own sums would have two or three digits."""
    images = (1000 + 4 * jax.random.randint(jax.random.key(0), (2, 4, 4, 8), 0, 5)).astype(jnp.bfloat16)
    net = GroupNorm(2, activate=False)
    outputs = net.apply(init(net, images) | {"params": {"scale": jnp.ones(8), "bias": jnp.zeros(8)}}, images)
    assert outputs.dtype == jnp.bfloat16
    grouped = np.asarray(images, np.float64).reshape(2, 16, 2, 4)
    centred = grouped - grouped.mean((1, 3), keepdims=True)
    wanted = (centred / centred.std((1, 3), keepdims=True)).reshape(2, 4, 4, 8)
    np.testing.assert_allclose(np.asarray(outputs, np.float64), wanted, atol=0.02)


def test_a_norm_of_a_constant_map_has_finite_gradients():
    net = GroupNorm(2)
    variables = init(net, IMAGES)
    gradient = jax.grad(lambda images: net.apply(variables, images).sum())(jnp.ones_like(IMAGES))
    assert np.isfinite(gradient).all()


def test_groups_are_those_of_the_papers_codes():
    assert [num_groups(channels) for channels in (128, 256, 384, 512, 640)] == [32] * 5
    assert [num_groups(channels) for channels in (32, 64, 96)] == [8, 16, 24]  # EDM: four channels at least
    assert [num_groups(channels) for channels in (1, 3, 4, 7, 8, 9, 144)] == [1, 1, 1, 1, 2, 1, 24]


def test_groups_that_do_not_divide_the_channels_are_refused():
    with pytest.raises(ValueError, match="groups is 3, but must be a divisor of 8 channels"):
        GroupNorm(3).init(jax.random.key(0), IMAGES)


@pytest.mark.parametrize(
    ("resample", "features", "style"),
    [
        ("none", 8, Style(scale_shift=True, residual_scale=0.5)),
        ("up", 8, Style(projected=True)),
        *exhaustive([("none", 12, Style()), ("down", 12, Style(scale_shift=True)), ("down", 8, Style())]),
    ],
)
def test_a_residual_block_is_its_formula(resample, features, style):
    net = ResidualBlock(features, style, resample)
    variables = init(net, IMAGES, EMBEDDING)
    params = variables["params"]
    change = {"none": lambda x: x, "up": upsample_nearest, "down": mean_pool}[resample]
    hidden = change(formula_of_norm(IMAGES, params["norm_0"], 2))
    hidden = convolved(hidden, params["conv_0"])
    told = (EMBEDDING @ params["embedding"]["kernel"] + params["embedding"]["bias"][None])[:, None, None]
    if style.scale_shift:
        plain = nn.GroupNorm(num_groups(features), epsilon=1e-6).apply({"params": params["norm_1"]}, hidden)
        hidden = jax.nn.swish(plain * (1 + told[..., :features]) + told[..., features:])
    else:
        hidden = formula_of_norm(hidden + told, params["norm_1"], num_groups(features))
    shortcut = change(IMAGES)
    assert ("shortcut" in params) == (features != 8 or style.projected)
    if "shortcut" in params:
        shortcut = convolved(shortcut, params["shortcut"])
    wanted = (shortcut + convolved(hidden, params["conv_1"])) * style.residual_scale
    np.testing.assert_allclose(net.apply(variables, IMAGES, EMBEDDING), wanted, atol=1e-4)


@pytest.mark.parametrize(
    "net", [ResidualBlock(8, Style()), AttentionBlock(Style(), 2)], ids=lambda net: type(net).__name__
)
def test_a_block_begins_as_the_identity(net):
    inputs = (IMAGES, EMBEDDING) if isinstance(net, ResidualBlock) else (IMAGES,)
    outputs, _ = jax.jit(lambda: net.init_with_output(jax.random.key(0), *inputs))()
    np.testing.assert_allclose(outputs, IMAGES, atol=1e-3)
    assert np.abs(outputs - IMAGES).max() > 0  # so that gradients reach all of it


def test_each_map_of_an_attention_block_attends_to_its_places():
    """Softmax of Q K^T / sqrt(d) of each head, written out in float64."""
    net = AttentionBlock(Style(residual_scale=0.5), heads=2)
    variables = init(net, IMAGES)
    params = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), variables["params"])
    hidden = np.asarray(nn.GroupNorm(2, epsilon=1e-6).apply({"params": variables["params"]["norm"]}, IMAGES))
    hidden = hidden.reshape(2, 16, 8) @ params["queries_keys_values"]["kernel"] + params["queries_keys_values"]["bias"]
    attended = np.zeros((2, 16, 8))
    for i, head in np.ndindex(2, 2):
        queries, keys, values = (hidden[i, :, 8 * part + 4 * head :][:, :4] for part in range(3))
        weights = np.exp(queries @ keys.T / 2)
        attended[i, :, 4 * head : 4 * head + 4] = weights / weights.sum(1, keepdims=True) @ values
    attended = attended @ params["outputs"]["kernel"] + params["outputs"]["bias"]
    wanted = (IMAGES + attended.reshape(IMAGES.shape)) / 2
    np.testing.assert_allclose(net.apply(variables, IMAGES), wanted, atol=1e-5)


def test_weights_begin_with_the_variances_of_the_papers():
    """2 / (inputs + outputs) for each of Q, K and V, a fifth of 2 / (C + 3 C) in EDM; 1e-5 of it at the end."""
    images = jnp.ones((1, 2, 2, 64))
    for variance, wanted in ((2.0, 1 / 64), (0.2, 0.1 / 64)):
        net = AttentionBlock(Style(attention_variance=variance))
        params = jax.jit(lambda net=net: net.init(jax.random.key(0), images))()["params"]
        assert params["queries_keys_values"]["kernel"].var() == pytest.approx(wanted, rel=0.05)
        assert params["outputs"]["kernel"].std() == pytest.approx(1e-5 / 8, rel=0.05)
    net = ResidualBlock(32, Style())
    params = jax.jit(lambda: net.init(jax.random.key(0), images, jnp.ones((1, 5))))()["params"]
    assert params["conv_0"]["kernel"].var() == pytest.approx(2 / (9 * 96), rel=0.05)
    assert params["conv_1"]["kernel"].std() == pytest.approx(1e-5 * np.sqrt(2 / (9 * 64)), rel=0.05)
    assert params["shortcut"]["kernel"].var() == pytest.approx(2 / 96, rel=0.1)


def test_blocks_of_other_numbers_drop_other_values():
    mode = Mode(jax.random.split(jax.random.key(5), 2), train=True)
    nets = [ResidualBlock(8, Style(dropout=0.5), layer=layer) for layer in (0, 1)]
    variables = init(nets[0], IMAGES, EMBEDDING)
    first, second = (jax.jit(net.apply)(variables, IMAGES, EMBEDDING, mode) for net in nets)
    assert np.abs(first - second).max() > 0.01


def test_what_is_dropped_is_what_the_last_convolution_sees():
    """With almost nothing left, a block is its inputs and a bias."""
    mode = Mode(jax.random.split(jax.random.key(5), 2), train=True)
    net = ResidualBlock(8, Style(dropout=0.999999))
    variables = init(net, IMAGES, EMBEDDING)
    found = jax.jit(net.apply)(variables, IMAGES, EMBEDDING, mode)
    np.testing.assert_allclose(found, IMAGES + variables["params"]["conv_1"]["bias"][None, None, None], atol=1e-6)


def test_heads_that_do_not_divide_the_channels_are_refused():
    with pytest.raises(ValueError, match="heads is 3, but must be a divisor of 8 channels"):
        AttentionBlock(Style(), 3).init(jax.random.key(0), IMAGES)


@pytest.mark.parametrize(
    ("shape", "multipliers", "attention", "message"),
    [
        (
            (28, 28, 1),
            (1, 2, 2, 2),
            (),
            "size of images is 28x28, but must be a multiple of 8x8 for 4 sizes: give fewer",
        ),
        ((28, 30, 1), (1, 2, 2), (), "size of images is 28x30, but must be a multiple of 4x4 for 3 sizes"),
        ((28, 28, 1), (1, 2, 2), (16,), r"attention is \(16,\), but must be some of \(28, 14, 7\), the heights"),
        ((28, 28, 1), (), (), r"multipliers is \(\), but must be one or more above 0"),
        ((28, 28, 1), (0, 1), (), r"multipliers is \(0, 1\), but must be one or more above 0"),
    ],
)
def test_maps_that_do_not_fit_are_refused(shape, multipliers, attention, message):
    with pytest.raises(ValueError, match=message):
        check_maps(shape, multipliers, attention)


def test_28_halves_twice():
    check_maps((28, 28, 1), (1, 2, 2), (28, 14, 7))
