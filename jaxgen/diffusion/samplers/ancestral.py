"""The samplers of DDPM and DDIM.

Song, Meng, Ermon: Denoising Diffusion Implicit Models, 2020, arXiv 2010.02502. With x_0 and epsilon estimated at t, a
step to the next time n is

    x_n = alpha_n x_0 + sqrt(sigma_n^2 - s^2) epsilon + r z,    z ~ N(0, I),                              (1)
    b^2 = sigma_t^2 - (alpha_t / alpha_n)^2 sigma_n^2,    p = b sigma_n / sigma_t.

b^2 is beta_t and p^2 the variance of the posterior q(x_n|x_t, x_0). DDIM has r = s = eta p. The ancestral sampler of
Ho, Jain, Abbeel, 2020, arXiv 2006.11239, has s = p, and r from p to b. The last step, to the data, adds no noise.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.checks import NonNegativeFloat, PositiveInt, require, require_bounds
from jaxgen.diffusion.grids import Even, Grid, Karras
from jaxgen.diffusion.limits import Clip, Limit
from jaxgen.diffusion.predictions import Estimate
from jaxgen.diffusion.samplers.path import Denoise, Path, Point, path
from jaxgen.diffusion.schedules import Level, Schedule
from jaxgen.typing import Points


class Row(NamedTuple):
    """Numbers of one step; `rows` gives those of all steps, float64 arrays."""

    point: Point
    alpha: Any  # alpha_n
    direction: Any  # sqrt(sigma_n^2 - s^2)
    log_small: Any  # log p^2
    log_large: Any  # log b^2
    noisy: Any  # 1, or 0 for a step that adds no noise


class RenoiseRow(NamedTuple):
    """Numbers of one step of `Renoise`, float64 arrays of all steps."""

    point: Point
    alpha: Any  # alpha_n
    deviation: Any  # r, of the noise that is added


@dataclass(frozen=True)
class DDIM:
    """DDIM, and with eta all between it and ancestral sampling: equation 1 with r = s = eta p."""

    steps: PositiveInt = 50
    eta: NonNegativeFloat = 0.0  # 0: no noise; 1: the ancestral sampler with the small variance
    grid: Grid = Even()
    limit: Limit = Clip()
    to_data: bool = True  # the last step leads to sigma = 0; else to the grid's last time

    def __post_init__(self):
        require_bounds(self)
        require(self.eta <= 1, "eta", self.eta, "at most 1")

    stochastic = property(lambda self: self.eta > 0)
    evaluations = property(lambda self: self.steps)

    def rows(self, schedule: Schedule) -> Row:
        """Numbers of all steps."""
        return _rows(path(schedule, self.grid, self.steps, self.to_data), self.eta)

    def memory(self, start: Points) -> tuple[()]:
        """Nothing."""
        return ()

    def step(
        self, denoise: Denoise, carry: tuple[Points, tuple[()]], row: Row, noise: Points | None
    ) -> tuple[Points, tuple[()]]:
        """One step."""
        found = denoise(carry[0], row.point)
        x = row.alpha * found.data + row.direction * found.noise
        if noise is not None:
            x = x + self.eta * jnp.exp(0.5 * row.log_small) * row.noisy * noise
        return x, ()


@dataclass(frozen=True)
class Ancestral:
    """Ancestral sampling: equation 1 with s = p, and for r p ("small"), b ("large"), or the network's ("learned")."""

    steps: PositiveInt = 1000
    variance: Literal["small", "large", "learned"] = "large"
    grid: Grid = Even()
    limit: Limit = Clip()
    to_data: bool = True  # the last step leads to sigma = 0; else to the grid's last time

    stochastic = True
    evaluations = property(lambda self: self.steps)

    def __post_init__(self):
        require_bounds(self)

    def rows(self, schedule: Schedule) -> Row:
        """Numbers of all steps."""
        return _rows(path(schedule, self.grid, self.steps, self.to_data), 1.0)

    def memory(self, start: Points) -> tuple[()]:
        """Nothing."""
        return ()

    def step(
        self, denoise: Denoise, carry: tuple[Points, tuple[()]], row: Row, noise: Points | None
    ) -> tuple[Points, tuple[()]]:
        """One step."""
        found = denoise(carry[0], row.point)
        deviation = jnp.exp(0.5 * self._log_variance(found, row)) * row.noisy
        return row.alpha * found.data + row.direction * found.noise + deviation * jnp.asarray(noise), ()

    def _log_variance(self, found: Estimate, row: Row) -> jax.Array:
        """v log b^2 + (1 - v) log p^2, v of equation 15 of arXiv 2102.09672, or an end of it."""
        match self.variance:
            case "small":
                return row.log_small
            case "large":
                return row.log_large
        if found.variance is None:
            raise ValueError("variance is 'learned', but must be 'small' or 'large': this network predicts no variance")
        return found.variance * row.log_large + (1.0 - found.variance) * row.log_small


@dataclass(frozen=True)
class Renoise:
    """x_0 at once, noised anew for the next step: of consistency models, arXiv 2303.01469, algorithm 1.

    Equation 1 with s = sigma_n, and r = sqrt(sigma_n^2 - (alpha_n e)^2), e being sigma / alpha at the last time of the
    grid, of which x_0 still has the noise. The network is asked at the times before that one.
    """

    steps: PositiveInt = 1
    grid: Grid = Karras()
    limit: Limit = Clip()

    def __post_init__(self):
        require_bounds(self)

    stochastic = property(lambda self: self.steps > 1)
    evaluations = property(lambda self: self.steps)

    def rows(self, schedule: Schedule) -> RenoiseRow:
        """Numbers of all steps."""
        steps = path(schedule, self.grid, self.steps, to_data=False)
        alpha, sigma = steps.next.level
        added = np.sqrt(np.maximum(sigma**2 - (alpha * sigma[-1] / alpha[-1]) ** 2, 0.0))
        return RenoiseRow(steps.points, alpha, added)

    def memory(self, start: Points) -> tuple[()]:
        """Nothing."""
        return ()

    def step(
        self, denoise: Denoise, carry: tuple[Points, tuple[()]], row: RenoiseRow, noise: Points | None
    ) -> tuple[Points, tuple[()]]:
        """One step."""
        x = row.alpha * denoise(carry[0], row.point).data
        return x if noise is None else x + row.deviation * noise, ()


def step_variances(level: Level, following: Level) -> tuple[np.ndarray, np.ndarray]:
    """p^2 and b^2 of steps from levels to the following ones, float64."""
    large = level.sigma**2 - (level.alpha / following.alpha) ** 2 * following.sigma**2
    return large * (following.sigma / level.sigma) ** 2, large


def _rows(steps: Path, eta: float) -> Row:
    following = steps.next.level
    small, large = step_variances(steps.points.level, following)
    direction = np.sqrt(np.maximum(following.sigma**2 - eta**2 * small, 0.0))
    noisy = (following.sigma > 0).astype(np.float64)
    log_small, log_large = (np.log(np.maximum(each, 1e-30)) for each in (small, large))
    return Row(steps.points, following.alpha, direction, log_small, log_large, noisy)
