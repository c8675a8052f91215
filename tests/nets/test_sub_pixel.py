"""The sub-pixel shuffle: a bijection in PyTorch's order."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.sub_pixel import doublings, pixel_shuffle, pixel_unshuffle


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_shuffling_back_gives_the_images_and_loses_none_of_their_numbers(factor):
    images = jnp.arange(2.0 * 6 * 12 * 36).reshape(2, 6, 12, 36)
    shuffled = pixel_shuffle(images, factor)
    assert shuffled.shape == (2, 6 * factor, 12 * factor, 36 // factor**2)
    np.testing.assert_array_equal(np.sort(shuffled, axis=None), np.sort(images, axis=None))
    np.testing.assert_array_equal(pixel_unshuffle(shuffled, factor), images)
    np.testing.assert_array_equal(pixel_shuffle(pixel_unshuffle(images, factor), factor), images)


def test_channel_c_r2_plus_i_r_plus_j_is_channel_c_of_row_i_and_column_j():
    """PyTorch's order, in which weights are ported."""
    images = jax.random.normal(jax.random.key(0), (1, 2, 3, 8))
    shuffled = pixel_shuffle(images, 2)
    for channel, row, column in np.ndindex(2, 2, 2):
        wanted = images[..., channel * 4 + row * 2 + column]
        np.testing.assert_array_equal(shuffled[:, row::2, column::2, channel], wanted)


def test_doublings_follow_from_the_sizes():
    images = jnp.zeros((1, 5, 7, 3))
    assert [doublings(images, (5 * factor, 7 * factor, 3)) for factor in (1, 2, 4, 8)] == [0, 1, 2, 3]
    for shape in ((15, 21, 3), (20, 14, 3), (21, 28, 3), (2, 3, 3)):
        with pytest.raises(ValueError, match=r"output_shape is .* 1, 2, 4, \.\.\. times as high and wide as 5x7"):
            doublings(images, shape)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"channels is 6, but must be a multiple of 2\^2"):
        pixel_shuffle(jnp.zeros((1, 2, 2, 6)), 2)
    with pytest.raises(ValueError, match="size of the images is 4x5, but must be a multiple of 2x2"):
        pixel_unshuffle(jnp.zeros((1, 4, 5, 6)), 2)
