import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans.discrimination import look
from jaxgen.nets.courses import FidleDiscriminator, FidleGenerator, LanhamCritic, LanhamGenerator
from tests.nets.counts import counts


def test_parameter_counts_are_those_that_are_taught():
    assert counts(LanhamGenerator(), 100, LanhamCritic(), (32, 32, 3)) == (1_224_259, 101_089)
    assert counts(FidleGenerator(), 128, FidleDiscriminator(), (28, 28, 1)) == (779_969, 396_609)


@pytest.mark.parametrize("net", [LanhamCritic(2, norm="none"), FidleDiscriminator(2)])
def test_dropout_is_on_where_there_are_keys(net):
    images = jax.random.normal(jax.random.key(0), (4, 8, 8, 1))
    params = net.init(jax.random.key(1), images, ())["params"]
    keys = jax.random.split(jax.random.key(2), 4)
    plain, dropped = (look(net, params, {}, images, (), keys=given)[0] for given in (None, keys))
    assert np.abs(plain - dropped).min() > 0
    assert net.drops and not type(net)(2, dropout=0.0).drops


def test_fidle_drops_what_the_dense_layer_sees():
    """With a rate so high that almost nothing is left, scores are almost all the bias, 0."""
    net, images = FidleDiscriminator(2, dropout=0.999), jnp.ones((4, 8, 8, 1))
    params = net.init(jax.random.key(1), images, ())["params"]
    scores, _ = look(net, params, {}, images, (), keys=jax.random.split(jax.random.key(2), 4))
    np.testing.assert_array_equal(scores, 0.0)
