"""A codebook as a part of a state, and drawing of codes: what models with codebooks share."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import codebook, quantization
from jaxgen.autoencoders.codebook import ByGradient, ByMovingAverage
from jaxgen.optimizers import SGD, Optimizer

WAYS = [ByMovingAverage(decay=0.5), ByGradient()]
ENCODINGS = jax.random.normal(jax.random.key(1), (3, 2, 2))


def fresh(learning):
    return quantization.fresh(learning, Optimizer(0.5, SGD()), (4, 2), jax.random.key(0))


@pytest.mark.parametrize("learning", WAYS, ids=str)
def test_both_ways_begin_with_the_same_vectors_and_move_to_the_encodings(learning):
    learner = fresh(learning)
    before = quantization.vectors_of(learning, learner)
    np.testing.assert_allclose(before, quantization.vectors_of(WAYS[0], fresh(WAYS[0])), rtol=1e-4)
    after, _ = quantization.learn(learning, learner, ENCODINGS, jax.random.key(2))
    errors = [quantization.quantize(ENCODINGS, each)[1] for each in (before, quantization.vectors_of(learning, after))]
    assert errors[1] < errors[0]


def test_quantising_gives_the_nearest_vector_and_the_mean_square_of_what_is_missing():
    vectors = jnp.array([[0.0, 0.0], [1.0, 1.0]])
    found, commitment = quantization.quantize(jnp.array([[0.2, 0.0], [0.9, 1.2]]), vectors)
    np.testing.assert_allclose(found, vectors, atol=1e-6)
    assert commitment == pytest.approx((0.04 + 0.01 + 0.04) / 4, rel=1e-5)


def test_code_nll_is_that_of_a_table():
    probabilities = jnp.array([0.5, 0.25, 0.25])
    logits = jnp.broadcast_to(jnp.log(probabilities), (1, 1, 2, 3))
    nll, bits = quantization.code_nll(logits, jnp.array([[[0, 1]]], jnp.int32))
    assert nll == pytest.approx(np.log(8), rel=1e-5) and bits == pytest.approx(1.5, rel=1e-5)


def test_codes_are_drawn_one_after_the_other_each_given_those_before_it():
    """Each code is the one before it plus one, the first is 2: what the logits say with certainty."""

    def logits_of(codes):
        flat = codes.reshape(len(codes), -1)
        before = jnp.concatenate([jnp.ones((len(flat), 1), jnp.int32), flat[:, :-1]], axis=1)
        return 1e4 * jax.nn.one_hot((before + 1) % 3, 3).reshape(*codes.shape, 3)

    found = quantization.draw_codes(logits_of, jax.random.key(0), 2, (2, 3))
    np.testing.assert_array_equal(found, np.broadcast_to([[2, 0, 1], [2, 0, 1]], (2, 2, 3)))


def test_a_learner_of_the_other_way_is_refused():
    with pytest.raises(ValueError, match="the state's codebook is Averages"):
        quantization.learn(ByGradient(), fresh(WAYS[0]), ENCODINGS, jax.random.key(0))
    assert isinstance(fresh(WAYS[0]), codebook.Averages)
