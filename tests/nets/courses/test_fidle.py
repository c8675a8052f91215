import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.courses.fidle import FidleDiscriminator, FidleGenerator
from tests.nets.counts import counts

TRAINING = Mode(jax.random.split(jax.random.key(2), 4), train=True)


def test_parameter_counts_are_those_that_are_taught():
    assert counts(FidleGenerator(), 128, FidleDiscriminator(), (28, 28, 1)) == (779_969, 396_609)


def test_dropout_is_on_in_training():
    net, images = FidleDiscriminator(2), jax.random.normal(jax.random.key(0), (4, 8, 8, 1))
    variables = jax.jit(lambda: net.init(jax.random.key(1), images, ()))()
    plain, dropped = (net.apply(variables, images, (), mode=mode) for mode in (EVALUATION, TRAINING))
    assert np.abs(plain - dropped).min() > 0


def test_what_the_dense_layer_sees_is_dropped():
    """With a rate so high that almost nothing is left, scores are almost all the bias, 0."""
    net, images = FidleDiscriminator(2, dropout=0.999), jnp.ones((4, 8, 8, 1))
    variables = jax.jit(lambda: net.init(jax.random.key(1), images, ()))()
    np.testing.assert_array_equal(net.apply(variables, images, (), mode=TRAINING), 0.0)


def test_sides_that_have_no_quarter_are_refused():
    with pytest.raises(ValueError, match="10x12, but must be a multiple of 4x4"):
        FidleGenerator(2).init(jax.random.key(0), jnp.ones((2, 3)), (10, 12, 1))
