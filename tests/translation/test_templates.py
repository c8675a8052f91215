"""Parts of a face: cut, pasted, fused, and mirrored."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.translation.templates import Place, Template, cut, fuse, paste

SHAPE = (6, 8, 2)
IMAGES = jax.random.normal(jax.random.key(0), (3, *SHAPE))
LEFT, RIGHT, BELOW = Place(1, 0, 3, 2), Place(1, 6, 3, 2), Place(4, 2, 2, 5)


def test_a_part_lies_where_it_was_cut_and_zeros_around_it():
    part = cut(IMAGES, BELOW)
    np.testing.assert_array_equal(part, IMAGES[:, 4:6, 2:7])
    pasted = np.asarray(paste(part, BELOW, SHAPE))
    np.testing.assert_array_equal(pasted[:, 4:6, 2:7], part)
    assert pasted.shape == IMAGES.shape and np.count_nonzero(pasted) == part.size


def test_disjoint_parts_above_zero_are_fused_to_the_sum_of_the_pasted_ones():
    places = LEFT, RIGHT, BELOW
    parts = [jnp.abs(cut(IMAGES, place)) for place in places]
    wanted = sum(paste(part, place, SHAPE) for part, place in zip(parts, places, strict=True))
    np.testing.assert_array_equal(fuse(parts, places, SHAPE), wanted)


def test_of_overlapping_parts_the_larger_shows_and_nothing_below_zero():
    places = Place(0, 0, 2, 2), Place(1, 1, 2, 2)
    first, second = jnp.full((1, 2, 2, 1), 0.25), jnp.full((1, 2, 2, 1), 0.5).at[0, 1, 1].set(-3.0)
    wanted = [[0.25, 0.25, 0.0], [0.25, 0.5, 0.5], [0.0, 0.5, 0.0]]
    np.testing.assert_array_equal(fuse([first, second], places, (3, 3, 1))[0, :, :, 0], wanted)


@pytest.mark.parametrize("network", [jnp.tanh, lambda part: part[:, :, ::-1] + part])
def test_eyes_of_shared_weights_and_mirrored_places_turn_with_the_image(network):
    """For a network that does the same in mirrored pixels: the fused eyes of a mirror image are the mirrored ones."""

    def eyes(images):
        return fuse([network(cut(images, place)) for place in (LEFT, RIGHT)], (LEFT, RIGHT), SHAPE)

    np.testing.assert_array_equal(eyes(IMAGES[:, :, ::-1]), eyes(IMAGES)[:, :, ::-1])


def test_the_eyes_of_the_template_mirror_each_other():
    left, right = Template().left_eye, Template().right_eye
    assert (left.top, left.height, left.width) == (right.top, right.height, right.width)
    assert left.left + left.width == 128 - right.left


@pytest.mark.parametrize(
    ("part", "column", "row", "height", "width"),
    [
        ("left_eye", 43.58, 41.0, 40, 40),
        ("right_eye", 86.42, 41.0, 40, 40),
        ("nose", 64.12, 64.75, 32, 40),
        ("mouth", (47.59 + 82.59) / 2, (88.86 + 89.11) / 2, 32, 48),
    ],
)
def test_parts_lie_around_the_landmarks_of_the_authors_average_face(part, column, row, height, width):
    """Rounded, and one pixel up and to the left, as their code has it."""
    wanted = Place(round(row) - height // 2 - 1, round(column) - width // 2 - 1, height, width)
    assert Template().places[part] == wanted


def test_places_outside_of_the_image_are_refused():
    with pytest.raises(ValueError, match="top is -1, but must be at least 0"):
        Place(-1, 0, 1, 1)
    with pytest.raises(ValueError, match="width is 0, but must be at least 1"):
        Place(0, 0, 1, 0)
    with pytest.raises(ValueError, match=r"template\.left_eye is .* inside of 64x64 pixels"):
        Template(left_eye=Place(0, 30, 8, 40)).require_within((64, 64, 3))
    Template().require_within((104, 105, 3))
    for smaller in ((103, 105, 3), (104, 104, 3)):
        with pytest.raises(ValueError, match=r"template\.(mouth|right_eye)"):
            Template().require_within(smaller)
