"""How finished runs fill holes: by a search through the latents of a generator, or as a network was trained to."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.evaluation import holes
from experiments.latents.searching import CHUNK, Space, minimizer_of
from experiments.latents.trained import Trained
from experiments.models import sampling
from experiments.models.chunks import in_chunks
from experiments.runs.experiment import model_of
from jaxgen import images, parallel
from jaxgen.abilities import Adversary
from jaxgen.latents.inpainting import Inpainting, PriorLoss, inpaint
from jaxgen.losses import non_saturating_generator
from jaxgen.metrics.similarity import hole_psnr
from jaxgen.translation.masks import Masked

ENERGIES = ("ebgan", "began")
"""Models whose discriminator gives an energy, low for what is like the data; others give scores, high for it."""

Advance = Callable[[int], None]
"""Told how many images were filled since it was told last."""


class Filled(NamedTuple):
    """What a search finds."""

    latents: Any
    fills: Any  # uint8 pixels of what is made of them
    images: Any  # and of the blended images


def prior_of(run: Trained, state: Any) -> PriorLoss | None:
    """-log D, or the energy, of images, each on its own; None of a model without discriminator or critic."""
    model = model_of(run.config)
    if not isinstance(model, Adversary):
        return None

    def score(image: Any, *given: Any) -> Any:
        condition = tuple(one[None] for one in given) or (None,)
        return model.discriminate(run.config, state, image[None], *condition)[0]

    def prior(made: Any, *given: Any) -> Any:
        scores = jax.vmap(score)(made, *given)
        return scores if run.name in ENERGIES else non_saturating_generator(scores)

    return prior


def by_search(run: Trained, options: Any, space: Space, advance: Advance | None = None) -> Callable[..., Filled]:
    """(uint8 pixels, masks, labels or None) to what a search finds, one program for all calls.

    Args:
        run: whose generator fills.
        options: `method`, `steps`, `learning_rate`, `starts`, `window` and `prior_weight` of the action.
        space: in which latents are searched for.
        advance: told of each part that is done.
    """
    minimizer = minimizer_of(options.method, options.steps, options.learning_rate)

    @parallel.compiled
    def fill(state: Any, pixels: Any, mask: Any, starts: Any, labels: Any) -> Any:
        prior = prior_of(run, state)
        settings = Inpainting(minimizer, options.window, options.prior_weight, prior, space.support)
        given = () if labels is None else (labels,)
        found = inpaint(settings, space.of(state), images.scale(pixels, run.config.value_range), mask, starts, given)
        made, filled = (images.to_pixels(some, run.config.value_range) for some in (found.fills, found.images))
        return Filled(found.latents, made, filled)

    def filled(pixels: np.ndarray, masks: np.ndarray, labels: np.ndarray | None) -> Filled:
        starts = space.starts(options.starts, len(pixels), labels)

        def some(places: np.ndarray) -> Any:
            told = None if labels is None else labels[places]
            return fill(run.state, pixels[places], masks[places], starts[:, places], told)

        return in_parts(some, len(masks), advance)

    return filled


def own_holes(run: Trained, pixels: np.ndarray) -> np.ndarray | None:
    """The mask of a network that fills one hole alone, the same in all images; None of others."""
    drawn = [holes.masks(run.config, pixels[:1], seed) for seed in (0, 1)]
    if drawn[0] is None or not np.array_equal(*drawn):  # pyright: ignore[reportArgumentType]
        return None
    return np.broadcast_to(drawn[0], (len(pixels), *drawn[0].shape[1:]))


def by_network(run: Trained, seed: int, advance: Advance | None = None) -> Callable[..., np.ndarray]:
    """(uint8 pixels, masks, labels or None) to pixels that a network was trained to fill; labels play no part."""
    model: Any = model_of(run.config)

    @parallel.compiled
    def fill(state: Any, pixels: Any, mask: Any, keys: Any) -> Any:
        given = images.scale(pixels, run.config.value_range)
        condition = given if mask is None else Masked(given, mask)
        return images.to_pixels(model.sample(run.config, state, keys, len(pixels), condition), run.config.value_range)

    def filled(pixels: np.ndarray, masks: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        fixed = own_holes(run, pixels) is not None

        def some(places: np.ndarray) -> Any:
            return fill(run.state, pixels[places], None if fixed else masks[places], keys_at(seed, places))

        return in_parts(some, len(masks), advance)

    return filled


def in_parts(some: Callable[[np.ndarray], Any], num: int, advance: Advance | None) -> Any:
    """What `some` makes of the places of images, part by part."""

    def part(places: np.ndarray) -> Any:
        found = jax.device_get(some(places))
        if advance is not None:
            advance(len(np.unique(places)))
        return found

    return in_chunks(part, np.arange(num), min(CHUNK, num))


def keys_at(seed: int, places: np.ndarray) -> Any:
    """A key for each place, the same whichever others are drawn."""
    return sampling.keys_of(jax.random.key(seed), places.astype(np.uint32))


def hole_decibels(filled: np.ndarray, originals: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """PSNR in the hole of each of some uint8 images; infinite for equal ones."""
    made, wanted = (jnp.asarray(pixels, jnp.float32) for pixels in (filled, originals))
    return np.asarray(hole_psnr(made, wanted, jnp.asarray(masks), data_range=255.0))
