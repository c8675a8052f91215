"""What a model that fills holes in images is compared by: its holes, and the plainest fill."""

from typing import Any

import jax
import numpy as np

from experiments.models import sampling
from experiments.models.chunks import in_chunks
from experiments.runs.experiment import model_of
from jaxgen import images
from jaxgen.abilities import Inpainter
from jaxgen.translation.masks import composite, mean_color


def masks(config: Any, inputs: np.ndarray, seed: int) -> np.ndarray | None:
    """The mask with which each sample of a seed is drawn, (num, height, width, 1); None of a model without holes."""
    model = model_of(config)
    if not isinstance(model, Inpainter):
        return None

    def drawn(places: np.ndarray) -> Any:
        pixels, indices = inputs[places], places.astype(np.uint32)
        given = images.scale(jax.numpy.asarray(pixels), config.value_range)
        return model.holes(config, sampling.keys_of(jax.random.key(seed), indices), given)

    return in_chunks(drawn, np.arange(len(inputs)))


def plain(originals: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The originals with the mean colour of what is known in their holes, uint8."""

    def filled(places: np.ndarray) -> Any:
        known, mask = images.scale(jax.numpy.asarray(originals[places]), (0.0, 1.0)), jax.numpy.asarray(masks[places])
        fills = jax.numpy.broadcast_to(mean_color(known, mask), known.shape)
        return images.to_pixels(composite(known, fills, mask), (0.0, 1.0))

    return in_chunks(filled, np.arange(len(originals)))
