"""Masks: what each kind leaves, whose key it follows, and what stands in the hole."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.translation import masks
from jaxgen.translation.masks import CenterSquare, Masked, RandomBlocks, RandomSquare, Strokes

draw_masks = jax.jit(masks.draw_masks, static_argnums=(0, 2, 3))

SHAPE = (12, 16, 3)
KINDS = [CenterSquare(4), RandomSquare(5), RandomBlocks(2, 2, 4), Strokes(0.2, 0.4, width=2.0, length=3.0)]
EACH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
IMAGES = jax.random.uniform(jax.random.key(0), (6, *SHAPE), minval=-1.0)


@EACH
def test_a_mask_is_of_zeros_and_ones_and_follows_the_key_of_its_example_alone(kind):
    keys = jax.random.split(jax.random.key(0), 6)
    drawn = draw_masks(kind, keys, 6, SHAPE)
    assert drawn.shape == (6, 12, 16, 1) and drawn.dtype == jnp.float32
    assert set(np.unique(drawn)) == {0.0, 1.0}
    np.testing.assert_array_equal(draw_masks(kind, keys[2:4], 2, SHAPE), drawn[2:4])
    assert (kind == CenterSquare(4)) == bool((drawn[:1] == drawn).all())


def test_a_square_lies_in_the_middle():
    hole = 1 - draw_masks(CenterSquare(4), jax.random.key(0), 1, SHAPE)[0, :, :, 0]
    assert hole.sum() == 16 and hole[4:8, 6:10].all()


def test_a_random_square_reaches_every_place_and_stays_inside():
    holes = 1 - draw_masks(RandomSquare(10), jax.random.key(0), 400, (12, 11, 1))[..., 0]
    np.testing.assert_array_equal(holes.sum(axis=(1, 2)), 100.0)
    corners = [np.argwhere(np.asarray(hole))[0] for hole in holes]
    places, counts = np.unique(corners, axis=0, return_counts=True)
    assert places.tolist() == [[row, column] for row in range(3) for column in range(2)]
    assert counts.min() > 400 / 6 - 4 * (400 * 5 / 36) ** 0.5


def test_blocks_have_sides_in_their_range_and_reach_all_borders():
    holes = np.asarray(1 - draw_masks(RandomBlocks(1, 2, 4), jax.random.key(0), 300, SHAPE)[..., 0])
    sides = {(int(hole.any(axis=1).sum()), int(hole.any(axis=0).sum())) for hole in holes}
    assert sides == {(height, width) for height in (2, 3, 4) for width in (2, 3, 4)}
    assert all(hole.sum() == hole.any(axis=1).sum() * hole.any(axis=0).sum() for hole in holes)
    assert holes[:, 0].any() and holes[:, -1].any() and holes[:, :, 0].any() and holes[:, :, -1].any()


def test_strokes_have_a_share_in_their_range_each_alike():
    drawn = draw_masks(Strokes(0.2, 0.4, width=2.0, length=3.0), jax.random.key(0), 200, SHAPE)
    shares = np.asarray(1 - drawn).mean(axis=(1, 2, 3))
    assert 0.2 - 1 / 192 < shares.min() < 0.22 and 0.38 < shares.max() < 0.4 + 1 / 192
    assert abs(shares.mean() - 0.3) < 4 * (0.2**2 / 12 / 200) ** 0.5
    fixed = draw_masks(Strokes(0.25, 0.25, width=1.0, length=1.0, segments=1, strokes=1), jax.random.key(1), 4, SHAPE)
    np.testing.assert_allclose((1 - fixed).mean(axis=(1, 2, 3)), 0.25, atol=1 / 192)  # grows where the walk is short


def test_the_hole_of_one_stroke_is_all_that_lies_close_to_its_line():
    segments = jnp.array([[[2.0, 2.0], [2.0, 8.0]]])
    rows, columns = jnp.meshgrid(jnp.arange(6.0), jnp.arange(12.0), indexing="ij")
    order = np.asarray(masks._reached(segments, jnp.stack([rows, columns], axis=2), 1.5))
    distance = np.hypot(rows - 2.0, np.clip(columns, 2.0, 8.0) - columns)
    np.testing.assert_array_equal(order < 1, distance <= 1.5)
    assert (np.diff(order[2, 2:9]) > 0).all()  # reached one after the other
    far = distance > 1.5
    np.testing.assert_allclose(order[far], 1 + distance[far], rtol=1e-5)


@EACH
def test_a_composite_is_exactly_the_image_where_it_is_known_and_the_fill_elsewhere(kind):
    mask = np.broadcast_to(draw_masks(kind, jax.random.key(0), 6, SHAPE), IMAGES.shape)
    fills = jnp.full_like(IMAGES, jnp.nan)
    filled = np.asarray(masks.composite(IMAGES, fills, jnp.array(mask[..., :1])))
    np.testing.assert_array_equal(filled[mask == 1], np.asarray(IMAGES)[mask == 1])
    assert np.isnan(filled[mask == 0]).all()


def test_the_plainest_fill_is_the_mean_of_what_is_known():
    mask = draw_masks(RandomSquare(5), jax.random.key(0), 6, SHAPE)
    found = masks.mean_color(IMAGES, mask)
    for image, known, color in zip(np.asarray(IMAGES), np.asarray(mask)[..., 0] > 0, found, strict=True):
        np.testing.assert_allclose(color[0, 0], image[known].mean(axis=0), rtol=1e-5, atol=1e-6)
    assert not masks.mean_color(IMAGES, jnp.zeros_like(mask)).any()


def test_a_hole_that_is_given_is_taken_and_images_alone_get_one_of_their_keys():
    keys, kind = jax.random.split(jax.random.key(0), 6), RandomSquare(5)
    own = Masked(IMAGES, jnp.ones((6, 12, 16, 1)))
    assert masks.masked(kind, keys, 6, SHAPE, own) is own
    found = masks.masked(kind, keys, 6, SHAPE, IMAGES)
    np.testing.assert_array_equal(found.mask, draw_masks(kind, keys, 6, SHAPE))
    with pytest.raises(ValueError, match="condition is None, but must be the images with holes"):
        masks.masked(kind, keys, 6, SHAPE, None)


def test_bad_settings_are_refused():
    for make, message in (
        (lambda: CenterSquare(0), "side is 0, but must be at least 1"),
        (lambda: RandomSquare(13).draw(jax.random.key(0), SHAPE), "side of the hole is 13, but must be at most"),
        (lambda: CenterSquare(13).draw(jax.random.key(0), SHAPE), "at most that of the images, 12"),
        (lambda: RandomBlocks(1, 5, 4), "shortest is 5, but must be at most longest, 4"),
        (lambda: Strokes(0.5, 0.4), "must be in order and below 1"),
        (lambda: Strokes(width=0.0), "width is 0.0, but must be above 0"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
