import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.dropout import dropout
from jaxgen.nets.initializers import Uniform
from jaxgen.nets.maxout import Maxout, largest_piece
from jaxgen.nets.mlp import MLP
from tests.nets.counts import counts

INPUTS = jax.random.normal(jax.random.key(0), (3, 2, 2))


def test_parameter_counts_are_those_of_goodfellows_networks_for_mnist():
    generator = MLP((1200, 1200), initializer=Uniform(0.05))
    assert counts(generator, 100, Maxout(), (28, 28, 1)) == (2_503_984, 1_231_441)


def test_a_unit_is_the_largest_of_its_pieces():
    net = Maxout((2,), pieces=3, initializer=Uniform(0.5))
    scores, variables = jax.jit(lambda: net.init_with_output(jax.random.key(1), INPUTS, ()))()
    first, last = (variables["params"][f"Dense_{i}"]["kernel"] for i in range(2))
    pieces = np.asarray(INPUTS).reshape(3, 4) @ first
    units = np.stack([pieces[:, :3].max(1), pieces[:, 3:].max(1)], axis=1)
    np.testing.assert_allclose(scores, (units @ last)[:, 0], atol=1e-6)


@pytest.mark.parametrize("rates", [(0.999, 0.0), (0.0, 0.999)])
def test_inputs_and_hidden_layers_have_rates_of_their_own(rates):
    net = Maxout((4, 4), 2, *rates, initializer=Uniform(0.5))
    variables = jax.jit(lambda: net.init(jax.random.key(1), INPUTS, ()))()
    keys = jax.random.split(jax.random.key(2), 3)
    np.testing.assert_array_equal(net.apply(variables, INPUTS, (), mode=Mode(keys, train=True)), 0.0)
    assert np.abs(net.apply(variables, INPUTS, ())).min() > 0
    keyless = Maxout((4, 4), 2, 0.0, 0.0, Uniform(0.5))
    np.testing.assert_array_equal(
        keyless.apply(variables, INPUTS, (), mode=Mode(train=True)), net.apply(variables, INPUTS, ())
    )


def test_dropout_of_the_inputs_is_number_0_and_that_of_each_hidden_layer_has_the_next():
    """Of one piece a unit is linear, and the network a product of matrices between its masks."""
    net, mode = Maxout((4, 4), 1, 0.5, 0.25, Uniform(0.5)), Mode(jax.random.split(jax.random.key(2), 3), train=True)
    variables = net.init(jax.random.key(1), INPUTS, ())
    first, second, last = (variables["params"][f"Dense_{i}"]["kernel"] for i in range(3))
    hidden = dropout(INPUTS.reshape(3, 4), 0.5, mode, 0) @ first
    hidden = dropout(hidden, 0.25, mode, 1) @ second
    wanted = (dropout(hidden, 0.25, mode, 2) @ last)[:, 0]
    np.testing.assert_allclose(net.apply(variables, INPUTS, (), mode=mode), wanted, rtol=1e-5, atol=1e-6)


def test_the_defaults_are_goodfellows():
    assert Maxout() == Maxout((240, 240), 5, 0.2, 0.5, Uniform(0.005))


def test_no_pieces_are_refused():
    with pytest.raises(ValueError, match="pieces is 0"):
        Maxout((4,), pieces=0).init(jax.random.key(0), jnp.ones((1, 2)), ())


def test_of_equal_pieces_the_first_has_the_gradient_and_nan_stays():
    hidden = jnp.array([[1.0, 1.0, 0.0, -2.0, -3.0, -2.0]])
    gradient = jax.grad(lambda hidden: largest_piece(hidden, 3).sum())(hidden)
    np.testing.assert_array_equal(largest_piece(hidden, 3), [[1.0, -2.0]])
    np.testing.assert_array_equal(gradient, [[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]])
    np.testing.assert_array_equal(largest_piece(hidden.at[0, 1].set(jnp.nan), 3), [[jnp.nan, -2.0]])
