import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.augmentation import NUM_LABELS, SYM6, Augmentation, Moves, augment, labels, moved

STILL = Moves(*(jnp.zeros(()) for _ in range(6)), shift=jnp.zeros(2))
IMAGE = jax.random.normal(jax.random.key(0), (8, 8, 2))
SMOOTH = jnp.stack([jnp.cos(jnp.arange(8.0) / 3)[:, None] * jnp.sin(jnp.arange(8.0) / 2)[None]] * 2, axis=2)


def test_the_filter_is_orthogonal_to_itself_moved_by_even_places():
    for shift in range(0, 12, 2):
        np.testing.assert_allclose(SYM6[shift:] @ SYM6[: 12 - shift], float(shift == 0), atol=1e-9)
    np.testing.assert_allclose(SYM6.sum(), 2**0.5, rtol=1e-9)


def test_an_image_that_is_not_moved_is_itself_and_has_no_labels():
    np.testing.assert_array_equal(moved(IMAGE, STILL), IMAGE)
    np.testing.assert_array_equal(labels(STILL), np.zeros(NUM_LABELS))


def test_resampling_at_the_same_places_gives_the_image_again():
    """A turn by nothing but rounding passes through the finer grid and back."""
    found = moved(IMAGE, STILL._replace(angle=jnp.float32(1e-12)))
    assert (np.asarray(found) != np.asarray(IMAGE)).any()
    np.testing.assert_allclose(found, IMAGE, atol=2e-6)


def test_mirrors_are_exact():
    np.testing.assert_array_equal(moved(IMAGE, STILL._replace(mirror=jnp.float32(1))), IMAGE[:, ::-1])
    np.testing.assert_array_equal(moved(IMAGE, STILL._replace(upside_down=jnp.float32(1))), IMAGE[::-1])


@pytest.mark.parametrize(("turns", "wanted"), [(1, SMOOTH[::-1].transpose(1, 0, 2)), (2, SMOOTH[::-1, ::-1])])
def test_quarter_turns_exchange_places(turns, wanted):
    """A positive angle turns the x axis towards the y axis, which points down: clockwise."""
    found = moved(SMOOTH, STILL._replace(angle=jnp.float32(turns * np.pi / 2)))
    np.testing.assert_allclose(found, wanted, atol=0.08)
    assert np.abs(found - SMOOTH).max() > 0.5


def test_a_shift_by_whole_pixels_moves_the_interior():
    found = moved(IMAGE, STILL._replace(shift=jnp.array([2.0, -1.0])))  # 0.125 of 8 pixels: 2 right, 1 up
    np.testing.assert_allclose(found[:-1, 2:], IMAGE[1:, :-2], atol=1e-5)


def test_scaling_and_stretching_change_sizes_as_they_say():
    """The second moment of a blob grows by the square of the factor, along and across."""
    places = jnp.arange(24.0) - 11.5
    blob = jnp.exp(-0.5 * (places[:, None] ** 2 + places[None] ** 2) / 4.0)[:, :, None]

    def spread(image):
        weights = np.asarray(image[:, :, 0]) / float(image.sum())
        return np.sqrt((weights * np.asarray(places)[None] ** 2).sum()), np.sqrt(
            (weights * np.asarray(places)[:, None] ** 2).sum()
        )

    width, height = spread(moved(blob, STILL._replace(scale=jnp.float32(1.5))))
    np.testing.assert_allclose([width, height], 2.0 * 2**0.3, rtol=0.04)
    width, height = spread(moved(blob, STILL._replace(stretch=jnp.float32(1.5))))
    np.testing.assert_allclose([width, height], [2.0 * 2**0.3, 2.0 / 2**0.3], rtol=0.04)
    along = STILL._replace(stretch=jnp.float32(1.5), direction=jnp.float32(np.pi / 2))
    np.testing.assert_allclose(spread(moved(blob, along)), [2.0 / 2**0.3, 2.0 * 2**0.3], rtol=0.04)


def test_labels_are_the_nine_numbers_in_their_order():
    moves = Moves(*(jnp.float32(x) for x in (1, 0, 0.5, 0.3, 2.0, 0.7)), shift=jnp.array([0.1, -0.2]))
    wanted = [1, 0, 0.5, np.cos(0.3) - 1, np.sin(0.3), 2 * np.cos(0.7), 2 * np.sin(0.7), 0.1, -0.2]
    np.testing.assert_allclose(labels(moves), wanted, rtol=1e-5, atol=1e-7)


def test_each_move_is_made_at_its_rate():
    _, told = jax.jit(lambda keys: augment(0.12, jnp.zeros((4000, 2, 2, 1)), keys))(
        jax.random.split(jax.random.key(0), 4000)
    )
    shares = (np.asarray(told) != 0).mean(0)
    np.testing.assert_allclose(shares[0], 0.5, atol=0.03)
    np.testing.assert_allclose(shares[1], 0.06, atol=0.02)
    np.testing.assert_allclose(shares[[2, 4, 5, 7, 8]], 0.12, atol=0.02)
    np.testing.assert_allclose(shares[6], 0.06, atol=0.02)  # half of the stretches are along a row


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_a_rate_is_a_share(rate):
    with pytest.raises(ValueError, match="rate is"):
        Augmentation(rate)
    assert dataclasses.replace(Augmentation(), rate=1.0).rate == 1.0
