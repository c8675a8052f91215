"""Bicubic interpolation: laws, and Pillow's away from the borders."""

import numpy as np
import pytest
from PIL import Image

from experiments.data import bicubic
from tests.metrics import inputs

IMAGE = inputs.pixels(1, 48, 32)[0]


def test_an_image_of_its_own_size_is_itself_and_grey_stays_grey():
    np.testing.assert_array_equal(bicubic.resize(IMAGE, 48, 32), IMAGE)
    for size in ((12, 8), (13, 50), (96, 64)):
        made = bicubic.resize(np.full((48, 32, 1), 77, np.uint8), *size)
        assert made.shape == (*size, 1) and (made == 77).all()


@pytest.mark.parametrize("factor", [2, 4])
def test_reductions_and_enlargements_are_pillows_away_from_the_borders(factor):
    """Which takes a border for nothing, and rounds columns before rows."""
    picture = Image.fromarray(IMAGE)
    small, inner = bicubic.reduce(IMAGE, factor), slice(2, -2)
    wanted = np.asarray(picture.resize((32 // factor, 48 // factor), Image.Resampling.BICUBIC))
    assert np.abs(small.astype(int) - wanted)[inner, inner].max() <= 2
    large, inner = bicubic.resize(IMAGE, 48 * factor, 32 * factor), slice(2 * factor, -2 * factor)
    wanted = np.asarray(picture.resize((32 * factor, 48 * factor), Image.Resampling.BICUBIC))
    assert np.abs(large.astype(int) - wanted)[inner, inner].max() <= 2


def test_a_step_in_the_middle_of_a_row_is_reduced_by_the_kernel():
    """Keys' kernel, stretched by 2 over the pixels 0 0 0 0 200 200 200 200, the border repeated: by hand."""
    row = np.array([0, 0, 0, 0, 200, 200, 200, 200], np.uint8)[None, :, None].repeat(8, axis=0)

    def kernel(x):
        x = abs(x)
        return 1.5 * x**3 - 2.5 * x**2 + 1 if x <= 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0

    wanted = []
    for centre in (0.5, 2.5, 4.5, 6.5):
        weights = [(place, kernel((centre - place) / 2)) for place in range(-8, 16)]
        total = sum(weight for _, weight in weights)
        value = sum(weight * row[0, min(max(place, 0), 7), 0] for place, weight in weights) / total
        wanted.append(min(max(int(value + 0.5), 0), 255) if value > 0 else 0)
    assert bicubic.reduce(row, 2)[0, :, 0].tolist() == wanted


def test_ends_that_do_not_divide_are_cut_before_the_reduction():
    longer = np.concatenate([IMAGE, IMAGE[:3]])
    np.testing.assert_array_equal(bicubic.reduce(longer, 4), bicubic.reduce(IMAGE, 4))
