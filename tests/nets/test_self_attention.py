"""SAGAN's attention: golden value, the laws of its equation, its size."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.initializers import Normal
from jaxgen.nets.self_attention import SelfAttention, attend_unscaled, check_heights
from tests.nets.parameters import count, zeros

MAPS = jax.random.normal(jax.random.key(0), (2, 4, 6, 8))


def variables_of(net, maps=MAPS, gamma=0.7):
    params = jax.jit(lambda: net.init(jax.random.key(1), maps))()["params"]
    return {"params": {**params, "gamma": jnp.float32(gamma)}}


def test_attention_of_three_points():
    """Rows of exp(x_i x_j), normalised: those of (1, 0) are e, 1, e."""
    x = jnp.array([[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]])
    weights = attend_unscaled(x, x, jnp.eye(3)[None])[0]
    np.testing.assert_allclose(weights[0], [0.4223188, 0.1553624, 0.4223188], atol=1e-6)
    np.testing.assert_allclose(weights.sum(1), 1.0, atol=1e-6)
    np.testing.assert_allclose(attend_unscaled(x, x, x)[0, 0], [0.8446376, 0.5776812], atol=1e-6)


def test_values_with_fewer_features_than_keys_are_refused():
    with pytest.raises(ValueError, match="features of values is 2, but must be at least those of queries, 3"):
        attend_unscaled(jnp.ones((1, 4, 3)), jnp.ones((1, 4, 3)), jnp.ones((1, 4, 2)))


@pytest.mark.parametrize(("channels", "wanted"), [(256, 81_921), (128, 20_481)])
def test_parameter_counts(channels, wanted):
    """Two eighths and two halves of the squared channels, and gamma."""
    assert count(SelfAttention(), zeros(4, 4, channels)) == wanted


@pytest.mark.parametrize("pool", [True, False])
def test_a_layer_is_its_formula(pool):
    net = SelfAttention(pool, Normal(0.5))
    variables = variables_of(net)
    maps = np.asarray(MAPS, np.float64)

    def tokens(name, pooled):
        found = maps @ np.asarray(variables["params"][name]["kernel"], np.float64)[0, 0]
        found = found.reshape(2, 2, 2, 3, 2, -1).max((2, 4)) if pooled else found
        return found.reshape(2, -1, found.shape[-1])

    logits = tokens("theta", False) @ tokens("phi", pool).swapaxes(1, 2)
    weights = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    outputs = (weights @ tokens("g", pool)).reshape(2, 4, 6, 4) @ np.asarray(variables["params"]["outputs"]["kernel"])
    np.testing.assert_allclose(net.apply(variables, MAPS), maps + 0.7 * outputs[:, :, :, :], atol=1e-5)


def test_a_layer_begins_as_the_identity_and_gamma_gets_a_gradient():
    net = SelfAttention()
    variables = jax.jit(lambda: net.init(jax.random.key(1), MAPS))()
    np.testing.assert_array_equal(net.apply(variables, MAPS), MAPS)
    slope = jax.jit(jax.grad(lambda variables: (net.apply(variables, MAPS) ** 2).sum()))(variables)["params"]
    assert abs(slope["gamma"]) > 1e-3
    assert not any(np.any(slope[name]["kernel"]) for name in ("theta", "phi", "g", "outputs"))


def test_without_pooling_places_may_be_permuted_and_with_it_they_may_not():
    order = np.random.default_rng(0).permutation(24)

    def permuted(maps):
        return maps.reshape(2, 24, 8)[:, order].reshape(maps.shape)

    for pool in (False, True):
        net = SelfAttention(pool, Normal(0.5))
        variables = variables_of(net)
        difference = np.abs(net.apply(variables, permuted(MAPS)) - permuted(net.apply(variables, MAPS))).max()
        assert (difference > 1e-2) == pool


@pytest.mark.exhaustive
def test_half_precision_is_close_to_single():
    single, half = SelfAttention(), SelfAttention(dtype="bfloat16")
    variables = variables_of(single)
    found = half.apply(variables, MAPS.astype(jnp.bfloat16))
    assert found.dtype == jnp.bfloat16
    np.testing.assert_allclose(found.astype(jnp.float32), single.apply(variables, MAPS), atol=0.05)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4, 4, 12), "channels of a map with attention is 12, but must be a multiple of 8"),
        ((4, 3, 8), "map with attention is 4x3, but must be of even sides"),
        ((3, 4, 8), "map with attention is 3x4, but must be of even sides"),
    ],
)
def test_maps_that_do_not_fit_are_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        count(SelfAttention(), zeros(*shape))
    assert count(SelfAttention(pool=False), zeros(3, 3, 8)) == 81


def test_heights_that_no_map_has_are_refused():
    check_heights((8, 16), (8, 16, 32))
    with pytest.raises(ValueError, match=r"attention is \(8, 12\), but must be heights of maps, which are \(8, 16\)"):
        check_heights((8, 12), iter((8, 16)))
