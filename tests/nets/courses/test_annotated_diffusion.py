import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.convolution import conv
from jaxgen.nets.courses.annotated_diffusion import ConvNeXtBlock, ConvNeXtUNet, SelfAttention, linear_attention
from tests.nets.unet.networks import init, names, parameters

IMAGES = jax.random.normal(jax.random.key(0), (2, 4, 6, 6))
EMBEDDING = jax.random.normal(jax.random.key(1), (2, 5))


def test_the_parameter_count_is_that_of_the_course():
    assert parameters(ConvNeXtUNet(), (28, 28, 1)) == 2_996_315
    assert parameters(ConvNeXtUNet(), (28, 28, 1), jnp.zeros((1, 10))) == 2_996_315 + 10 * 112


@pytest.mark.parametrize("remat", [False, True])
def test_parts_have_names_of_their_places_which_checkpoints_know(remat):
    net = ConvNeXtUNet(8, (1, 2), heads=2, head_features=4, remat=remat)
    places = {f"{way}_{level}" for way, level in (("down", 0), ("down", 1), ("up", 1))}
    parts = {f"{place}_{part}" for place in {*places, "middle"} for part in ("0", "1", "attention")}
    parts |= {"inputs", "time_0", "time_1", "down_0", "up_1", "last", "outputs"}
    assert names(net, jnp.zeros((1, 8, 4, 2)), jnp.zeros(1), None, (8, 4, 2)) == parts


def of_all(hidden):
    """Zero mean and variance 1 of each example."""
    centred = hidden - hidden.mean((1, 2, 3), keepdims=True)
    return centred / jnp.sqrt((centred**2).mean((1, 2, 3), keepdims=True) + 1e-5)


@pytest.mark.exhaustive
@pytest.mark.parametrize("features", [6, 4])
def test_a_block_is_its_formula(features):
    net = ConvNeXtBlock(features, 3)
    variables = init(net, IMAGES, EMBEDDING)
    params = variables["params"]

    def convolved(name, hidden):
        return conv(hidden, params[name]["kernel"]) + params[name]["bias"][None, None, None]

    def normed(name, hidden):
        scale, bias = (params[name][part][None, None, None] for part in ("scale", "bias"))
        return of_all(hidden) * scale + bias

    def gelu(hidden):
        return hidden * jax.scipy.stats.norm.cdf(hidden)

    kernel = params["depthwise"]["kernel"]
    assert kernel.shape == (7, 7, 1, 6)
    hidden = jnp.concatenate([conv(IMAGES[..., i : i + 1], kernel[..., i : i + 1]) for i in range(6)], axis=-1)
    told = gelu(EMBEDDING) @ params["time"]["kernel"] + params["time"]["bias"][None]
    hidden = hidden + params["depthwise"]["bias"][None, None, None] + told[:, None, None]
    hidden = gelu(convolved("conv_0", normed("norm_0", hidden)))
    hidden = convolved("conv_1", normed("norm_1", hidden))
    assert ("shortcut" in params) == (features != 6)
    wanted = hidden + (IMAGES if features == 6 else convolved("shortcut", IMAGES))
    np.testing.assert_allclose(net.apply(variables, IMAGES, EMBEDDING), wanted, atol=1e-4)


def test_linear_attention_is_its_formula_head_by_head():
    queries, keys, values = np.random.default_rng(0).normal(size=(3, 2, 7, 3, 4)).astype(np.float32)
    found = linear_attention(*map(jnp.asarray, (queries, keys, values)))

    def softmax(logits, axis):
        return np.exp(logits) / np.exp(logits).sum(axis, keepdims=True)

    for i, head in np.ndindex(2, 3):
        q, k, v = (array[i, :, head].astype(np.float64) for array in (queries, keys, values))
        np.testing.assert_allclose(found[i, :, head], softmax(q, 1) @ (softmax(k, 0).T @ v) / 2, atol=1e-6)


def test_linear_attention_to_equal_places_is_the_mean_of_the_values():
    """With equal keys softmax(K) is 1 / places, and softmax(Q) sums to 1."""
    values = jax.random.normal(jax.random.key(0), (1, 5, 1, 4))
    queries = jax.random.normal(jax.random.key(1), (1, 5, 1, 4))
    found = linear_attention(queries, jnp.zeros_like(values), values)
    np.testing.assert_allclose(found, jnp.broadcast_to(values.mean(1, keepdims=True) / 2, found.shape), atol=1e-6)


@pytest.mark.parametrize("kind", ["full", "linear"])
def test_attention_is_added_to_its_inputs(kind):
    """With the last layer at zero nothing is added; linear attention has a norm behind it."""
    net = SelfAttention(kind, 2, 4)
    variables = init(net, IMAGES)
    params = variables["params"]
    assert ("last_norm" in params) == (kind == "linear")
    assert set(params["queries_keys_values"]) == {"kernel"} and params["queries_keys_values"]["kernel"].shape == (6, 24)
    silent = params | {"outputs": jax.tree.map(jnp.zeros_like, params["outputs"])}
    found = net.apply({"params": silent}, IMAGES)
    bias = params["last_norm"]["bias"][None, None, None] if kind == "linear" else 0.0
    np.testing.assert_allclose(found, IMAGES + bias, atol=1e-6)
    assert np.abs(net.apply(variables, IMAGES) - IMAGES).max() > 0.01


def test_odd_numbers_of_channels_are_refused():
    with pytest.raises(ValueError, match="channels is 7, but must be even and at least 4"):
        parameters(ConvNeXtUNet(7), (28, 28, 1))
