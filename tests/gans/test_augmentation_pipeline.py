"""What the order of the transformations and the guards promise."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import affine_augmentations as affine
from jaxgen import parallel
from jaxgen.gans import augmentation_pipeline as pipelines
from jaxgen.gans.augmentation_draws import Blit, Color, Cutout, Geometry, Noise, blit_map, geometry_map
from jaxgen.gans.augmentation_pipeline import BGCFNC, Pipeline

KEYS = jax.random.split(jax.random.key(0), 400)
STILL, RIGID, COLORLESS = Blit(0.0, 0.0, 0.0), Geometry(0.0, 0.0, 0.0, 0.0), Color(0.0, 0.0, 0.0, 0.0, 0.0)
NOTHING = Pipeline(STILL, RIGID, COLORLESS)
HALF = jnp.float32(0.5)


def images(shape=(6, 6, 3), num=4):
    return jax.random.uniform(jax.random.key(1), (num, *shape), minval=-1.0)


def share_within(found, wanted, num=400):
    assert found == pytest.approx(wanted, abs=4 * math.sqrt(wanted * (1 - wanted) / num))


@pytest.mark.exhaustive
@pytest.mark.parametrize("pipeline", [Pipeline(), BGCFNC, NOTHING], ids=["bgc", "all", "nothing"])
@pytest.mark.parametrize("shape", [(6, 6, 3), (5, 7, 1)], ids=str)
def test_with_p_0_images_are_returned_as_they_are_and_so_is_the_gradient(pipeline, shape):
    x, cotangent = images(shape), jax.random.normal(jax.random.key(2), (4, *shape))

    @jax.jit
    def both(x):
        found, pull = jax.vjp(lambda each: pipeline.transform(each, jnp.float32(0.0), KEYS[:4]), x)
        return found, pull(cotangent)[0]

    found, pulled = both(x)
    np.testing.assert_array_equal(found, x)
    np.testing.assert_array_equal(pulled, cotangent)


def test_without_transformations_nothing_happens_with_any_p():
    np.testing.assert_array_equal(NOTHING.transform(images(), jnp.float32(1.0), KEYS[:4]), images())


def test_noise_has_a_strength_of_each_image_that_is_normal_itself():
    x = jnp.zeros((400, 8, 8, 1))
    found = np.asarray(Pipeline(STILL, RIGID, COLORLESS, noise=Noise(1.0)).transform(x, HALF, KEYS[:400]))
    sigma = np.sqrt((found**2).mean((1, 2, 3)))
    share_within((sigma > 0).mean(), 0.5)
    assert np.sqrt((sigma[sigma > 0] ** 2).mean()) == pytest.approx(0.1, rel=0.2)


def test_half_of_the_images_lose_a_square_of_half_the_side():
    x = jnp.ones((400, 8, 8, 1))
    pipeline = Pipeline(STILL, RIGID, COLORLESS, cutout=Cutout(1.0))
    cut = np.asarray(pipeline.transform(x, HALF, KEYS[:400]))[..., 0] == 0
    share_within(cut.any((1, 2)).mean(), 0.5)
    sides = cut.any(1).sum(1)[cut.any((1, 2))]
    assert (sides.min(), sides.max()) == (2, 4)
    assert sides.mean() == pytest.approx(3.5, abs=0.2)  # 4 but within a quarter of either border, there 3 on average


def test_an_image_that_is_only_mirrored_turned_or_shifted_has_the_same_pixels():
    x, pipeline = images((8, 8, 3), 50), Pipeline(color=COLORLESS, geometry=RIGID)
    found = np.asarray(jax.jit(pipeline.transform)(x, jnp.float32(1.0), KEYS[:50]))
    for image, moved in zip(np.asarray(x), found, strict=True):
        assert set(moved.ravel()) <= set(image.ravel())


def test_blit_comes_before_geometry():
    """A shift to the right in an image that is then mirrored, and one mirrored that is shifted: the map says which."""
    x, pipeline = images((8, 8, 1), 8), Pipeline(color=COLORLESS)
    keys, p = KEYS[:8], jnp.float32(1.0)
    found = jax.jit(pipeline.transform)(x, p, keys)

    @jax.jit
    def wanted():
        own = pipelines.fold(pipelines.fold(keys, pipelines.STREAM), 0)
        first = jax.vmap(functools.partial(blit_map, Blit(), (8, 8), p))(pipelines.fold(own, 0))
        second = jax.vmap(functools.partial(geometry_map, Geometry(), (8, 8), p))(pipelines.fold(own, 1))
        return affine.resample(x, first @ second)

    np.testing.assert_allclose(found, wanted(), atol=1e-5)


@pytest.mark.parametrize("twice", [False, pytest.param(True, marks=pytest.mark.exhaustive)])
def test_gradients_are_those_of_finite_differences_and_can_be_differentiated(twice):
    x, direction = images(), jax.random.normal(jax.random.key(3), (4, 6, 6, 3))

    def value(points):
        return (BGCFNC.transform(points, HALF, KEYS[:4]) ** 3).sum()

    def squared_slope(points):
        return (jax.grad(value)(points) ** 2).sum()

    function = squared_slope if twice else value
    found, gradient = jax.jit(function), jax.jit(jax.grad(function))(x)
    ahead, behind = (found(x + step * direction) for step in (3e-3, -3e-3))
    assert float((gradient * direction).sum()) == pytest.approx(float(ahead - behind) / 6e-3, rel=1e-2)


@pytest.mark.exhaustive
def test_four_devices_transform_as_one_does():
    def update(pipeline, state, batch, key, *, axis_name=None):
        return pipeline.transform(batch, HALF, parallel.example_keys(key, len(batch), axis_name)), {}

    x, key = images(num=8), jax.random.key(4)

    @jax.jit
    def both(x):
        def of_share(batch):
            return update(BGCFNC, (), batch, key, axis_name="i")[0]

        keys = jax.vmap(lambda number: jax.random.fold_in(key, number))(jnp.arange(8))
        return BGCFNC.transform(x, HALF, keys), jax.vmap(of_share, axis_name="i")(x.reshape(4, 2, 6, 6, 3))

    wanted, shares = both(x)
    np.testing.assert_allclose(shares.reshape(x.shape), wanted, atol=1e-5)
    assert (np.abs(wanted - x) > 1e-3).any((1, 2, 3)).all()


def test_halves_stay_halves():
    x = images().astype(jnp.bfloat16)
    assert jax.eval_shape(BGCFNC.transform, x, HALF, KEYS[:4]).dtype == jnp.bfloat16


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("pipeline", "shape", "message"),
    [
        (Pipeline(), (4, 6), "shape of the inputs of augmentation is"),
        (Pipeline(), (4, 6, 6, 2), "channels of images is 2, but must be 1 or 3"),
        (Pipeline(), (4, 6, 5, 1), "size of images is 6x5, but must be even or odd in both sides, for quarter turns"),
    ],
)
def test_images_that_do_not_fit_are_refused(pipeline, shape, message):
    with pytest.raises(ValueError, match=message):
        pipeline.transform(jnp.ones(shape), HALF, KEYS[:4])


def test_parts_that_are_switched_off_ask_nothing_of_the_images():
    pipeline = Pipeline(Blit(quarter_turn=0.0), color=COLORLESS)
    assert jax.eval_shape(pipeline.transform, images((6, 5, 2)), HALF, KEYS[:4]).shape == (4, 6, 5, 2)
