"""Noise schedules, as values: how much of the data and how much noise is left at a time.

A noisy example at time t is

    x_t = alpha_t x_0 + sigma_t epsilon,   epsilon ~ N(0, I),                                            (1)

and log SNR(t) = 2 log(alpha_t / sigma_t) falls from the data to the noise. Each schedule counts time as its source
does; in all of them noise is at the larger times. `start` is the noisiest time, `end` the least noisy one at which a
network is asked, `data` the time of clean data. Formulas take NumPy arrays, in float64 for the grids of samplers, and
JAX arrays, in float32 for training.
"""

from typing import TypeAlias

from jaxgen.diffusion.schedules.betas import CosineBetas, LinearBetas, ScaledLinearBetas
from jaxgen.diffusion.schedules.continuous import VE, VP, Cosine, Sigmas, Straight, SubVP
from jaxgen.diffusion.schedules.levels import CLEAN, Level, log_snr_rate, ratio, snr

Betas: TypeAlias = LinearBetas | ScaledLinearBetas | CosineBetas
Schedule: TypeAlias = LinearBetas | ScaledLinearBetas | CosineBetas | VP | SubVP | Cosine | VE | Sigmas | Straight
"""Schedules that a setting can name on the command line."""

__all__ = [
    "CLEAN",
    "VE",
    "VP",
    "Betas",
    "Cosine",
    "CosineBetas",
    "Level",
    "LinearBetas",
    "ScaledLinearBetas",
    "Schedule",
    "Sigmas",
    "Straight",
    "SubVP",
    "log_snr_rate",
    "ratio",
    "snr",
]
