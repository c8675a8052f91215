import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.spatial_transformer import CrossAttentionBlock, SpatialTransformer
from jaxgen.nets.text.context import Context
from tests.nets.parameters import moved
from tests.programs import operations

NET = SpatialTransformer(2)
MAPS = jax.random.normal(jax.random.key(0), (2, 2, 3, 8))
CONTEXT = Context(jax.random.normal(jax.random.key(1), (2, 4, 3)), jnp.arange(4)[None] < jnp.array([[2], [4]]))
FRESH = jax.jit(lambda: NET.init(jax.random.key(2), MAPS, CONTEXT))()
VARIABLES = moved(FRESH)


@jax.jit
def attend(maps, context, variables=VARIABLES) -> jax.Array:
    return NET.apply(variables, maps, context)  # pyright: ignore[reportReturnType]


def test_a_fresh_one_changes_nothing():
    np.testing.assert_array_equal(attend(MAPS, CONTEXT, FRESH), MAPS)


def test_the_order_of_the_tokens_does_not_matter_with_their_mask():
    order = jnp.array([3, 1, 0, 2])
    permuted = Context(CONTEXT.values[:, order], CONTEXT.mask[:, order])
    np.testing.assert_allclose(attend(MAPS, permuted), attend(MAPS, CONTEXT), atol=1e-5)


def test_every_token_has_influence_but_those_that_are_masked():
    slopes = jax.jit(jax.grad(lambda values: (attend(MAPS, CONTEXT._replace(values=values)) ** 2).sum()))(
        CONTEXT.values
    )
    np.testing.assert_array_equal(jnp.abs(slopes).max(2) > 0, CONTEXT.mask)


def test_places_of_a_map_are_tokens_without_positions():
    """A map whose places are exchanged gives the exchanged result: attention knows no places."""
    np.testing.assert_allclose(attend(MAPS[:, ::-1], CONTEXT), attend(MAPS, CONTEXT)[:, ::-1], atol=1e-5)


def test_a_block_is_the_published_formula():
    """Three pre-norm sums, in NumPy, for one head."""
    tokens, block = jax.random.normal(jax.random.key(3), (1, 3, 4)), CrossAttentionBlock(1)
    inputs = CONTEXT.values[:1], CONTEXT.mask[:1]
    variables = block.init(jax.random.key(4), tokens, *inputs)
    found = block.apply(variables, tokens, *inputs)
    params = jax.tree.map(np.asarray, variables["params"])
    assert "bias" not in params["own_attention"]["queries"] and "bias" not in params["cross_attention"]["values"]

    def norm(layer, x):
        centred = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
        return centred * layer["norm"]["scale"] + layer["norm"]["bias"]

    def attention(layer, x, context):
        logits = x @ layer["queries"]["kernel"] @ (context @ layer["keys"]["kernel"]).T / 2
        weights = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        return weights @ context @ layer["values"]["kernel"] @ layer["outputs"]["kernel"] + layer["outputs"]["bias"]

    x, text = np.asarray(tokens[0]), np.asarray(CONTEXT.values[0, :2])
    own = norm(params["norm_0"], x)
    x = x + attention(params["own_attention"], own, own)
    x = x + attention(params["cross_attention"], norm(params["norm_1"], x), text)
    hidden = norm(params["norm_2"], x) @ params["dense_0"]["kernel"] + params["dense_0"]["bias"]
    values, gates = np.split(hidden, 2, axis=1)
    hidden = values * gates * np.asarray(jax.scipy.stats.norm.cdf(gates))
    x = x + hidden @ params["dense_1"]["kernel"] + params["dense_1"]["bias"]
    np.testing.assert_allclose(found[0], x, atol=1e-5)  # pyright: ignore


def test_halves_are_multiplied_and_float32_is_normalised():
    net = NET.clone(dtype="bfloat16")
    program = jax.make_jaxpr(lambda maps: net.apply(VARIABLES, maps, CONTEXT))(MAPS.astype(jnp.bfloat16))
    found = list(operations(program.jaxpr))
    products = {value.aval.dtype.name for op in found if op.primitive.name == "dot_general" for value in op.invars}
    roots = {value.aval.dtype.name for op in found if op.primitive.name in ("rsqrt", "exp") for value in op.invars}
    assert (products, roots) == ({"bfloat16"}, {"float32"})
    assert [value.aval.dtype.name for value in program.jaxpr.outvars] == ["bfloat16"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"heads": 3}, "heads is 3, but must be a divisor of 8 channels"), ({"depth": 0}, "depth is 0, but must be at")],
)
def test_settings_without_meaning_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: NET.clone(**changes).init(jax.random.key(0), MAPS, CONTEXT))
