"""The bank of filters against its known facts, and images filtered by SciPy."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from jaxgen.band_filters import NUM_BANDS, POWER, SYM2, amplify, filter_bank


def images(shape=(6, 9, 2)):
    return jax.random.uniform(jax.random.key(0), (2, *shape), minval=-1.0)


def test_the_wavelet_is_orthonormal():
    taps = np.array(SYM2)
    assert taps.sum() == pytest.approx(math.sqrt(2), abs=1e-12) and (taps**2).sum() == pytest.approx(1, abs=1e-11)
    assert (taps[2:] * taps[:-2]).sum() == pytest.approx(0.0, abs=1e-11)


def test_the_bank_has_four_symmetric_filters_of_43_taps_that_sum_to_the_identity():
    bank = filter_bank()
    assert bank.shape == (NUM_BANDS, 43)
    np.testing.assert_allclose(bank.sum(0), np.arange(43) == 21, atol=2e-12)
    np.testing.assert_allclose(bank, bank[:, ::-1], atol=1e-12)
    np.testing.assert_allclose(bank.sum(1), [1, 0, 0, 0], atol=2e-12)


@pytest.mark.parametrize("band", range(NUM_BANDS))
def test_a_filter_passes_its_octave_and_no_other(band):
    """The middle of octave k, of the highest 3, is about 3/4 pi 2^(k - 3); band 0 holds all below pi / 8."""
    frequencies = [0.0, *(0.75 * math.pi * 2.0 ** (k - 3) for k in (1, 2, 3))]
    gains = [(filter_bank()[band] * np.cos((np.arange(43) - 21) * each)).sum() for each in frequencies]
    assert np.argmax(gains) == band and gains[band] > 0.7
    assert all(abs(each) < 0.3 for place, each in enumerate(gains) if place != band)


def test_expected_powers_sum_to_1():
    np.testing.assert_allclose(POWER, np.array([10, 1, 1, 1]) / 13, rtol=1e-6)


def test_gains_of_1_change_nothing_and_equal_gains_count_once_along_each_axis():
    x = images()
    np.testing.assert_allclose(amplify(x, jnp.ones((2, 4))), x, atol=1e-6)
    np.testing.assert_allclose(amplify(x, jnp.full((2, 4), 3.0)), 9 * x, rtol=1e-4, atol=1e-5)


def test_filtering_is_scipys_with_each_images_own_gains():
    """SciPy calls the reflection without the border pixels twice `mirror`; sides may be smaller than the filter."""
    x, gains = images(), jnp.array([[1.0, 0.3, 2.0, 0.0], [0.5, 1.0, 1.0, 3.0]])
    found = amplify(x, gains)
    for image, own, filtered in zip(np.asarray(x, np.float64), np.asarray(gains), found, strict=True):
        taps = own @ filter_bank()
        for axis in (0, 1):
            image = ndimage.correlate1d(image, taps, axis, mode="mirror")
        np.testing.assert_allclose(filtered, image, atol=1e-5)


def test_gradients_flow_back_as_the_transposed_map():
    x, gains = images(), jnp.array([[1.0, 0.3, 2.0, 0.0], [0.5, 1.0, 1.0, 3.0]])
    cotangent = jax.random.normal(jax.random.key(1), x.shape)
    outputs, pull = jax.vjp(lambda each: amplify(each, gains), x)
    assert float((cotangent * outputs).sum()) == pytest.approx(float((pull(cotangent)[0] * x).sum()), rel=1e-4)
    assert amplify(x.astype(jnp.bfloat16), gains).dtype == jnp.bfloat16


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="number of bands is 3, but must be 4"):
        amplify(images(), jnp.ones((2, 3)))
    with pytest.raises(ValueError, match="size of images is 1x4, but must be at least 2x2"):
        amplify(images((1, 4, 1)), jnp.ones((2, 4)))
