"""Sizes and widths of networks that grow, and the fade between two sizes."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.growing import channels_at, doublings, fade


def test_doublings_from_the_smallest_map_to_the_image():
    assert [doublings(shape, 4) for shape in ((4, 4, 3), (8, 16, 1), (1024, 1024, 3))] == [0, 1, 8]
    assert doublings((28, 28, 1), 7) == 2
    for shape, smallest, message in (
        ((2, 2, 1), 4, "height of images is 2, but must be 4, the smallest map's, doubled some times"),
        ((12, 12, 1), 4, "height of images is 12"),
        ((8, 9, 1), 4, "image shape is"),
        ((8, 8, 1), 0, "smallest is 0, but must be at least 1"),
        ((8,), 4, "image shape is"),
    ):
        with pytest.raises(ValueError, match=message):
            doublings(shape, smallest)


def test_channels_of_the_paper_from_4x4_to_1024x1024():
    found = [channels_at(level, 8192, 512) for level in range(9)]
    assert found == [512, 512, 512, 512, 256, 128, 64, 32, 16]
    assert channels_at(-1, 8192, 512) == 512 and channels_at(1, 7, 9) == 1
    with pytest.raises(ValueError, match=r"base and maximum is \(7, 9\), but must be enough for a channel after 2"):
        channels_at(2, 7, 9)


def test_a_fade_is_a_mean_with_weight_alpha():
    new, old = jnp.array([[4.0]], jnp.bfloat16), jnp.array([[8.0]], jnp.bfloat16)
    for alpha, wanted in ((0.0, 8.0), (0.25, 7.0), (1.0, 4.0)):
        found = fade(new, old, jnp.float32(alpha))
        assert found.dtype == jnp.bfloat16
        np.testing.assert_array_equal(found.astype(jnp.float32), [[wanted]])
