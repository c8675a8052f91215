import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.text.char_cnn_rnn import CharCNNRNN
from jaxgen.nets.text.given import Given, GivenContext, no_captions
from jaxgen.nets.text.transformer import TextTransformer

VECTORS = jax.random.normal(jax.random.key(0), (2, 3))
TOKENS = jnp.array([[[1.0, 2.0], [0.0, 3.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]])


def test_embeddings_pass_as_they_are_and_there_is_nothing_to_learn():
    outputs, variables = Given().init_with_output(jax.random.key(0), VECTORS, (3,))
    np.testing.assert_array_equal(outputs, VECTORS)
    assert not variables
    half = Given().apply({}, VECTORS.astype(jnp.float16), (3,))
    assert isinstance(half, jax.Array) and half.dtype == jnp.float32


def test_tokens_of_zeros_are_padding_but_for_the_first():
    (values, mask), variables = GivenContext(2).init_with_output(jax.random.key(0), TOKENS, ())
    np.testing.assert_array_equal(values, TOKENS)
    assert mask.tolist() == [[True, True, False], [True, False, False]] and not variables


@pytest.mark.parametrize(
    ("net", "captions", "shape", "message"),
    [
        (Given(), VECTORS, (4,), r"shape of an embedding is \(3,\), but must be \(4,\)"),
        (Given(), jnp.zeros((2, 3), jnp.uint8), (3,), "type of captions is uint8, but must be floats"),
        (GivenContext(3), TOKENS, (), r"shape of embeddings is \(3, 2\), but must be \(tokens, 3\)"),
        (GivenContext(3), VECTORS, (), r"shape of embeddings is \(3,\), but must be \(tokens, 3\)"),
        (GivenContext(2), TOKENS, (2,), "output_shape is"),
        (GivenContext(2), jnp.zeros((2, 3), jnp.uint8), (), "type of captions is uint8"),
        (TextTransformer(4, 1, 1), VECTORS, (), "type of captions is float32, but must be integers: tokens"),
    ],
)
def test_what_is_no_such_embedding_is_refused(net, captions, shape, message):
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: net.init(jax.random.key(0), captions, shape))


def test_empty_captions_are_of_the_kind_that_a_network_reads():
    found = [no_captions(net, 2, 5, 3) for net in (Given(), GivenContext(4), CharCNNRNN(), TextTransformer())]
    assert [one.shape for one in found] == [(2, 3), (2, 5, 4), (2, 5), (2, 5)]
    assert [str(one.dtype) for one in found] == ["float32", "float32", "uint8", "uint8"]
    assert not any(one.any() for one in found)
