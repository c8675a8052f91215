"""Laws of each transformation, and NumPy's own way to the same pixels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.augmentations import (
    brighten,
    contrast,
    cut_out,
    cut_out_share,
    mirror,
    require_images,
    saturate,
    translate,
)

SHAPES = [(6, 6, 3), (28, 28, 1), (7, 5, 2)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def images(shape, num=4):
    return jax.random.uniform(jax.random.key(0), (num, *shape), minval=-1.0)


FACTORS = jnp.array([0.0, 0.5, 1.0, 1.7])


@every_shape
def test_brightness_moves_all_pixels_by_the_amount(shape):
    x = images(shape)
    np.testing.assert_allclose(
        brighten(x, FACTORS) - x, np.broadcast_to(FACTORS[:, None, None, None], x.shape), atol=1e-6
    )


@every_shape
def test_saturation_keeps_the_mean_of_each_pixel_and_scales_the_distances_from_it(shape):
    x = images(shape)
    found = saturate(x, FACTORS)
    np.testing.assert_allclose(found.mean(3), x.mean(3), atol=1e-6)
    distances = np.asarray(x - x.mean(3, keepdims=True)) * np.asarray(FACTORS)[:, None, None, None]
    np.testing.assert_allclose(found - found.mean(3, keepdims=True), distances, atol=1e-6)
    np.testing.assert_allclose(found[2], x[2], atol=1e-6)
    if shape[2] == 1:
        np.testing.assert_array_equal(found, x)


@every_shape
def test_contrast_keeps_the_mean_of_each_image_and_scales_the_distances_from_it(shape):
    x = images(shape)
    found = contrast(x, FACTORS)
    np.testing.assert_allclose(found.mean((1, 2, 3)), x.mean((1, 2, 3)), atol=1e-6)
    np.testing.assert_allclose(found.std((1, 2, 3)), x.std((1, 2, 3)) * FACTORS, atol=1e-6)
    np.testing.assert_allclose(found[2], x[2], atol=1e-6)


@every_shape
def test_chosen_images_are_mirrored_left_to_right_and_twice_is_not_at_all(shape):
    x, chosen = images(shape), jnp.array([True, False, True, False])
    found = mirror(x, chosen)
    np.testing.assert_array_equal(found[::2], np.asarray(x)[::2, :, ::-1])
    np.testing.assert_array_equal(found[1::2], x[1::2])
    np.testing.assert_array_equal(mirror(found, chosen), x)


@every_shape
def test_a_translation_is_a_roll_with_zeros_for_what_comes_in(shape):
    x, steps = images(shape), np.array([[2, -1], [0, 0], [-2, 3], [1, 0]], np.int32)
    found = np.asarray(translate(x, jnp.asarray(steps), (2, 3)))
    for image, (down, right), one in zip(np.asarray(x), steps, found, strict=True):
        wanted = np.zeros_like(image)
        for row in range(shape[0]):
            for column in range(shape[1]):
                if 0 <= row - down < shape[0] and 0 <= column - right < shape[1]:
                    wanted[row, column] = image[row - down, column - right]
        np.testing.assert_array_equal(one, wanted)


@every_shape
def test_what_is_cut_out_is_a_rectangle_that_ends_at_the_border(shape):
    """Rows from the centre's minus half the side on, none counted from the other end."""
    x, centres = images(shape) + 2.0, np.array([[0, 0], [3, 2], [shape[0], shape[1]], [1, shape[1] - 1]], np.int32)
    found = np.asarray(cut_out(x, jnp.asarray(centres), (4, 3)))
    for image, (row, column), one in zip(np.asarray(x), centres, found, strict=True):
        wanted = image.copy()
        wanted[max(row - 2, 0) : row + 2, max(column - 1, 0) : column + 2] = 0.0
        np.testing.assert_array_equal(one, wanted)


def test_nothing_is_cut_out_by_a_rectangle_without_rows():
    x = images((6, 6, 3))
    np.testing.assert_array_equal(cut_out(x, jnp.full((4, 2), 3, jnp.int32), (0, 3)), x)


@pytest.mark.parametrize(("share", "sides"), [(0.5, (4, 3)), (0.25, (2, 2)), (0.0, (0, 0))])
def test_what_is_cut_out_as_a_share_lies_around_its_centre(share, sides):
    """The middles of 8 rows are 1/16, 3/16, ...; of 6 columns 1/12, 3/12, ..."""
    x = images((8, 6, 3)) + 2.0
    centres = jnp.array([[0.49, 0.49], [0.0, 0.99], [-1.5, 0.5], [0.5, 0.24]])
    found = np.asarray(cut_out_share(x, centres, share)) == 0
    assert (found[0].any((1, 2)).sum(), found[0].any((0, 2)).sum()) == sides
    assert not found[2].any()
    rows, columns = (np.arange(8) + 0.5) / 8, (np.arange(6) + 0.5) / 6
    for one, (row, column) in zip(found, np.asarray(centres), strict=True):
        wanted = (np.abs(rows - row) < share / 2)[:, None] & (np.abs(columns - column) < share / 2)
        np.testing.assert_array_equal(one, np.broadcast_to(wanted[..., None], one.shape))


TRANSFORMATIONS = {
    "brighten": lambda x: brighten(x, FACTORS),
    "saturate": lambda x: saturate(x, FACTORS),
    "contrast": lambda x: contrast(x, FACTORS),
    "mirror": lambda x: mirror(x, FACTORS > 0.7),
    "translate": lambda x: translate(x, jnp.array([[2, -1], [0, 0], [-2, 3], [1, 0]], jnp.int32), (2, 3)),
    "cut_out": lambda x: cut_out(x, jnp.full((4, 2), 3, jnp.int32), (4, 3)),
    "cut_out_share": lambda x: cut_out_share(x, jnp.full((4, 2), 0.4), 0.5),
}


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_gradients_flow_back_as_the_transposed_map_and_can_be_differentiated(name):
    """All are affine: <v, T x - T 0> = <T' v, x>; the slope of a network behind T has a gradient in T's images."""
    transform, x = TRANSFORMATIONS[name], images((6, 5, 3))
    cotangent = jax.random.normal(jax.random.key(1), x.shape)
    outputs, pull = jax.vjp(transform, x)
    (pulled,) = pull(cotangent)
    moved = outputs - transform(jnp.zeros_like(x))
    assert float((cotangent * moved).sum()) == pytest.approx(float((pulled * x).sum()), rel=1e-4, abs=1e-4)

    def squared_slope(points):
        return (jax.grad(lambda each: (transform(each) ** 3).sum())(points) ** 2).sum()

    assert np.isfinite(jax.grad(squared_slope)(x)).all()


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_halves_stay_halves(name):
    assert TRANSFORMATIONS[name](images((6, 5, 3)).astype(jnp.bfloat16)).dtype == jnp.bfloat16


def test_what_is_no_image_is_refused_by_name():
    require_images(jnp.ones((2, 3, 3, 1)), "a test")
    with pytest.raises(ValueError, match=r"shape of the inputs of a test is \(2, 3\), but must be \(batch, height"):
        require_images(jnp.ones((2, 3)), "a test")
