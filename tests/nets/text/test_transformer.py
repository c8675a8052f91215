from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.text.transformer import TextTransformer, TransformerBlock
from tests.nets.parameters import moved
from tests.programs import operations

NET = TextTransformer(8, 2, 2, dropout=0.5)
CAPTIONS = jnp.array([[97, 98, 99, 0, 0], [0, 0, 0, 0, 0]], jnp.uint8)
VARIABLES = moved(jax.jit(lambda: NET.init(jax.random.key(0), CAPTIONS))())


@jax.jit
def read(captions, mode=EVALUATION) -> Any:
    return NET.apply(VARIABLES, captions, mode=mode)


def test_each_token_depends_on_all_tokens_but_padding_on_none():
    """The gradient of each value with respect to the embeddings, whose rows are the tokens."""

    def values(embeddings):
        context: Any = NET.apply({"params": VARIABLES["params"] | {"tokens": {"embedding": embeddings}}}, CAPTIONS[:1])
        return context.values[0].sum(1)

    slopes = jax.jit(jax.jacobian(values))(VARIABLES["params"]["tokens"]["embedding"])[:3]
    moved = jnp.abs(slopes).max(axis=2) > 1e-6
    assert moved[:, jnp.array([97, 98, 99])].all() and not moved[:, 0].any()


def test_padding_at_the_end_has_no_influence():
    values, mask = read(CAPTIONS)
    short = TextTransformer(8, 2, 2)
    params = VARIABLES["params"] | {"positions": VARIABLES["params"]["positions"][:3]}
    alone, _ = short.apply({"params": params}, CAPTIONS[:1, :3])
    np.testing.assert_allclose(values[0, :3], alone[0], atol=1e-5)
    np.testing.assert_array_equal(mask, [[True] * 3 + [False] * 2, [True] + [False] * 4])
    assert jnp.isfinite(values).all()


def test_permuted_examples_are_permuted_contexts():
    values, mask = read(CAPTIONS[::-1])
    np.testing.assert_allclose(values, read(CAPTIONS).values[::-1], atol=1e-5)
    np.testing.assert_array_equal(mask, read(CAPTIONS).mask[::-1])


def test_dropout_draws_in_training_alone_by_the_keys_of_the_examples():
    keys = jax.random.split(jax.random.key(1), 2)
    values = read(CAPTIONS, Mode(keys, train=True)).values
    assert jnp.abs(values - read(CAPTIONS).values).max() > 0.1
    one = read(CAPTIONS[:1], Mode(keys[:1], train=True)).values
    np.testing.assert_allclose(one, values[:1], atol=1e-5)


def test_a_block_is_the_published_formula():
    """Two pre-norm sums, in NumPy, for one head."""
    block, tokens = TransformerBlock(1), jax.random.normal(jax.random.key(2), (1, 3, 4))
    mask = jnp.array([[True, True, False]])
    variables = block.init(jax.random.key(3), tokens, mask)
    found = block.apply(variables, tokens, mask)[0]
    params = jax.tree.map(np.asarray, variables["params"])

    def dense(layer, x):
        return x @ layer["kernel"] + layer["bias"]

    def norm(layer, x):
        centred = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
        return centred * layer["norm"]["scale"] + layer["norm"]["bias"]

    x, own = np.asarray(tokens[0]), params["attention"]
    y = norm(params["norm_0"], x)
    logits = dense(own["queries"], y) @ dense(own["keys"], y).T / 2
    weights = np.exp(logits) * np.asarray(mask)
    x = x + dense(own["outputs"], weights / weights.sum(1, keepdims=True) @ dense(own["values"], y))
    hidden = dense(params["dense_0"], norm(params["norm_1"], x))
    gelu = hidden * np.asarray(jax.scipy.stats.norm.cdf(hidden))
    np.testing.assert_allclose(found, x + dense(params["dense_1"], gelu), atol=1e-5)


def test_halves_are_multiplied_and_float32_is_normalised_and_given():
    net = NET.clone(dtype="bfloat16")
    program = jax.make_jaxpr(lambda captions: net.apply(VARIABLES, captions))(CAPTIONS)
    found = list(operations(program.jaxpr))
    products = {value.aval.dtype.name for op in found if op.primitive.name == "dot_general" for value in op.invars}
    roots = {value.aval.dtype.name for op in found if op.primitive.name in ("rsqrt", "exp") for value in op.invars}
    assert (products, roots) == ({"bfloat16"}, {"float32"})
    assert [value.aval.dtype.name for value in program.jaxpr.outvars] == ["float32", "bool"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blocks": 0}, "blocks is 0, but must be at least 1"),
        ({"heads": 3}, "heads is 3, but must be a divisor of the width 8"),
        ({"vocabulary": 1}, "vocabulary is 1, but must be at least 2"),
    ],
)
def test_settings_without_meaning_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: NET.clone(**changes).init(jax.random.key(0), CAPTIONS))


def test_an_output_shape_is_refused():
    with pytest.raises(ValueError, match=r"output_shape is \(3,\), but must be \(\)"):
        jax.eval_shape(lambda: NET.init(jax.random.key(0), CAPTIONS, (3,)))
