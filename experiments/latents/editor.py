"""Edits of one image at a time: what is painted on it, candidates that obey, and the change of a photograph."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from experiments.command_line.checks import require_seed
from experiments.latents import filling, searching
from experiments.latents.layers import Painted, Wishes
from experiments.latents.trained import Trained
from jaxgen import images, parallel
from jaxgen.checks import require
from jaxgen.latents import editing
from jaxgen.latents.edit_transfer import Transfer, transfer
from jaxgen.latents.editing import Constraints, Editing, Layer
from jaxgen.minimization import Descent
from jaxgen.optimizers import Adam, Optimizer


@dataclass(frozen=True)
class Search:
    """How candidates are searched for; the numbers are those of iGAN."""

    steps: int = 40  # of Adam
    learning_rate: float = 0.1  # of Adam
    starts: int = 64  # places around the image's latents where the search begins
    spread: float = 0.5  # of these places, in deviations of the prior
    keep: int = 16  # candidates that are kept, the best ones, at most
    closeness: float = 5.0  # weight of staying near the image's latents
    edge_weight: float = 0.2  # of edges beside colours
    prior_weight: float = 0.0  # of being like the data, as the discriminator says
    seed: int = 0  # of the starts


class Origin(NamedTuple):
    """The image where an edit begins."""

    latent: np.ndarray  # (latent,)
    label: int | None = None  # that the model is told


class Found(NamedTuple):
    """Candidates, the best first."""

    latents: np.ndarray  # (kept, latent)
    pixels: np.ndarray  # (kept, height, width, channels) uint8
    values: np.ndarray  # (kept,): equation 3 of `jaxgen.latents.editing`


Edit: TypeAlias = Callable[[Origin, Wishes], Found]

Move: TypeAlias = Callable[[Origin, np.ndarray, np.ndarray], np.ndarray]
"""The origin, other latents (latent,) and a photograph, uint8, to the photograph changed as the model's image is."""


def require_settings(search: Search) -> None:
    """ValueError for settings that no search can have, in the words of the command line."""
    require(1 <= search.steps <= 100_000, "--steps", search.steps, "in [1, 100,000]")
    require(1 <= search.starts <= 1_000, "--starts", search.starts, "in [1, 1,000]")
    require(search.keep >= 1, "--keep", search.keep, "at least 1")
    rate = search.learning_rate
    require(0 < rate < np.inf, "--learning-rate", rate, "above 0 and finite")
    for name in ("spread", "closeness", "edge_weight", "prior_weight"):
        value = getattr(search, name)
        require(0 <= value < np.inf, f"--{name.replace('_', '-')}", value, "at least 0 and finite")
    require_seed(search.seed)


def editor(run: Trained, search: Search) -> Edit:
    """The edits of a run's images; programs are compiled once for each kind of wishes."""
    cell, value_range = max(2, min(run.config.image_shape[:2]) // 8), run.config.value_range
    space = searching.space_of(run, "z", search.seed)
    draws = space.starts(search.starts, 1, None)[1:]
    minimizer = Descent(Optimizer(search.learning_rate, Adam(b1=0.5)), search.steps)

    @parallel.compiled
    def find(state: Any, latents: Any, draws: Any, wanted: Constraints, labels: Any) -> Any:
        settings = Editing(
            minimizer,
            edge_weight=search.edge_weight,
            closeness=search.closeness,
            prior_weight=search.prior_weight,
            prior=filling.prior_of(run, state),
            keep=search.keep,
            cell=cell,
            value_range=value_range,
            support=space.support,
        )
        given = () if labels is None else (labels,)
        found = editing.edit(settings, space.of(state), wanted, editing.around(latents, draws, search.spread), given)
        return found.latents[:, 0], images.to_pixels(found.images[:, 0], value_range), found.values[:, 0]

    def edit(origin: Origin, wishes: Wishes) -> Found:
        wanted = Constraints(*(_layer(painted, value_range) for painted in wishes))
        return Found(*jax.device_get(find(run.state, origin.latent[None], draws, wanted, _labels(origin))))

    return edit


def mover(run: Trained) -> Move:
    """How a run's images change on the way to other latents, brought to a photograph."""
    space = searching.space_of(run, "z", 0)

    @parallel.compiled
    def moved(state: Any, ends: Any, photograph: Any, labels: Any) -> Any:
        given = () if labels is None else (labels,)
        seen = images.scale(photograph, run.config.value_range)
        return images.to_pixels(transfer(Transfer(), space.of(state), ends, seen, given), run.config.value_range)

    def move(origin: Origin, latent: np.ndarray, photograph: np.ndarray) -> np.ndarray:
        ends = origin.latent[None], latent[None]
        return np.asarray(moved(run.state, ends, photograph[None], _labels(origin))[0])

    return move


def _layer(painted: Painted | None, value_range: images.ValueRange) -> Layer | None:
    if painted is None:
        return None
    return Layer(images.scale(jnp.asarray(painted.pixels[None]), value_range), jnp.asarray(painted.mask[None]))


def _labels(origin: Origin) -> np.ndarray | None:
    return None if origin.label is None else np.array([origin.label], np.int32)
