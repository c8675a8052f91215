"""The table of super-resolution: what is compared, and with what."""

import numpy as np
import pytest
import skimage.color
import skimage.metrics

from experiments.benchmarks import super_resolution
from experiments.command_line.errors import UserError
from experiments.data import bicubic
from tests.experiments.pictures_on_disk import encoded, write_all
from tests.metrics import inputs

ORIGINAL = inputs.pixels(1, 41, 54)[0]


def test_pictures_are_compared_by_their_luminance_inside_of_the_border():
    other = inputs.pixels(1, 41, 54, seed=5)[0]
    found = super_resolution.compare(other, ORIGINAL, 4)
    one, two = (skimage.color.rgb2ycbcr(each)[4:-4, 4:-4, 0] for each in (other, ORIGINAL))
    assert found.psnr == pytest.approx(skimage.metrics.peak_signal_noise_ratio(two, one, data_range=255), abs=1e-3)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    assert found.ssim == pytest.approx(skimage.metrics.structural_similarity(two, one, **options), abs=1e-4)


def test_a_score_is_the_mean_over_pictures_cut_to_a_multiple_of_the_factor():
    def enlarge(small):
        assert small.shape == (10, 13, 3)
        return bicubic.resize(small, 40, 52)

    alone = super_resolution.compare(enlarge(bicubic.reduce(ORIGINAL, 4)), ORIGINAL[:40, :52], 4)
    assert super_resolution.score(enlarge, [ORIGINAL, ORIGINAL], 4) == pytest.approx(alone)
    assert super_resolution.score(lambda small: ORIGINAL[:40, :52], [ORIGINAL], 4) == (np.inf, pytest.approx(1.0))


def test_a_grey_picture_is_compared_with_the_mean_of_the_channels():
    grey = ORIGINAL[..., :1]
    assert super_resolution.compare(grey.repeat(3, axis=2), grey, 4) == (np.inf, pytest.approx(1.0))


def test_the_table_has_a_line_for_bicubic_interpolation(tmp_path, capsys):
    write_all(tmp_path / "Some" / "HR", {"a.png": encoded(ORIGINAL)})
    assert super_resolution.main([str(tmp_path / "Some" / "HR")]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["Some/HR"]
    wanted = super_resolution.score(lambda small: bicubic.resize(small, 40, 52), [ORIGINAL], 4)
    assert line.split() == ["bicubic", f"{wanted.psnr:.2f}", f"{wanted.ssim:.4f}"]
    with pytest.raises(UserError, match="name one folder of pictures or more"):
        super_resolution.main([])
    with pytest.raises(UserError, match="there is no folder"):
        super_resolution.main([str(tmp_path / "none")])
