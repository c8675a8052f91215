import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.limits import Clip, DynamicThreshold, NoLimit
from jaxgen.diffusion.predictions import Estimate, along
from jaxgen.diffusion.schedules import Level

LEVEL = Level(0.6, 0.8)
DATA = jnp.array([[[0.5, -3.0], [1.5, 0.0]], [[0.1, -0.2], [0.3, 0.4]]])
NOISE = jnp.array([[[1.0, 0.2], [-0.4, 0.6]], [[0.3, -2.0], [0.7, 0.0]]])
NOISY = 0.6 * DATA + 0.8 * NOISE
VARIANCE = jnp.full(DATA.shape, 0.25)
FOUND = Estimate(DATA, NOISE, VARIANCE)


def limited(limit, value_range=(-1.0, 1.0), level=LEVEL):
    found = limit.apply(FOUND, level, NOISY, value_range)
    assert found.variance is VARIANCE
    return found


def test_without_a_limit_the_estimate_is_given_back():
    assert limited(NoLimit()) is FOUND


@pytest.mark.parametrize("value_range", [(-1.0, 1.0), (0.0, 1.0)])
def test_clipped_data_are_within_the_range(value_range):
    np.testing.assert_array_equal(limited(Clip(), value_range).data, np.clip(DATA, *value_range))


def test_data_without_bounds_are_not_clipped():
    assert limited(Clip(), None) is FOUND


@pytest.mark.parametrize("limit", [Clip(), DynamicThreshold(), DynamicThreshold(0.5, 1.0)], ids=str)
@pytest.mark.parametrize("level", [LEVEL, Level(jnp.full(2, 0.6), jnp.full(2, 0.8))], ids=["one", "each"])
def test_the_noise_is_estimated_anew_so_that_both_still_make_up_the_example(limit, level):
    found = limited(limit, level=level)
    made = along(level.alpha, DATA) * found.data + along(level.sigma, DATA) * found.noise
    np.testing.assert_allclose(made, NOISY, atol=1e-6)
    np.testing.assert_allclose(found.noise[1], NOISE[1], atol=1e-6)  # within the range already


@pytest.mark.parametrize("limit", [Clip(keep_noise=True), DynamicThreshold(keep_noise=True)], ids=str)
def test_the_estimate_of_the_noise_can_be_kept(limit):
    found = limited(limit)
    assert found.noise is NOISE
    assert np.abs(found.data).max() <= 1.0


def test_the_threshold_is_a_quantile_of_each_example():
    """Sizes 0, .5, 1.5, 3 of the first: their median is 1; of the second at most 1, and left as they are."""
    found = limited(DynamicThreshold(0.75)).data  # 1.5 + .25 (3 - 1.5) = 1.875
    np.testing.assert_allclose(found[0], np.clip(DATA[0], -1.875, 1.875) / 1.875, rtol=1e-6)
    np.testing.assert_array_equal(found[1], DATA[1])
    np.testing.assert_allclose(limited(DynamicThreshold(1.0)).data[0], DATA[0] / 3.0, rtol=1e-6)


def test_a_threshold_of_at_most_1_is_clipping():
    np.testing.assert_array_equal(limited(DynamicThreshold(0.9, most=1.0)).data, limited(Clip()).data)
    np.testing.assert_allclose(limited(DynamicThreshold(1.0, most=2.0)).data[0], np.clip(DATA[0], -2, 2) / 2)


def test_the_defaults_are_imagens_quantile_and_no_largest_threshold():
    assert DynamicThreshold() == DynamicThreshold(0.995, None)


@pytest.mark.parametrize("value_range", [(0.0, 1.0), None])
def test_a_threshold_is_refused_for_other_ranges(value_range):
    with pytest.raises(ValueError, match=r"limit is DynamicThreshold, but must be Clip\(\) for images in"):
        limited(DynamicThreshold(), value_range)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"quantile": 0.0}, r"quantile is 0\.0, but must be in \(0, 1\]"),
        ({"quantile": 1.1}, r"quantile is 1\.1, but must be in \(0, 1\]"),
        ({"most": 0.9}, r"most is 0\.9, but must be at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        DynamicThreshold(**settings)
