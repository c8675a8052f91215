"""Grids of times for a sampler, as values: at which times the network is asked, from the noise to the data.

A network that predicts the noise says next to nothing of the data where alpha is almost 0, as at the first times of a
cosine schedule: its error is divided by alpha. With `least_log_snr` a grid begins where the log SNR is that number,
if the schedule's is below it there; `KNOWN`, log(alpha / sigma) = -5.1, is where the code of arXiv 2211.01095 begins.
A schedule that begins at pure noise is left alone, since its networks do not predict the noise.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from jaxgen.checks import NonNegativeInt, PositiveFloat, require, require_bounds
from jaxgen.diffusion.schedules import Schedule, Sigmas

KNOWN = -10.2
"""A log SNR, at which alpha is 0.006: below it little is known of the data."""


@dataclass(frozen=True)
class Even:
    """Equal steps from `start` to the data, the data left out: "trailing" in arXiv 2305.08891."""

    least_log_snr: float | None = None  # the first time has at least this; None: it is `start`

    def times(self, schedule: Schedule, num: int) -> np.ndarray:
        """(num,) falling times, float64."""
        length = _first(schedule, self.least_log_snr) - schedule.data
        return schedule.data + _rounded(schedule, length * (1.0 - np.arange(num) / num))


@dataclass(frozen=True)
class Linspace:
    """Equal steps from `start` to `end`, both among the times."""

    def times(self, schedule: Schedule, num: int) -> np.ndarray:
        """(num,) falling times, float64."""
        return _rounded(schedule, np.linspace(schedule.start, schedule.end, num))


@dataclass(frozen=True)
class Leading:
    """Every (T // num)-th of T steps, counted from the data: DDIM's "uniform", arXiv 2010.02502, appendix D.2."""

    offset: NonNegativeInt = 0  # 1 in latent diffusion

    def __post_init__(self):
        require_bounds(self)

    def times(self, schedule: Schedule, num: int) -> np.ndarray:
        """(num,) falling times, float64."""
        steps = _steps(schedule, "Leading")
        _require_enough(schedule, num)
        times = np.arange(num)[::-1] * float(steps // num)
        most = int(schedule.start - times[0])
        require(self.offset <= most, "offset", self.offset, f"at most {most}, with {num} of {steps} steps")
        return times + self.offset


@dataclass(frozen=True)
class Quadratic:
    """The squares of equal steps, rounded down: DDIM's "quadratic", arXiv 2010.02502, appendix D.2."""

    share: PositiveFloat = 0.8  # of the T steps, that the times reach

    def __post_init__(self):
        require_bounds(self)

    def times(self, schedule: Schedule, num: int) -> np.ndarray:
        """(num,) falling times, float64."""
        steps = _steps(schedule, "Quadratic")
        most = schedule.start / steps
        require(
            self.share <= most, "share", self.share, f"at most {most}, so that the times are among the {steps} steps"
        )
        return np.floor(np.linspace(0.0, (self.share * steps) ** 0.5, num) ** 2 + 1e-9)[::-1]


def karras_ratio(share: Any, least: float, most: float, rho: float) -> Any:
    """(least^(1/rho) + share (most^(1/rho) - least^(1/rho)))^rho: EDM, arXiv 2206.00364, equation 5.

    `share` is 0 at the least sigma / alpha and 1 at the most; an array of NumPy or of JAX.
    """
    first, last = least ** (1.0 / rho), most ** (1.0 / rho)
    return (first + share * (last - first)) ** rho


def karras_share(ratio: Any, least: float, most: float, rho: float) -> Any:
    """The share at which `karras_ratio` is this one."""
    first, last = least ** (1.0 / rho), most ** (1.0 / rho)
    return (ratio ** (1.0 / rho) - first) / (last - first)


@dataclass(frozen=True)
class Karras:
    """(sigma / alpha)^(1 / rho) in equal steps from `start` to `end`: EDM, arXiv 2206.00364, equation 5."""

    rho: PositiveFloat = 7.0
    least_log_snr: float | None = KNOWN  # the first time has at least this; None: it is `start`

    def __post_init__(self):
        require_bounds(self)

    def times(self, schedule: Schedule, num: int) -> np.ndarray:
        """(num,) falling times, float64."""
        most, least = np.exp(-0.5 * _log_snrs(schedule, self))
        return schedule.time(-2.0 * np.log(karras_ratio(np.linspace(1.0, 0.0, num), least, most, self.rho)))


@dataclass(frozen=True)
class LogSNR:
    """log SNR in equal steps from `start` to `end`: arXiv 2206.00927, section 3.4."""

    least_log_snr: float | None = None  # the first time has at least this; None: it is `start`

    def times(self, schedule: Schedule, num: int) -> np.ndarray:
        """(num,) falling times, float64."""
        most_noise, least_noise = _log_snrs(schedule, self)
        return schedule.time(np.linspace(most_noise, least_noise, num))


@dataclass(frozen=True)
class Usual:
    """What suits the schedule: `Karras` where times are sigmas, as EDM's; `Even` elsewhere."""

    least_log_snr: float | None = KNOWN  # the first time has at least this; None: it is `start`

    def times(self, schedule: Schedule, num: int) -> np.ndarray:
        """(num,) falling times, float64."""
        grid = Karras if isinstance(schedule, Sigmas) else Even
        return grid(least_log_snr=self.least_log_snr).times(schedule, num)


@dataclass(frozen=True)
class Shifted:
    """s t / (1 + (s - 1) t) of `Even`'s times t, for more steps where noise is: arXiv 2403.03206, section 5.3.2."""

    shift: PositiveFloat = 3.0  # s, the root of how many times more pixels there are

    def __post_init__(self):
        require_bounds(self)

    def times(self, schedule: Schedule, num: int) -> np.ndarray:
        """(num,) falling times, float64."""
        require(schedule.start == 1.0 and not schedule.discrete, "grid", "Shifted", "another one, for times in [0, 1]")
        even = Even().times(schedule, num)
        return self.shift * even / (1.0 + (self.shift - 1.0) * even)


@dataclass(frozen=True)
class Listed:
    """These times."""

    listed: tuple[float, ...] = ()

    def times(self, schedule: Schedule, num: int) -> np.ndarray:
        """(num,) falling times, float64."""
        require(num == len(self.listed), "steps", num, f"{len(self.listed)}, the number of times listed")
        times = np.asarray(self.listed, np.float64)
        falling = (np.diff(times) < 0).all() and (times <= schedule.start).all() and (times > schedule.data).all()
        require(num > 0 and bool(falling), "listed", self.listed, f"falling, in ({schedule.data}, {schedule.start}]")
        return times


Grid: TypeAlias = Even | Linspace | Leading | Quadratic | Karras | LogSNR | Shifted | Usual | Listed
"""Grids that a setting can name on the command line."""


def _rounded(schedule: Schedule, times: np.ndarray) -> np.ndarray:
    """Whole steps of a discrete schedule, which must differ."""
    if not schedule.discrete:
        return times
    _require_enough(schedule, len(times))
    return np.round(times)


def _require_enough(schedule: Schedule, num: int) -> None:
    most = int(schedule.start) + 1
    require(num <= most, "steps", num, f"at most {most}, the schedule's")


def _steps(schedule: Schedule, grid: str) -> int:
    require(schedule.discrete, "grid", grid, "another one, for a schedule without discrete steps")
    return int(schedule.start) + 1


def _first(schedule: Schedule, least_log_snr: float | None) -> float:
    """`start`, or the time at which the log SNR is the least that is wanted."""
    with np.errstate(divide="ignore"):
        log_snr = float(schedule.log_snr(np.float64(schedule.start)))
    if least_log_snr is None or not np.isfinite(log_snr) or log_snr >= least_log_snr:
        return float(schedule.start)
    time = float(schedule.time(np.float64(least_log_snr)))
    return np.floor(time) if schedule.discrete else time


def _log_snrs(schedule: Schedule, grid: Karras | LogSNR) -> np.ndarray:
    """log SNR at the first time and at `end`."""
    with np.errstate(divide="ignore"):
        first = _first(schedule, grid.least_log_snr)
        ends = np.asarray(schedule.log_snr(np.array([first, schedule.end])))
    require(
        bool(np.isfinite(ends).all()), "grid", type(grid).__name__, "another one: this schedule begins at pure noise"
    )
    return ends
