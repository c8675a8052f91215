"""Kaiser-window filters beside SciPy's."""

import numpy as np
import pytest
import scipy.signal
import scipy.special

from jaxgen.nets.filters import bessel_j1, kaiser_attenuation, kaiser_beta, lowpass, radial_lowpass

DESIGNS = [
    (12, 2.0, 6.0, 32.0),
    (24, 12.7, 19.3, 128.0),
    (12, 128.0, 29.6, 512.0),
    (7, 3.0, 0.9, 16.0),
    (1, 2.0, 6.0, 32.0),
]


def test_golden_values_of_a_filter():
    """`firwin(12, 2, width=12, fs=32)`."""
    half = [0.000792, 0.010018, 0.038950, 0.092413, 0.156526, 0.201302]
    np.testing.assert_allclose(lowpass(12, 2.0, 6.0, 32.0), half + half[::-1], atol=5e-7)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_filter_is_scipys(design):
    num, cutoff, half_width, rate = design
    taps = lowpass(*design)
    if num > 1:  # SciPy's own test of the window's width fails for one tap
        wanted = scipy.signal.firwin(num, cutoff, width=2 * half_width, fs=rate)
        np.testing.assert_allclose(taps, wanted, rtol=1e-12)
    assert taps.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("width", [0.05, 0.4, 1.2])
def test_attenuation_and_shape_of_the_window_are_scipys(width):
    """Below 21 decibels, to 50 and above."""
    attenuation = kaiser_attenuation(12, width)
    assert attenuation == pytest.approx(scipy.signal.kaiser_atten(12, width))
    assert kaiser_beta(attenuation) == pytest.approx(scipy.signal.kaiser_beta(attenuation))


def test_the_bessel_function_is_scipys():
    x = np.linspace(-60.0, 60.0, 997).reshape(-1, 1)
    np.testing.assert_allclose(bessel_j1(x), scipy.special.j1(x), atol=1e-14)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_radial_filter_is_the_jinc_function_in_the_window(design):
    num, cutoff, half_width, rate = design
    taps = radial_lowpass(*design)
    beta = scipy.signal.kaiser_beta(scipy.signal.kaiser_atten(num, 2 * half_width / (rate / 2)))
    window = scipy.signal.windows.kaiser(num, beta)
    x = (np.arange(num) - (num - 1) / 2) / rate
    r = np.maximum(np.hypot(x[:, None], x[None]), 1e-12)
    wanted = scipy.special.j1(2 * np.pi * cutoff * r) / (np.pi * r) * np.outer(window, window)
    np.testing.assert_allclose(taps, wanted / wanted.sum(), atol=1e-12)
    assert taps.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(taps, np.rot90(taps), atol=1e-14)


@pytest.mark.parametrize("filter_of", [lowpass, radial_lowpass])
def test_a_filter_passes_low_frequencies_and_stops_high_ones(filter_of):
    """Of 48 taps: with 2 f_h = 5 around 8, 0 to 5 pass and 11 to 16 are below a thousandth."""
    taps = filter_of(48, 8.0, 2.5, 32.0)
    taps = taps if taps.ndim == 1 else taps.sum(axis=0)
    x = (np.arange(48) - 23.5) / 32
    frequencies = np.array([0.0, 3.0, 5.0, 11.0, 13.0, 16.0])
    response = np.abs(np.exp(-2j * np.pi * frequencies[:, None] * x) @ taps)
    np.testing.assert_allclose(response, [1, 1, 1, 0, 0, 0], atol=2e-3)


@pytest.mark.parametrize(
    ("design", "message"),
    [
        ((0, 2.0, 1.0, 8.0), "num_taps is 0, but must be at least 1"),
        ((4, 0.0, 1.0, 8.0), "cutoff is 0.0, but must be above 0 and at most half of the sampling rate 8.0"),
        ((4, 4.5, 1.0, 8.0), "cutoff is 4.5, but must be"),
        ((4, 2.0, 0.0, 8.0), "half_width is 0.0, but must be above 0"),
    ],
)
def test_impossible_designs_are_refused(design, message):
    for filter_of in (lowpass, radial_lowpass):
        with pytest.raises(ValueError, match=message):
            filter_of(*design)
