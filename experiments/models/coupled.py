"""Images of both domains of a model that makes pairs."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from experiments.models.abilities import CHUNK
from experiments.models.chunks import in_chunks
from experiments.runs.experiment import model_of

PairDecoder = Callable[[Any, np.ndarray], np.ndarray]
"""(state, latents (num, numbers)) to uint8 pixels of both domains, (num, 2, height, width, channels)."""


def makes_pairs(config: Any) -> bool:
    """Whether the model makes of a latent an image of each of two domains."""
    from jaxgen.abilities import CoupledModel

    return isinstance(model_of(config), CoupledModel)


@functools.cache
def pair_decoder(config: Any) -> PairDecoder:
    """Latents to pixels of both domains, for a model that `makes_pairs`; compiled once for each config."""
    import jax.numpy as jnp

    from jaxgen.images import to_pixels
    from jaxgen.parallel import compiled

    model: Any = model_of(config)

    @compiled
    def decode(state: Any, latents: Any) -> Any:
        both = model.pairs_from_latents(config, state, latents)
        return jnp.stack([to_pixels(each, config.value_range) for each in both], axis=1)

    return lambda state, latents: in_chunks(functools.partial(decode, state), latents, CHUNK)
