import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.courses.lanham import LanhamCritic, LanhamGenerator
from tests.nets.counts import counts


def test_parameter_counts_are_those_of_the_book():
    assert counts(LanhamGenerator(), 100, LanhamCritic(), (32, 32, 3)) == (1_224_259, 101_089)


def test_dropout_is_on_in_training():
    net, images = LanhamCritic(2, norm="none"), jax.random.normal(jax.random.key(0), (4, 8, 8, 1))
    variables = jax.jit(lambda: net.init(jax.random.key(1), images, ()))()
    modes = EVALUATION, Mode(jax.random.split(jax.random.key(2), 4), train=True)
    plain, dropped = (jax.jit(net.apply, static_argnums=2)(variables, images, (), mode=mode) for mode in modes)
    assert np.abs(plain - dropped).min() > 0


def test_sides_that_have_no_quarter_are_refused():
    with pytest.raises(ValueError, match="10x12, but must be a multiple of 4x4"):
        LanhamGenerator(2).init(jax.random.key(0), jnp.ones((2, 3)), (10, 12, 1))
