"""Draws from the posterior of images, by a model that has one."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.models import abilities
from experiments.models.abilities import CHUNK
from experiments.models.chunks import in_chunks
from experiments.runs.experiment import model_of

Drawer = Callable[[Any, Any, np.ndarray, Any], np.ndarray]
"""(state, a key for each image, uint8 pixels, labels or None) to pixels of one draw of each image's posterior."""


@functools.cache
def drawer(config: Any) -> Drawer:
    """Pixels to those of latents drawn from their posteriors; compiled once for each config. UserError without one."""
    from jaxgen.abilities import PosteriorModel
    from jaxgen.images import scale, to_pixels
    from jaxgen.parallel import compiled

    model: Any = model_of(config)
    if not isinstance(model, PosteriorModel):
        name = abilities.name_of(config)
        raise UserError(f"{name} has no posterior of latents to draw from; leave --draws out, or use a VAE")
    abilities.autoencoder(config)  # of pictures
    told = abilities.has_classes(config)

    @compiled
    def draw(state: Any, keys: Any, pixels: Any, labels: Any) -> Any:
        latents = model.draw_posterior(config, state, keys, scale(pixels, config.value_range), labels)
        return to_pixels(model.from_latents(config, state, latents, labels), config.value_range)

    def draw_all(state: Any, keys: Any, pixels: np.ndarray, labels: Any) -> np.ndarray:
        def of(places: np.ndarray) -> Any:
            return draw(state, keys[places], pixels[places], labels[places] if told else None)

        return in_chunks(of, np.arange(len(pixels)), min(CHUNK, len(pixels)))

    return draw_all
