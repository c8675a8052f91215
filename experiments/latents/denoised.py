"""How denoisers change images: holes are filled, guides become what the data look like."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.latents.searching import CHUNK
from experiments.latents.trained import Trained
from experiments.models import abilities, sampling
from experiments.models.chunks import in_chunks
from jaxgen import images, parallel
from jaxgen.diffusion.editing import STEPWISE, Edit, Guide, RePaint
from jaxgen.diffusion.samplers import DDIM

Advance = Callable[[int], None]
"""Told of each part that is done."""


def by_denoiser(run: Trained, how: Edit, seed: int, advance: Advance | None = None) -> Callable[..., np.ndarray]:
    """(uint8 pixels, masks, labels or None) to pixels that keep those where a mask is 1; a draw has its own key.

    UserError for a model that is no denoiser.
    """
    editor = abilities.editor(run.config)
    config = _stepwise(run.config)

    @parallel.compiled
    def made(state: Any, pixels: Any, mask: Any, keys: Any, labels: Any) -> Any:
        guide = Guide(images.scale(pixels, config.value_range), mask)
        found = editor.edit(config, state, keys, guide, how, labels)
        return jnp.where(mask > 0, pixels, images.to_pixels(found, config.value_range))

    def edited(pixels: np.ndarray, masks: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        def some(places: np.ndarray) -> Any:
            keys = sampling.keys_of(jax.random.key(seed), places.astype(np.uint32))
            told = None if labels is None else labels[places]
            found = jax.device_get(made(run.state, pixels[places], masks[places], keys, told))
            if advance is not None:
                advance(len(np.unique(places)))
            return found

        return in_chunks(some, np.arange(len(pixels)), min(CHUNK, len(pixels)))

    return edited


def fills_by_default(run: Trained, seed: int, advance: Advance | None = None) -> Callable[..., np.ndarray]:
    """RePaint with the numbers of its paper."""
    return by_denoiser(run, RePaint(), seed, advance)


def said(run: Trained) -> str:
    """Which sampler goes the steps."""
    sampler = _stepwise(run.config).sampler
    return f"{sampler.steps} levels of {type(sampler).__name__}"


def _stepwise(config: Any) -> Any:
    """The settings, with DDIM over the same levels in the place of a sampler that does not go back over its steps."""
    sampler = config.sampler
    if isinstance(sampler, STEPWISE):
        return config
    return dataclasses.replace(config, sampler=DDIM(sampler.steps, grid=sampler.grid, limit=sampler.limit))
