import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.latents.edges import edge_histograms, in_cells


def image(seed=0, shape=(2, 16, 24, 3)):
    return jax.random.uniform(jax.random.key(seed), shape)


def by_numpy(picture, cell, num):
    """Equations 1 and 2, pixel by pixel."""
    gray = np.pad(np.asarray(picture, np.float64).mean(axis=2), 1, mode="edge")
    height, width = picture.shape[:2]
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4
    found = np.zeros((height // cell, width // cell, num))
    a = np.cos(np.pi / num)
    for i in range(height):
        for j in range(width):
            patch = gray[i : i + 3, j : j + 3]
            across, down = (patch * sobel).sum(), (patch * sobel.T).sum()
            angles = np.pi * np.arange(num) / num
            strength = np.abs(np.cos(angles) * across + np.sin(angles) * down)
            bins = np.maximum(0, (strength - a * np.sqrt(across**2 + down**2 + 1e-3)) / (1 - a))
            for row in range(height // cell):
                for column in range(width // cell):
                    far = (abs(place - cell * (k + 0.5) + 0.5) for place, k in ((i, row), (j, column)))
                    weight = np.prod([max(0, 1 - distance / cell) for distance in far])
                    found[row, column] += weight * bins
    return found


@pytest.mark.parametrize(("cell", "orientations"), [(8, 8), (4, 6)])
def test_histograms_are_those_of_a_sum_over_pixels(cell, orientations):
    found = jax.jit(edge_histograms, static_argnames=("cell", "orientations"))(
        image(), cell=cell, orientations=orientations
    )
    for one, picture in zip(found, image(), strict=True):
        np.testing.assert_allclose(one, by_numpy(picture, cell, orientations), rtol=1e-4, atol=1e-4)


def test_without_edges_they_are_zero_at_the_border_too():
    np.testing.assert_array_equal(edge_histograms(jnp.full((1, 16, 16, 1), 0.7)), 0.0)


def test_a_quarter_turn_moves_them_by_half_of_the_orientations():
    picture = image(shape=(1, 16, 16, 1))
    turned = edge_histograms(jnp.rot90(picture, axes=(1, 2)))
    wanted = jnp.roll(jnp.rot90(edge_histograms(picture), axes=(1, 2)), 4, axis=3)
    np.testing.assert_allclose(turned, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("bin_", [0, 2, 4, 6])
def test_a_straight_edge_fills_the_bin_across_it(bin_):
    angle = np.pi * bin_ / 8
    rows, columns = np.mgrid[:32, :32] - 15.5
    ramp = 0.2 * (np.cos(angle) * columns + np.sin(angle) * rows)
    found = edge_histograms(jnp.asarray(ramp, jnp.float32)[None, :, :, None], cell=32)[0, 0, 0]
    assert int(found.argmax()) == bin_ and float(found[bin_]) > 0.9 * float(found.sum())


def test_light_and_dark_may_be_exchanged():
    np.testing.assert_allclose(edge_histograms(1 - image()), edge_histograms(image()), rtol=1e-3, atol=1e-4)


def test_cells_touch_what_lies_within_their_side():
    spot = jnp.zeros((1, 32, 32, 1)).at[0, 9, 9].set(1.0)
    touched = in_cells(spot, 8)[0, :, :, 0] > 0
    np.testing.assert_array_equal(touched, np.outer([1, 1, 0, 0], [1, 1, 0, 0]))
    small = in_cells(jnp.ones((1, 5, 3, 1)), 8)
    assert small.shape == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: edge_histograms(jnp.zeros((4, 4, 1))), r"images has shape \(4, 4, 1\)"),
        (lambda: edge_histograms(image(), cell=0), "cell is 0, but must be at least 1"),
        (lambda: edge_histograms(image(), orientations=1), "orientations is 1, but must be at least 2"),
    ],
)
def test_bad_inputs_are_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()
