"""Samplers, as values: how a trained network turns noise into data. All take any schedule and any kind of prediction.

`DDIM` and `Ancestral` are those of the first papers, `Euler` and `Heun` EDM's, `DPMSolver` needs the fewest
evaluations; `PredictorCorrector` goes the reverse process of a score; `Renoise` is for consistency models,
which need one; `Adaptive` takes as many steps as a bound of the error asks for. `run` runs one of them.
"""

from typing import TypeAlias

from jaxgen.diffusion.samplers.adaptive import Adaptive
from jaxgen.diffusion.samplers.ancestral import DDIM, Ancestral, Renoise
from jaxgen.diffusion.samplers.dpm_solver import DPMSolver
from jaxgen.diffusion.samplers.ode import Churn, Euler, Heun
from jaxgen.diffusion.samplers.path import Denoise, Point, SamplerLike, run
from jaxgen.diffusion.samplers.predictor_corrector import PredictorCorrector

Sampler: TypeAlias = Adaptive | DDIM | Ancestral | Euler | Heun | DPMSolver | PredictorCorrector | Renoise
"""Samplers that a setting can name on the command line."""

__all__ = [
    "DDIM",
    "Adaptive",
    "Ancestral",
    "Churn",
    "DPMSolver",
    "Denoise",
    "Euler",
    "Heun",
    "Point",
    "PredictorCorrector",
    "Renoise",
    "Sampler",
    "SamplerLike",
    "run",
]
