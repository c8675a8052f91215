"""How denoisers change images: holes are filled, guides become what the data look like."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from experiments.latents.filling import Advance, in_parts, keys_at
from experiments.latents.trained import Trained
from experiments.models import abilities
from jaxgen import images, parallel
from jaxgen.diffusion.editing import STEPWISE, Edit, Guide, RePaint
from jaxgen.diffusion.samplers import DDIM, Adaptive


def by_denoiser(run: Trained, how: Edit, advance: Advance | None = None) -> Callable[..., np.ndarray]:
    """(uint8 pixels, masks, labels or None, seed) to pixels that keep those where a mask is 1, one program for all.

    UserError for a model that is no denoiser.
    """
    editor = abilities.editor(run.config)
    config = _stepwise(run.config)

    @parallel.compiled
    def made(state: Any, pixels: Any, mask: Any, keys: Any, labels: Any) -> Any:
        guide = Guide(images.scale(pixels, config.value_range), mask)
        found = editor.edit(config, state, keys, guide, how, labels)
        return jnp.where(mask > 0, pixels, images.to_pixels(found, config.value_range))

    def edited(pixels: np.ndarray, masks: np.ndarray, labels: np.ndarray | None, seed: int) -> np.ndarray:
        def some(places: np.ndarray) -> Any:
            told = None if labels is None else labels[places]
            return made(run.state, pixels[places], masks[places], keys_at(seed, places), told)

        return in_parts(some, len(pixels), advance)

    return edited


def fills_by_default(run: Trained, seed: int, advance: Advance | None = None) -> Callable[..., np.ndarray]:
    """(uint8 pixels, masks, labels or None) to pixels, by RePaint with the numbers of its paper."""
    return partial(by_denoiser(run, RePaint(), advance), seed=seed)


def said(run: Trained) -> str:
    """Which sampler goes the steps."""
    sampler = _stepwise(run.config).sampler
    return f"{sampler.steps} levels of {type(sampler).__name__}"


def _stepwise(config: Any) -> Any:
    """The settings, with DDIM over the same levels in the place of a sampler that does not go back over its steps.

    Those of an adaptive sampler are not known beforehand: DDIM has its own number of them.
    """
    sampler = config.sampler
    if isinstance(sampler, STEPWISE):
        return config
    if isinstance(sampler, Adaptive):
        return dataclasses.replace(config, sampler=DDIM(limit=sampler.limit))
    return dataclasses.replace(config, sampler=DDIM(sampler.steps, grid=sampler.grid, limit=sampler.limit))
