"""Low-pass filters of finite impulse response, designed by Kaiser windows.

Kaiser: Nonrecursive Digital Filter Design Using the I0-sinh Window Function, 1974, IEEE International Symposium on
Circuits and Systems; the radial ones: Karras et al.: Alias-Free Generative Adversarial Networks, 2021, arXiv
2106.12423.

A filter of n taps at sampling rate s lets frequencies below the cutoff f_c pass. The transition band around f_c is
2 f_h wide. All of a design are NumPy numbers in float64, made while a network is traced.
"""

import math

import numpy as np
import numpy.typing as npt

from jaxgen.checks import require

Taps = npt.NDArray[np.floating]
"""(n,), a filter for rows and columns in turn, or (n, n)."""


def kaiser_attenuation(num_taps: int, width: float) -> float:
    """2.285 (n - 1) pi width + 7.95: decibels that n taps reach in the stop band.

    `width` is that of the transition band over the Nyquist frequency s / 2.
    """
    return 2.285 * (num_taps - 1) * math.pi * width + 7.95


def kaiser_beta(attenuation: float) -> float:
    """The shape of a Kaiser window whose filter reaches this attenuation, in decibels."""
    if attenuation > 50:
        return 0.1102 * (attenuation - 8.7)
    if attenuation > 21:
        return 0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21)
    return 0.0


def lowpass(num_taps: int, cutoff: float, half_width: float, rate: float) -> Taps:
    """sin(2 pi f_c x) / (pi x) times the window, at places x = (i - (n - 1) / 2) / s, divided by the sum; (n,)."""
    window = _window(num_taps, cutoff, half_width, rate)
    taps = np.sinc(2 * cutoff * _places(num_taps, rate)) * window
    return taps / taps.sum()


def radial_lowpass(num_taps: int, cutoff: float, half_width: float, rate: float) -> Taps:
    """J_1(2 pi f_c r) / r times the window of each axis, r the distance of a place to the middle; (n, n), sum 1.

    The same in all directions but for the window.
    """
    window = _window(num_taps, cutoff, half_width, rate)
    places = _places(num_taps, rate)
    radius = np.hypot(places[:, None], places[None, :])
    middle = radius < 1e-9 / rate
    quotient = bessel_j1(2 * np.pi * cutoff * radius) / np.where(middle, 1.0, radius)
    taps = np.where(middle, np.pi * cutoff, quotient) * np.outer(window, window)  # J_1(y) = y / 2 + ... near 0
    return taps / taps.sum()


def bessel_j1(values: npt.ArrayLike) -> Taps:
    """J_1(x), the Bessel function of the first kind, as the mean of cos(t - x sin t) over t in (0, pi).

    The midpoint rule of a periodic function: for |x| < 100 exact to rounding.
    """
    times = (np.arange(256) + 0.5) * np.pi / 256
    values = np.asarray(values, np.float64)
    return np.cos(times - values[..., None] * np.sin(times)).mean(axis=-1)


def _window(num_taps: int, cutoff: float, half_width: float, rate: float) -> Taps:
    require(num_taps >= 1, "num_taps", num_taps, "at least 1")
    require(0 < cutoff <= rate / 2, "cutoff", cutoff, f"above 0 and at most half of the sampling rate {rate}")
    require(half_width > 0, "half_width", half_width, "above 0")
    return np.kaiser(num_taps, kaiser_beta(kaiser_attenuation(num_taps, 2 * half_width / (rate / 2))))


def _places(num_taps: int, rate: float) -> Taps:
    return (np.arange(num_taps) - (num_taps - 1) / 2) / rate
