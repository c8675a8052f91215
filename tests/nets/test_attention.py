import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets import attention
from jaxgen.nets.attention import Attention, attend
from tests.exhaustive import first

TOKENS = jax.random.normal(jax.random.key(0), (2, 5, 6))
CONTEXT = jax.random.normal(jax.random.key(1), (2, 7, 4))
MAPS = jax.random.normal(jax.random.key(2), (2, 3, 4, 6))
MASK = jnp.arange(7)[None] < jnp.array([[3], [7]])


def init(net, *inputs):
    variables = jax.jit(lambda: net.init(jax.random.key(3), *inputs))()
    return jax.tree.map(lambda leaf: leaf + 0.1 * jax.random.normal(jax.random.key(leaf.size), leaf.shape), variables)


def softmax_attention(queries, keys, values, mask):
    """Equation (1) of one example and one head, in float64."""
    logits = queries @ keys.T / np.sqrt(queries.shape[1])
    weights = np.exp(logits - logits.max(axis=1, keepdims=True)) * mask
    return weights / weights.sum(axis=1, keepdims=True) @ values


@pytest.mark.parametrize("mask", [None, MASK])
def test_attention_is_its_formula_head_by_head(mask):
    generator = np.random.default_rng(0)
    queries = generator.normal(size=(2, 5, 3, 4)).astype(np.float32)
    keys, values = generator.normal(size=(2, 2, 7, 3, 4)).astype(np.float32)
    found = attend(*map(jnp.asarray, (queries, keys, values)), mask)
    kept = np.ones((2, 7)) if mask is None else np.asarray(mask)
    for i, head in np.ndindex(2, 3):
        inputs = (array[i, :, head].astype(np.float64) for array in (queries, keys, values))
        np.testing.assert_allclose(found[i, :, head], softmax_attention(*inputs, kept[i]), atol=1e-6)


