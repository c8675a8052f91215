import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.diff_augment import DiffAugment
from jaxgen.nets.dropout import dropout
from jaxgen.nets.forward_mode import PlainConvolutions
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.mlp import MLP
from jaxgen.nets.plain import Plain
from jaxgen.nets.spectral import Spectral
from tests.exhaustive import first

KEYS = jax.random.split(jax.random.key(0), 400)
NONE = {"color": False, "translation": 0.0, "cutout": 0.0}


class Identity(nn.Module):
    """What it is given."""

    @nn.compact
    def __call__(self, inputs, condition=0, output_shape=(), *, mode=EVALUATION):
        return inputs + condition


def images(shape, num=400):
    return jnp.broadcast_to(jax.random.uniform(jax.random.key(1), shape, minval=-1.0), (num, *shape))


def seen(net, inputs, keys=KEYS):
    return np.asarray(net.apply({}, inputs, mode=Mode(keys[: len(inputs)], train=True)))


def test_out_of_training_and_without_transformations_images_are_as_they_are():
    x = images((8, 8, 3), 4)
    np.testing.assert_array_equal(DiffAugment(Identity()).apply({}, x), x)
    np.testing.assert_array_equal(seen(DiffAugment(Identity(), **NONE), x), x)


def test_the_square_covers_186_in_1000_of_an_image_of_32_on_average():
    """Sides of 8 to 16, 13.818 on average: the middle is uniform on 33 places, the side clipped at the border."""
    covered = seen(DiffAugment(Identity(), **NONE | {"cutout": 0.5}), jnp.ones((400, 32, 32, 1)))[..., 0] == 0
    sides = np.stack([covered.any(axis).sum(1) for axis in (1, 2)])
    assert (sides.min(), sides.max()) == (8, 16)
    areas = covered.mean((1, 2))
    exact = np.mean([min(middle + 8, 32) - max(middle - 8, 0) for middle in range(33)]) / 32
    assert exact == pytest.approx(13.818 / 32, abs=1e-4) and exact**2 == pytest.approx(0.186, abs=5e-4)
    assert areas.mean() == pytest.approx(exact**2, abs=4 * areas.std() / 20)


@pytest.mark.parametrize(("size", "last"), [(32, 24), (9, 6)])
def test_the_square_stands_anywhere_from_the_first_middle_to_the_last(size, last):
    """Of 32 places and a side of 16 the middles are 0 to 32, of 9 places and a side of 5 they are 0 to 8."""
    covered = seen(DiffAugment(Identity(), **NONE | {"cutout": 0.5}), jnp.ones((400, size, size, 1)))[..., 0] == 0
    for axis in (1, 2):
        assert set(np.unique(covered.any(axis).argmax(1))) == set(range(last + 1))


