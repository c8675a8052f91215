import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode, fold
from jaxgen.nets.dropout import dropout
from jaxgen.nets.forward_mode import PlainConvolutions
from jaxgen.nets.instance_noise import STREAM, InstanceNoise
from jaxgen.nets.maxout import Maxout
from jaxgen.nets.mlp import MLP
from jaxgen.nets.plain import Plain
from jaxgen.nets.spectral import Spectral
from tests.exhaustive import first

ZEROS = jnp.zeros((4, 500))
KEYS = jax.random.split(jax.random.key(0), 4)


class Identity(nn.Module):
    """What it is given, and whether in training."""

    @nn.compact
    def __call__(self, inputs, condition=0, output_shape=(), *, mode=EVALUATION):
        return inputs + condition


def noise(net, **mode):
    return np.asarray(net.apply({}, ZEROS, mode=Mode(**mode)))


def test_noise_in_training_is_normal_of_the_given_deviation():
    found = noise(InstanceNoise(Identity(), 0.3), keys=KEYS, train=True)
    assert found.std() == pytest.approx(0.3, rel=4 / np.sqrt(2 * found.size))
    assert abs(found.mean()) < 4 * 0.3 / np.sqrt(found.size)
    assert (np.abs(np.corrcoef(found) - np.eye(4)) < 0.2).all()  # each example has its own


def test_noise_is_drawn_from_each_examples_key_folded_with_a_number_of_its_own():
    drawn = jax.vmap(lambda key: jax.random.normal(key, (500,)))(fold(KEYS, STREAM))
    found = noise(InstanceNoise(Identity(), 0.3), keys=KEYS, train=True)
    np.testing.assert_allclose(found, 0.3 * drawn, rtol=1e-6)


def test_noise_belongs_to_the_examples_key():
    net = InstanceNoise(Identity(), 0.3)
    found = noise(net, keys=KEYS, train=True)
    again = net.apply({}, ZEROS[1:2], mode=Mode(KEYS[1:2], train=True))
    np.testing.assert_array_equal(again, found[1:2])


@pytest.mark.parametrize(("step", "share"), [(0, 1.0), (5, 0.5), (10, 0.0), (12, 0.0)])
def test_noise_falls_on_a_line_to_nothing(step, share):
    constant = noise(InstanceNoise(Identity(), 0.3), keys=KEYS, train=True)
    found = noise(InstanceNoise(Identity(), 0.3, end=10), keys=KEYS, step=jnp.int32(step), train=True)
    np.testing.assert_allclose(found, share * constant, rtol=1e-6)


def test_there_is_no_noise_out_of_training_or_of_deviation_0():
    np.testing.assert_array_equal(noise(InstanceNoise(Identity(), 0.3), keys=KEYS), 0.0)
    np.testing.assert_array_equal(noise(InstanceNoise(Identity(), 0.0), train=True), 0.0)


def test_the_network_inside_gets_the_mode_and_its_further_inputs():
    net = InstanceNoise(Identity(), 0.3)
    moved = net.apply({}, ZEROS, 7.0, (500,), mode=Mode(KEYS, train=True))
    np.testing.assert_allclose(moved, noise(net, keys=KEYS, train=True) + 7.0, atol=1e-5)
    inner = Maxout((8,))
    variables = jax.jit(lambda: inner.init(jax.random.key(1), ZEROS, ()))()
    mode = Mode(KEYS, train=True)
    found = InstanceNoise(inner, 0.3).apply(variables, ZEROS, (), mode=mode)
    wanted = inner.apply(variables, jnp.asarray(noise(net, keys=KEYS, train=True)), (), mode=mode)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    "inner", first(2, [MLP((3,)), Spectral(MLP((3,))), Plain(nn.Dense(1)), PlainConvolutions(MLP((3,)))])
)
def test_variables_are_those_of_the_network_inside(inner):
    outer = InstanceNoise(inner, 0.3)
    wanted, variables = jax.jit(lambda: inner.init_with_output(jax.random.key(0), ZEROS + 1, ()))()
    shapes = jax.eval_shape(lambda: outer.init(jax.random.key(0), ZEROS, ()))
    assert jax.tree.map(jnp.shape, shapes) == jax.tree.map(jnp.shape, variables)
    np.testing.assert_allclose(outer.apply(variables, ZEROS + 1, ()), wanted, rtol=1e-5)


def test_noise_and_dropout_of_one_set_of_keys_are_independent():
    found = noise(InstanceNoise(Identity(), 1.0), keys=KEYS, train=True)
    for layer in range(3):
        kept = np.asarray(dropout(ZEROS + 1, 0.5, Mode(KEYS, train=True), layer)) > 0
        assert abs(np.corrcoef(found.ravel(), kept.ravel())[0, 1]) < 4 / np.sqrt(found.size)


def test_noise_keeps_the_type_of_the_inputs():
    halves = ZEROS.astype(jnp.bfloat16)
    outputs = InstanceNoise(Identity(), 0.3).apply({}, halves, jnp.zeros((), halves.dtype), mode=Mode(KEYS, train=True))
    assert outputs.dtype == jnp.bfloat16


@pytest.mark.parametrize(
    ("net", "mode", "message"),
    [
        (InstanceNoise(Identity(), 0.3), Mode(train=True), "instance noise draws random numbers in training"),
        (InstanceNoise(Identity(), 0.3, 10), Mode(KEYS, train=True), "noise falls to 0 at update 10, but .* no step"),
        (InstanceNoise(Identity(), -1.0), EVALUATION, "std is -1.0, but must be at least 0"),
        (InstanceNoise(Identity(), 1.0, -1), EVALUATION, "end is -1, but must be at least 0"),
    ],
)
def test_what_cannot_be_is_refused(net, mode, message):
    with pytest.raises(ValueError, match=message):
        net.apply({}, ZEROS, mode=mode)
