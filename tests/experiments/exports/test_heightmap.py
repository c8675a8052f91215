"""A sample as a 16-bit grey picture."""

import numpy as np
import pytest
from PIL import Image

from experiments import export
from experiments.command_line.errors import UserError
from experiments.exports import heightmap
from experiments.models import sampling
from jaxgen.gans import gan
from tests.experiments import small_runs


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return small_runs.save(small_runs.GAN, tmp_path_factory.mktemp("gan"))


@pytest.mark.parametrize("index", [0, 251])
def test_it_is_the_sample_that_sample_draws_at_more_levels(run, index, tmp_path):
    out = tmp_path / "below" / "height.png"
    assert export.main([str(run), "--as", "heightmap", "--out", str(out), "--seed", "4", "--index", str(index)]) == 0
    with Image.open(out) as picture:
        assert (picture.mode, picture.size) == ("I;16", (8, 8))
        heights = np.asarray(picture)
    pixels = sampling.draw(run, index + 1, 4)[1][index, ..., 0]
    np.testing.assert_allclose(heights, pixels * 257.0, atol=130)
    assert (heights % 257 != 0).any()


def test_a_folder_is_given_the_file(run, tmp_path):
    assert export.main([str(run), "--as", "heightmap", "--out", str(tmp_path / "new")]) == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["heightmap.png"]


def test_heights_go_from_end_to_end_of_the_range_and_are_not_stretched():
    grey = np.array([-1.0, 0.0, 1.0, 1.5], np.float32).reshape(2, 2, 1)
    assert heightmap.heights(grey, (-1.0, 1.0)).ravel().tolist() == [0, 32768, 65535, 65535]
    assert heightmap.heights(grey, (-1.0, 1.0)).dtype == np.uint16


def test_colours_are_weighted_as_luma():
    primaries = np.eye(3, dtype=np.float32).reshape(1, 3, 3)
    shares = heightmap.heights(primaries, (0.0, 1.0)) / 65535
    np.testing.assert_allclose(shares, [[0.299, 0.587, 0.114]], atol=1e-5)
    white = heightmap.heights(np.ones((1, 1, 3), np.float32), (0.0, 1.0))
    assert white.item() == 65535


def test_points_have_no_height_map(tmp_path):
    points = gan.Config(image_shape=(2,), value_range=None, generator=small_runs.NET, discriminator=small_runs.NET)
    run = small_runs.save(points, tmp_path / "run", data="ring8")
    with pytest.raises(UserError, match=r"gan makes data of shape \(2,\) in None, of which there is no height map"):
        export.main([str(run), "--as", "heightmap", "--out", str(tmp_path / "a.png")])