@pytest.mark.parametrize(
    ("shape", "farthest"), [((28, 28, 1), (4, 4)), ((32, 32, 1), (4, 4)), ((64, 11, 1), (8, 1))], ids=str
)
def test_translations_reach_an_eighth_of_the_side_either_way_and_all_are_taken(shape, farthest):
    marked = jnp.zeros((400, *shape)).at[:, shape[0] // 2, shape[1] // 2].set(1.0)
    found = seen(DiffAugment(Identity(), **NONE | {"translation": 0.125}), marked)
    _, rows, columns, _ = np.nonzero(found)
    for places, middle, reach in ((rows, shape[0] // 2, farthest[0]), (columns, shape[1] // 2, farthest[1])):
        np.testing.assert_array_equal(np.unique(places - middle), np.arange(-reach, reach + 1))


def test_colours_are_drawn_from_the_papers_ranges():
    """Of two pixels of two channels: contrast and saturation scale distances, brightness moves the mean."""
    x = jnp.broadcast_to(jnp.array([[[0.5, 0.1], [-0.3, -0.7]]]), (400, 1, 2, 2))
    found = seen(DiffAugment(Identity(), **NONE | {"color": True}), x)
    brightness = found.mean((1, 2, 3)) - (-0.1)
    contrasts = (found[:, 0, 0].mean(1) - found[:, 0, 1].mean(1)) / 0.8
    saturation = (found[:, 0, 0, 0] - found[:, 0, 0, 1]) / 0.4 / contrasts
    for values, low, high in ((brightness, -0.5, 0.5), (contrasts, 0.5, 1.5), (saturation, 0.0, 2.0)):
        width = high - low
        assert low - 1e-4 <= values.min() < low + width / 20 and high - width / 20 < values.max() <= high + 1e-4
        assert values.mean() == pytest.approx((low + high) / 2, abs=4 * width / np.sqrt(12 * 400))
    assert (np.abs(np.corrcoef([brightness, contrasts, saturation]) - np.eye(3)) < 0.2).all()


@pytest.mark.exhaustive
@pytest.mark.parametrize("shape", [(28, 28, 1), (9, 7, 3), (1, 1, 1)], ids=str)
def test_images_of_any_sides_keep_their_shape_and_have_a_gradient(shape):
    net, x, mode = DiffAugment(Identity()), images(shape, 4), Mode(KEYS[:4], train=True)
    value, slope = jax.value_and_grad(lambda each: (net.apply({}, each, mode=mode) ** 2).sum())(x)
    assert slope.shape == x.shape and np.isfinite(slope).all() and np.isfinite(value)


def test_transformations_belong_to_the_examples_key():
    """So they are the same on any number of devices."""
    net, x = DiffAugment(Identity()), images((8, 8, 3), 4)
    found = seen(net, x)
    np.testing.assert_allclose(seen(net, x[2:3], KEYS[2:3]), found[2:3], atol=1e-6)
    assert len(np.unique(found.reshape(4, -1), axis=0)) == 4


def test_the_network_inside_gets_the_mode_and_its_further_inputs():
    x, mode = images((8, 8, 3), 4), Mode(KEYS[:4], train=True)
    moved = DiffAugment(Identity()).apply({}, x, 7.0, (500,), mode=mode)
    np.testing.assert_allclose(moved, seen(DiffAugment(Identity()), x) + 7.0, atol=1e-5)


@pytest.mark.parametrize(
    "inner",
    first(
        2,
        [
            MLP((3,)),
            Spectral(MLP((3,))),
            Plain(nn.Dense(1)),
            PlainConvolutions(MLP((3,))),
            InstanceNoise(MLP((3,)), 0.1),
        ],
    ),
    ids=lambda net: type(net).__name__,
)
def test_variables_are_those_of_the_network_inside(inner):
    outer, x = DiffAugment(inner), images((1, 1, 3), 2)
    wanted, variables = jax.jit(lambda: inner.init_with_output(jax.random.key(0), x, ()))()
    shapes = jax.eval_shape(lambda: outer.init(jax.random.key(0), x, ()))
    assert jax.tree.map(jnp.shape, shapes) == jax.tree.map(jnp.shape, variables)
    np.testing.assert_allclose(outer.apply(variables, x, ()), wanted, rtol=1e-5)


def test_its_numbers_are_independent_of_dropout_and_instance_noise():
    """One set of keys: what is drawn first from each stream."""
    moves = seen(DiffAugment(Identity(), **NONE | {"color": True}), jnp.zeros((400, 1, 1, 1)))[:, 0, 0, 0]
    zeros, mode = jnp.zeros((400, 1)), Mode(KEYS, train=True)
    noise = np.asarray(InstanceNoise(Identity(), 1.0).apply({}, zeros, mode=mode))[:, 0]
    kept = np.asarray(dropout(zeros + 1, 0.5, mode, 0))[:, 0] > 0
    assert abs(np.corrcoef(moves, noise)[0, 1]) < 4 / 20 and abs(np.corrcoef(moves, kept)[0, 1]) < 4 / 20


@pytest.mark.parametrize(
    ("net", "inputs", "mode", "message"),
    [
        (DiffAugment(Identity()), (2, 4, 4, 1), Mode(train=True), "differentiable augmentation draws random numbers"),
        (DiffAugment(Identity()), (2, 4), Mode(KEYS[:2], train=True), "inputs of DiffAugment is .* height, width"),
        (DiffAugment(Identity(), cutout=1.1), (2, 4, 4, 1), EVALUATION, "cutout is 1.1, but must be in"),
        (DiffAugment(Identity(), translation=-0.1), (2, 4, 4, 1), EVALUATION, "translation is -0.1, but must be in"),
    ],
)
def test_what_cannot_be_is_refused(net, inputs, mode, message):
    with pytest.raises(ValueError, match=message):
        net.apply({}, jnp.ones(inputs), mode=mode)
