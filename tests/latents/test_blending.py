import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg

from jaxgen.latents import blending
from jaxgen.latents.blending import soft_composite
from jaxgen.translation.masks import CenterSquare, Strokes, draw_masks

poisson_blend = jax.jit(blending.poisson_blend)
SHAPE = (9, 7, 3)


def pictures(seed=0, num=3):
    return jax.random.uniform(jax.random.key(seed), (2, num, *SHAPE))


def holes(num=3):
    return draw_masks(Strokes(0.3, 0.5, width=2.0, length=3.0), jax.random.key(1), num, SHAPE)


def solved(image, fill, mask):
    """Equation 1 of one channel as a sparse linear system, pixel by pixel."""
    height, width = mask.shape
    places = {pixel: number for number, pixel in enumerate(zip(*np.nonzero(mask == 0), strict=True))}
    matrix, right = scipy.sparse.lil_matrix((len(places),) * 2), np.zeros(len(places))
    for (row, column), number in places.items():
        around = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        for other in ((r, c) for r, c in around if 0 <= r < height and 0 <= c < width):
            matrix[number, number] += 1
            right[number] += fill[row, column] - fill[other]
            if other in places:
                matrix[number, places[other]] -= 1
            else:
                right[number] += image[other]
    found = np.array(image, np.float64)
    found[mask == 0] = scipy.sparse.linalg.spsolve(matrix.tocsr(), right)
    return found


def test_blending_solves_the_equation_that_scipy_solves():
    (images, fills), mask = pictures(), holes()
    found = poisson_blend(images, fills, mask)
    for example in range(3):
        for channel in range(3):
            parts = (np.asarray(array[example, ..., channel], np.float64) for array in (images, fills))
            wanted = solved(*parts, np.asarray(mask[example, ..., 0]))
            np.testing.assert_allclose(found[example, ..., channel], wanted, atol=1e-5)


def test_known_pixels_are_the_images_bit_by_bit_and_those_of_a_hole_play_no_part():
    (images, fills), mask = pictures(), holes()
    found = poisson_blend(images, fills, mask)
    known = np.broadcast_to(mask > 0, images.shape)
    np.testing.assert_array_equal(np.asarray(found)[known], np.asarray(images)[known])
    other = jnp.where(mask > 0, images, jnp.nan)
    np.testing.assert_array_equal(poisson_blend(other, fills, mask), found)


def test_a_constant_offset_of_each_channel_is_healed_exactly():
    (images, _), mask = pictures(), holes()
    offset = jnp.array([0.5, -2.0, 10.0])
    found = poisson_blend(images, images + offset[None, None, None], mask)
    np.testing.assert_allclose(found, images, atol=2e-6)


def test_a_linear_offset_is_healed_in_a_hole_that_does_not_reach_the_edge():
    """What is harmonic within and right at the border is right everywhere."""
    (images, _) = pictures()
    mask = draw_masks(CenterSquare(3), jax.random.key(0), 3, SHAPE)
    slope = (jnp.arange(9.0)[:, None] - 2 * jnp.arange(7.0)[None])[None, :, :, None]
    np.testing.assert_allclose(poisson_blend(images, images + slope, mask), images, atol=1e-4)


def test_without_a_hole_it_is_the_image_and_without_an_image_the_fill():
    images, fills = pictures()
    np.testing.assert_array_equal(poisson_blend(images, fills, jnp.ones((3, *SHAPE[:2], 1))), images)
    np.testing.assert_allclose(poisson_blend(images, fills, jnp.zeros((3, *SHAPE[:2], 1))), fills, atol=1e-7)


def test_images_are_blended_each_on_its_own_and_nan_stays_with_its_image():
    (images, fills), mask = pictures(), holes()
    found = poisson_blend(images, fills, mask)
    broken = poisson_blend(images.at[0].set(jnp.nan), fills, mask)
    assert np.isnan(broken[0]).all()
    np.testing.assert_allclose(broken[1:], found[1:], atol=1e-6)
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:3]), ("i",))
    cut = jax.device_put((images, fills, mask), jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("i")))
    np.testing.assert_allclose(poisson_blend(*cut), found, atol=1e-6)


def test_alpha_of_one_and_of_zero_give_the_one_and_the_other_exactly():
    images, others = pictures()
    ones = jnp.ones((3, *SHAPE[:2], 1))
    np.testing.assert_array_equal(soft_composite(images, others, ones), images)
    np.testing.assert_array_equal(soft_composite(images, others, 0 * ones), others)
    np.testing.assert_allclose(soft_composite(images, others, 0.25 * ones), 0.25 * images + 0.75 * others, atol=1e-6)
    np.testing.assert_array_equal(soft_composite(images, images, 0.3 * ones), images)


@pytest.mark.parametrize("blend", [blending.poisson_blend, soft_composite])
def test_shapes_that_do_not_fit_are_refused(blend):
    images = jnp.zeros((2, 4, 4, 3))
    with pytest.raises(ValueError, match=r"shape of the fills is \(2, 4, 4, 1\), but must be that of the images"):
        blend(images, images[..., :1], images[..., :1])
    with pytest.raises(ValueError, match=r"shape of mask is \(1, 4, 4, 1\), but must be \(2, 4, 4, 1\)"):
        blend(images, images, images[:1, ..., :1])
