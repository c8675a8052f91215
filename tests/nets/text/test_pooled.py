import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.text.pooled import PooledText
from jaxgen.nets.text.transformer import TextTransformer

CAPTIONS = jnp.array([[104, 105, 33, 0, 0], [0, 0, 0, 0, 0], [97, 98, 99, 100, 101]], jnp.uint8)
TRANSFORMER = TextTransformer(8, 1, 2)


@pytest.mark.parametrize("pooling", ["mean", "first"])
def test_tokens_that_are_no_padding_are_pooled_and_mapped(pooling):
    """The empty caption has one token."""
    net = PooledText(TRANSFORMER, pooling)
    outputs, variables = jax.jit(lambda key: net.init_with_output(key, CAPTIONS, (3,)))(jax.random.key(0))
    params = variables["params"]
    values, _ = TRANSFORMER.apply({"params": params["net"]}, CAPTIONS)
    counts = (3, 1, 5)
    pooled = [np.asarray(row[:num]).mean(axis=0) for row, num in zip(values, counts, strict=True)]
    pooled = np.stack(pooled) if pooling == "mean" else np.asarray(values[:, 0])
    wanted = pooled @ np.asarray(params["Dense_0"]["kernel"]) + np.asarray(params["Dense_0"]["bias"])
    np.testing.assert_allclose(outputs, wanted, rtol=1e-4, atol=1e-6)
    assert outputs.shape == (3, 3) and outputs.dtype == jnp.float32