@pytest.mark.parametrize("batch", first(1, [5, 6, 8]))
@pytest.mark.parametrize("masked", [False, True])
def test_attention_in_pieces_is_attention_at_once(batch, masked, monkeypatch):
    """The values and their gradients, for batches that give pieces of 3, 4 and 1 examples."""
    keys = jax.random.split(jax.random.key(0), 5)
    queries, weights = (jax.random.normal(key, (batch, 5, 2, 4)) for key in keys[:2])
    others = [jax.random.normal(key, (batch, 7, 2, 4)) for key in keys[2:4]]
    mask = jax.random.bernoulli(keys[4], 0.7, (batch, 7)).at[0].set(False) if masked else None

    def outputs_and_gradients():
        def total(*inputs):
            outputs = attend(*inputs, mask)
            return (outputs * weights).sum(), outputs

        return jax.jit(jax.grad(total, (0, 1, 2), has_aux=True))(queries, *others)

    at_once = outputs_and_gradients()
    monkeypatch.setattr(attention, "_WEIGHTS", 0)
    in_pieces = outputs_and_gradients()
    program = str(jax.make_jaxpr(lambda queries: attend(queries, *others, mask))(queries))
    assert "scan" in program
    for found, wanted in zip(jax.tree.leaves(in_pieces), jax.tree.leaves(at_once), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_large_batches_are_attended_to_in_pieces_on_cpu_alone(monkeypatch):
    def program():
        inputs = [jax.ShapeDtypeStruct((65, 64, 1, 2), jnp.bfloat16)] * 3
        return jax.make_jaxpr(lambda *inputs: attend(*inputs))(*inputs)

    assert "scan" in str(program())
    assert program().out_avals[0].dtype == jnp.bfloat16
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert "scan" not in str(program())


@pytest.mark.parametrize("context", [None, CONTEXT])
def test_the_layer_is_flaxs_with_the_same_parameters(context):
    net, theirs = Attention(2, 8), nn.MultiHeadDotProductAttention(2, qkv_features=8, out_features=6)
    others = TOKENS if context is None else context
    variables = init(net, TOKENS, context)
    params = variables["params"]
    names = {"query": "queries", "key": "keys", "value": "values"}
    renamed = {
        theirs: {"kernel": params[ours]["kernel"].reshape(-1, 2, 4), "bias": params[ours]["bias"].reshape(2, 4)}
        for theirs, ours in names.items()
    }
    renamed["out"] = {"kernel": params["outputs"]["kernel"].reshape(2, 4, 6), "bias": params["outputs"]["bias"]}
    wanted = theirs.apply({"params": renamed}, TOKENS, others)
    np.testing.assert_allclose(net.apply(variables, TOKENS, context), wanted, atol=1e-5)


def test_a_map_is_the_sequence_of_its_places():
    net = Attention(3)
    variables = init(net, MAPS)
    wanted = net.apply(variables, MAPS.reshape(2, 12, 6)).reshape(MAPS.shape)
    np.testing.assert_array_equal(net.apply(variables, MAPS), wanted)
    crossed = net.apply(variables, TOKENS, MAPS)
    np.testing.assert_array_equal(crossed, net.apply(variables, TOKENS, MAPS.reshape(2, 12, 6)))


def test_the_order_of_tokens_is_not_felt_but_in_that_of_the_outputs():
    net, order = Attention(2), jnp.array([3, 0, 4, 1, 2])
    variables = init(net, TOKENS)
    wanted = net.apply(variables, TOKENS)[:, order]
    np.testing.assert_allclose(net.apply(variables, TOKENS[:, order]), wanted, atol=1e-6)


def test_masked_tokens_are_not_felt():
    net = Attention(2)
    variables = init(net, TOKENS, CONTEXT, MASK)
    changed = CONTEXT.at[0, 3:].set(1e3)
    np.testing.assert_array_equal(
        net.apply(variables, TOKENS, changed, MASK), net.apply(variables, TOKENS, CONTEXT, MASK)
    )
    unmasked = (net.apply(variables, TOKENS, context) for context in (changed, CONTEXT))
    assert np.abs(np.subtract(*unmasked)[0]).min() > 1e-6


@pytest.mark.parametrize("weights", [1 << 18, 0])
def test_causal_attention_is_that_to_the_tokens_up_to_its_own(weights, monkeypatch):
    """At once and in pieces: token i as if the later ones were masked."""
    monkeypatch.setattr(attention, "_WEIGHTS", weights)
    queries, keys, values = jax.random.normal(jax.random.key(5), (3, 4, 5, 2, 3))
    found = attend(queries, keys, values, causal=True)
    for i in range(5):
        mask = jnp.broadcast_to(jnp.arange(5) <= i, (4, 5))
        np.testing.assert_allclose(found[:, i], attend(queries, keys, values, mask)[:, i], atol=1e-5)


def test_the_softmax_of_bfloat16_is_computed_in_float32():
    """Of 4,096 equal weights: added up in bfloat16, which stops at 256, they would not give 1."""
    ones = jnp.ones((1, 4096, 1, 2), jnp.bfloat16)
    outputs = attend(jnp.zeros((1, 1, 1, 2), jnp.bfloat16), ones, ones)
    assert outputs.dtype == jnp.bfloat16
    np.testing.assert_array_equal(outputs.astype(jnp.float32), 1.0)
    half = Attention(2, dtype="bfloat16")
    variables = init(half, TOKENS)
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
    found = half.apply(variables, TOKENS)
    assert found.dtype == jnp.bfloat16
    np.testing.assert_allclose(found.astype(jnp.float32), Attention(2).apply(variables, TOKENS), atol=0.05)


def test_every_layer_computes_in_the_type_of_the_setting():
    net = Attention(2, dtype="bfloat16")
    _, found = net.apply(init(net, TOKENS), TOKENS, capture_intermediates=True, mutable="intermediates")
    assert len(jax.tree.leaves(found)) == 5  # queries, keys, values, outputs, and all of it
    assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {jnp.dtype("bfloat16")}


def test_a_masked_map_is_the_masked_sequence_of_its_places():
    net, mask = Attention(1), jax.random.bernoulli(jax.random.key(4), 0.5, (2, 3, 4))
    variables = init(net, TOKENS, MAPS)
    flat = MAPS.reshape(2, 12, 6), mask.reshape(2, 12)
    np.testing.assert_array_equal(net.apply(variables, TOKENS, MAPS, mask), net.apply(variables, TOKENS, *flat))


def test_there_are_eight_heads_by_default_of_as_many_features_as_channels():
    assert Attention() == Attention(8, None, True, "float32")


def test_derivatives_of_both_modes_agree():
    """<w, J v> computed forwards is <J^T w, v> computed backwards."""
    net = Attention(2)
    variables = init(net, TOKENS)
    function = jax.jit(lambda tokens: net.apply(variables, tokens))
    direction, weights = (jax.random.normal(jax.random.key(seed), TOKENS.shape) for seed in (4, 5))
    _, forwards = jax.jvp(function, (TOKENS,), (direction,))
    _, backwards = jax.vjp(function, TOKENS)
    np.testing.assert_allclose(jnp.vdot(weights, forwards), jnp.vdot(backwards(weights)[0], direction), rtol=1e-4)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("net", "inputs", "message"),
    [
        (Attention(4), (TOKENS,), "heads is 4, but must be a divisor of 6 features"),
        (Attention(0), (TOKENS,), "heads is 0, but must be a divisor"),
        (Attention(2), (TOKENS[0],), r"shape of inputs is \(5, 6\), but must be \(batch, tokens, channels\)"),
        (Attention(2), (TOKENS, CONTEXT[0]), r"shape of context is \(7, 4\), but must be \(batch, tokens"),
        (Attention(2), (TOKENS, CONTEXT, MASK[:, :5]), r"shape of mask is \(2, 5\), but must be \(2, 7\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(net, inputs, message):
    with pytest.raises(ValueError, match=message):
        net.init(jax.random.key(0), *inputs)
