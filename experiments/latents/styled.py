"""A run of a style-based model: styles of latents, and images of styles with fixed or with other noise."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.command_line.errors import UserError
from experiments.latents import sources
from experiments.latents.sources import Points, Words
from experiments.latents.trained import Trained
from experiments.models import abilities
from experiments.models.chunks import in_chunks
from jaxgen import parallel
from jaxgen.gans import noise_inputs, style_features
from jaxgen.images import to_pixels
from jaxgen.mode import Mode

CHUNK = 64
"""Images in one call, at most."""


@dataclass(frozen=True)
class Styled:
    """A run of a model that `abilities.styled_model` gives; UserError for another."""

    run: Trained

    def __post_init__(self):
        abilities.styled_model(self.run.config)

    def points(self, names: tuple[str, ...], seed: int, label: str | None) -> Points:
        """The latents that words such as sample:0,5 name."""
        words = Words(self.run, seed, sources.label_of(self.run, label))
        return sources.points(words, names, of_class=1)[0]

    def ws(self, points: Points) -> np.ndarray:
        """The styles of each layer, (num, layers, features), truncated as `--drawing` says."""
        return self.ws_of(points.latents, points.labels if self.run.conditional else None)

    def ws_of(self, latents: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        """The same of latents as vectors, and of the labels that a conditional model is told."""
        return np.asarray(self._to_w_plus(self.run.state, latents, labels))

    def images(self, ws: np.ndarray, keys: jax.Array | None = None, state: Any = None) -> np.ndarray:
        """Images in the value range, float32, of the run's state or another; noise is fixed, or drawn with keys."""
        draw = partial(self._from_w_plus, self.run.state if state is None else state)

        def some(places: np.ndarray) -> jax.Array:
            return draw(ws[places], None if keys is None else keys[places])

        return in_chunks(some, np.arange(len(ws)), min(len(ws), CHUNK))

    def pixels(self, ws: np.ndarray, keys: jax.Array | None = None, state: Any = None) -> np.ndarray:
        """The same in uint8."""
        return np.asarray(to_pixels(jnp.asarray(self.images(ws, keys, state)), self.run.config.value_range))

    def map_sizes(self, ws: np.ndarray) -> dict[str, tuple[int, int]]:
        """Height and width of the map of each layer with a noise input."""
        model: Any = abilities.styled_model(self.run.config)
        return noise_inputs.map_sizes(partial(model.from_w_plus, self.run.config, self.run.state), jnp.asarray(ws))

    def made(self, make: Callable[..., Any], *arrays: np.ndarray, others: tuple[Trained, ...] = ()) -> np.ndarray:
        """uint8 pixels of `make(draw, *draws, *rows)`: the run's generator and others' as functions of ws, and rows."""
        runs = (self.run, *others)

        @parallel.compiled
        def some(states: Any, rows: Any) -> Any:
            draws = [
                partial(abilities.styled_model(run.config).from_w_plus, run.config, state)
                for run, state in zip(runs, states, strict=True)
            ]
            return to_pixels(make(*draws, *rows), self.run.config.value_range)

        places, states = np.arange(len(arrays[0])), [run.state for run in runs]
        return in_chunks(
            lambda chunk: some(states, [array[chunk] for array in arrays]), places, min(len(places), CHUNK)
        )

    def layer_sizes(self, ws: np.ndarray) -> list[tuple[int, int]]:
        """Height and width of the maps after each layer. UserError where they are no parts of the image."""
        model: Any = abilities.styled_model(self.run.config)
        draw = partial(model.from_w_plus, self.run.config, self.run.state)
        sizes = list(style_features.map_sizes(draw, jnp.asarray(ws[:1])).values())
        height, width, _ = self.run.config.image_shape
        if any(height % rows or height // rows * columns != width for rows, columns in sizes):
            raise UserError(f"{self.run.name} has maps that are no parts of its image; use a run of StyleGAN 1 or 2")
        return sizes

    @cached_property
    def _to_w_plus(self) -> Callable[..., Any]:
        model, shape = abilities.styled_model(self.run.config), abilities.latent_shape(self.run.config)

        def to_w_plus(state: Any, latents: Any, labels: Any) -> Any:
            return model.to_w_plus(self.run.config, state, latents.reshape(-1, *shape), labels)

        return parallel.compiled(to_w_plus)

    @cached_property
    def _from_w_plus(self) -> Callable[..., Any]:
        model = abilities.styled_model(self.run.config)
        return parallel.compiled(lambda state, ws, keys: model.from_w_plus(self.run.config, state, ws, Mode(keys)))


def require_layers(option: str, layers: Iterable[int], num: int) -> None:
    """UserError for a layer that a generator has not."""
    wrong = [layer for layer in layers if not 0 <= layer < num]
    if wrong:
        raise UserError(f"{option} has {wrong[0]}, but the layers are 0 to {num - 1}; choose of these")
