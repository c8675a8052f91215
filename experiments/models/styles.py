"""The style of images under other texts: their latents, decoded for each of some captions."""

from collections.abc import Callable
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.models import abilities

CHUNK = 64
"""Images that are made in one call, at most."""

Transfer = Callable[[Any, np.ndarray, np.ndarray], np.ndarray]
"""(state, uint8 pixels of images, captions) to uint8 pixels, (images, captions, height, width, channels)."""


def require(config: Any) -> None:
    """UserError unless the model makes images of texts, and finds the latents of an image."""
    from jaxgen.abilities import Autoencoder

    if not isinstance(abilities.text_model(config), Autoencoder):
        raise UserError(f"{abilities.name_of(config)} finds no style of an image; use a run of style_encoder")


def transfer(config: Any) -> Transfer:
    """What makes, of each image and each caption, an image in the style of the one that the other describes.

    UserError as `require` has it.
    """
    from jaxgen.images import scale, to_pixels
    from jaxgen.parallel import compiled

    require(config)
    model: Any = abilities.text_model(config)

    @compiled
    def make(state: Any, pixels: Any, captions: Any) -> Any:
        latents = model.to_latents(config, state, scale(pixels, config.value_range))
        return to_pixels(model.from_latents(config, state, latents, captions), config.value_range)

    def transferred(state: Any, pixels: np.ndarray, captions: np.ndarray) -> np.ndarray:
        num = len(pixels) * len(captions)
        rows, columns = np.arange(num) // len(captions), np.arange(num) % len(captions)
        size, made = min(num, CHUNK), []
        for start in range(0, num, size):
            places = np.minimum(np.arange(start, start + size), num - 1)
            made.append(np.asarray(make(state, pixels[rows[places]], captions[columns[places]])))
        return np.concatenate(made)[:num].reshape(len(pixels), len(captions), *pixels.shape[1:])

    return transferred
