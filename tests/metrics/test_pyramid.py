"""Sliced Wasserstein distance of patches: the pyramid against SciPy's filters, distances against POT."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import ot
import pytest
import scipy.ndimage
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxgen.metrics import Patches, enlarge, laplacian_pyramid, patch_descriptors, pyramid_distances
from tests.metrics import inputs
from tests.metrics.numbers import in_float64, single

IMAGES = inputs.pixels(8, 64, 32) / 127.5 - 1
FEW = Patches(per_image=64, size=7, projections=16, at_a_time=8)
distances = jax.jit(functools.partial(pyramid_distances, patches=FEW), static_argnames="num_levels")
KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])[None, :, :, None] / 256


def down(images):
    return scipy.ndimage.convolve(images, KERNEL, mode="mirror")[:, ::2, ::2]


def up(images):
    spread = np.zeros((len(images), 2 * images.shape[1], 2 * images.shape[2], 3))
    spread[:, ::2, ::2] = images
    return scipy.ndimage.convolve(spread, 4 * KERNEL, mode="mirror")


def test_levels_are_those_of_scipys_filters():
    half = down(IMAGES)
    quarter = down(half)
    levels = in_float64(lambda x: laplacian_pyramid(x, 3), IMAGES)
    for level, expected in zip(levels, (IMAGES - up(half), half - up(quarter), quarter), strict=True):
        np.testing.assert_allclose(level, expected, atol=1e-12)


def test_levels_add_up_to_the_image():
    images = single(IMAGES)

    def collapsed(images):
        return functools.reduce(lambda small, level: level + enlarge(small), laplacian_pyramid(images, 4)[::-1])

    np.testing.assert_allclose(jax.jit(collapsed)(images), images, atol=1e-6)


def test_constant_images_lie_in_the_last_level():
    *fine, last = laplacian_pyramid(jnp.full((1, 16, 16, 1), 0.7), 2)
    np.testing.assert_allclose(fine[0], 0, atol=1e-6)
    np.testing.assert_allclose(last, 0.7, rtol=1e-6)


def test_descriptors_are_patches_of_the_image_normalised_for_each_channel(key):
    images = single(IMAGES)
    found = np.asarray(jax.jit(functools.partial(patch_descriptors, num=3, size=5))(images, key)).reshape(8, 3, 25, 3)
    np.testing.assert_allclose(found.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(found.std((0, 1, 2)), 1, rtol=1e-5)
    # Up to scale and offset of each channel a descriptor is one of its image's windows.
    windows = np.lib.stride_tricks.sliding_window_view(IMAGES[2, :, :, 0], (5, 5)).reshape(-1, 25)
    of_patch = found[2, 1, :, 0]
    correlations = [np.corrcoef(window, of_patch)[0, 1] for window in windows]
    np.testing.assert_allclose(max(correlations), 1, atol=1e-5)


def test_places_of_patches_reach_every_corner(key):
    image = jnp.arange(64.0).reshape(1, 8, 8, 1)
    found = np.asarray(jax.jit(functools.partial(patch_descriptors, num=2000, size=7))(image, key))
    places, counts = np.unique(found[:, 0], return_counts=True)
    assert len(places) == 4
    assert counts == pytest.approx(500, abs=80)  # four standard deviations: all places are alike


def test_distance_of_one_level_agrees_with_pot(key):
    # One patch fits, so that descriptors are whole images; the directions are drawn as the function draws them.
    real, fake = single(IMAGES[:4, :16, :16], IMAGES[4:, :16, :16])
    whole = Patches(per_image=1, size=16, projections=8, at_a_time=2)
    value = jax.jit(functools.partial(pyramid_distances, patches=whole))(real, fake, key)
    x, y = (((a - a.mean((0, 1, 2))) / a.std((0, 1, 2))).reshape(4, -1) for a in np.asarray([real, fake], np.float64))
    directions = jax.random.normal(jax.random.split(jax.random.split(key, 1)[0], 3)[2], (8, 768))
    unit = np.asarray(directions / jnp.linalg.norm(directions, axis=1, keepdims=True), np.float64)
    expected = ot.sliced_wasserstein_distance(x, y, projections=unit.T, p=1)
    np.testing.assert_allclose(value, [1e3 * expected], rtol=1e-4)


def test_a_fine_texture_is_far_on_the_finest_level_and_not_seen_on_the_next(key):
    images = single(IMAGES)
    checks = 0.4 * (-1.0) ** np.indices(IMAGES.shape[1:3]).sum(0)[None, :, :, None]
    same, other = distances(images, images, key), distances(images, single(IMAGES + checks), key)
    assert same.shape == other.shape == (2,)  # 64x32 down to 16 pixels
    assert other[0] > 3 * same[0]
    assert other[1] < 1.5 * same[1]


def test_number_of_levels_goes_down_to_sixteen_pixels(key):
    shapes = {side: jax.ShapeDtypeStruct((2, side, side, 3), jnp.float32) for side in (8, 28, 32, 64, 1024)}
    found = {side: jax.eval_shape(distances, s, s, key).shape[0] for side, s in shapes.items()}
    assert found == {8: 1, 28: 1, 32: 2, 64: 3, 1024: 7}


def test_four_devices_have_the_distances_of_one(key):
    mesh = Mesh(np.array(jax.devices()[:4]), ("devices",))
    real, fake = single(IMAGES, IMAGES[::-1])
    placed = jax.device_put(real, NamedSharding(mesh, PartitionSpec("devices")))
    np.testing.assert_allclose(distances(placed, fake, key), distances(real, fake, key), rtol=1e-3)


def test_images_and_patches_that_do_not_fit_are_refused(key):
    images = jnp.zeros((2, 24, 32, 3))
    with pytest.raises(ValueError, match=r"do not halve 4 times, which 5 levels need: .* multiples of 16"):
        laplacian_pyramid(images, 5)
    with pytest.raises(ValueError, match="of sides of at least 2"):
        enlarge(images[:, :1])
    with pytest.raises(ValueError, match="num_levels is 0"):
        laplacian_pyramid(images, 0)
    with pytest.raises(ValueError, match="differ"):
        pyramid_distances(images, images[:1], key)
    with pytest.raises(ValueError, match="size of patches is 25, but must be from 1 to the 24"):
        patch_descriptors(images, key, num=1, size=25)
    with pytest.raises(ValueError, match="at_a_time is 3, but must be a divisor"):
        pyramid_distances(images, images, key, patches=Patches(projections=8, at_a_time=3))
