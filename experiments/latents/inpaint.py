"""Holes in images, filled by a model that has never seen one: the image, what is seen, what is made, and both blended.

Yeh et al. 2016, arXiv 1607.07539: latents are searched for whose image fits around the hole and, of a model with a
discriminator, is like the data; Poisson's equation makes the seam disappear. Beside each image are the peak
signal-to-noise ratios of the whole and of the hole alone.
"""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.evaluation import holes as baseline
from experiments.latents import holes, saved, searching, sheet, sources
from experiments.latents.searching import CHUNK, MethodName, Space, SpaceName, decibels, require_search, said
from experiments.latents.sheet import Sheet
from experiments.latents.sources import Originals, Words
from experiments.latents.trained import Trained
from experiments.models import abilities
from experiments.models.chunks import in_chunks
from experiments.runs.experiment import model_of
from jaxgen import images, parallel
from jaxgen.checks import require
from jaxgen.latents.inpainting import Inpainting, PriorLoss, inpaint
from jaxgen.losses import non_saturating_generator
from jaxgen.metrics.similarity import hole_psnr
from jaxgen.model import Adversary

SUFFIXES = (".png",)

ENERGIES = ("ebgan", "began")
"""Models whose discriminator gives an energy, low for what is like the data; others give scores, high for it."""


@dataclass(frozen=True)
class Options:
    """Which holes in which images, how they are filled, and where to."""

    out: pathlib.Path | None = None  # PNG to write, and an .npz of the same name; RUN/inpaint.png if not given
    images: tuple[str, ...] = ("test:0,1,2,3",)  # classes, test:12,40, sample:0,5, files, folders
    mask: str = "centre"  # centre, half, random (80 %), pattern, or a picture: white where pixels are known
    num: int = 4  # images of each class, at most
    space: SpaceName = "z"  # latents; of a style-based model styles, one (w) or one a layer (w+), or their scales (s)
    method: MethodName = "adam"  # steps of Adam, or quasi-Newton
    steps: int | None = None  # of the method; 500 of adam and 100 of lbfgs if not given
    learning_rate: float = 0.1  # of Adam
    starts: int = 4  # places where a search begins, the best is kept
    window: int = 7  # side of the window in which missing pixels give weight to known ones
    prior_weight: float = 0.003  # of being like the data, lambda
    label: str | None = None  # class that a conditional model is told; each image's own if not given
    invert: bool = False  # exchange dark and light of your own pictures
    seed: int = 0  # of sample:, of the starts and of the holes
    data: str | None = None  # the run's data in their new place, such as folder:PATH; as in the training if not given
    data_dir: pathlib.Path | None = None  # where prepared data sets lie; as in the training if not given

    def __post_init__(self):
        require(1 <= self.num <= 1_000, "--num", self.num, "in [1, 1,000]")
        require(self.window >= 1 and self.window % 2 == 1, "--window", self.window, "odd and positive")
        require(0 <= self.prior_weight < np.inf, "--prior-weight", self.prior_weight, "at least 0 and finite")
        require_search(self)


def draw(run: Trained, options: Options, out: pathlib.Path) -> Iterator[str]:
    """Write the picture; the lines say what was done."""
    abilities.latent_model(run.config)
    space = searching.space_of(run, options.space, options.seed)
    words = Words(run, options.seed, sources.label_of(run, options.label), options.invert)
    chosen, lines = sources.pictures(words, options.images, options.num)
    yield from lines
    masks, missing = holes.masks(options.mask, len(chosen.pixels), run.config.image_shape, options.seed)
    yield missing
    if prior_of(run, run.state) is None:
        yield f"{run.name} has no discriminator: holes are filled without the prior"
    chosen = chosen._replace(labels=searching.labels_for(run, chosen.labels))
    latents, fills, filled = _filled(run, options, space, chosen, masks)
    whole, hole = decibels(filled, chosen.pixels), _of_holes(filled, chosen.pixels, masks)
    yield f"{len(whole)} images, PSNR {said(whole.mean())} dB on average, {said(hole.mean())} in the holes"
    plain = baseline.plain(chosen.pixels, masks)
    by_mean = decibels(plain, chosen.pixels).mean(), _of_holes(plain, chosen.pixels, masks).mean()
    yield "filled with the mean of what is known: PSNR {} dB, {} in the holes".format(*map(said, by_mean))
    path = saved.write(
        out, latents, options.space, chosen.names, labels=chosen.labels, psnr=whole, hole_psnr=hole, masks=masks
    )
    yield f"latents of the space {options.space} in {path}"
    seen = np.where(masks > 0, chosen.pixels, 128).astype(np.uint8)
    rows = tuple(
        f"{name}: {said(one)}, {said(other)} dB" for name, one, other in zip(chosen.names, whole, hole, strict=True)
    )
    tiles = np.stack([chosen.pixels, seen, fills, filled], axis=1)
    sheet.save(Sheet(tiles, rows, ("image", "seen", "made", "filled")), out)


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


def _filled(
    run: Trained, options: Options, space: Space, chosen: Originals, masks: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Latents, and uint8 pixels of what is made of them and of the blended images."""
    minimizer = searching.minimizer_of(options.method, options.steps, options.learning_rate)
    starts = space.starts(options.starts, len(chosen.pixels), chosen.labels)

    @parallel.compiled
    def fill(state: Any, pixels: Any, mask: Any, starts: Any, labels: Any) -> Any:
        prior = prior_of(run, state)
        settings = Inpainting(minimizer, options.window, options.prior_weight, prior, space.support)
        given = () if labels is None else (labels,)
        found = inpaint(settings, space.of(state), images.scale(pixels, run.config.value_range), mask, starts, given)
        made, filled = (images.to_pixels(some, run.config.value_range) for some in (found.fills, found.images))
        return found.latents, made, filled

    def some(places: np.ndarray) -> Any:
        labels = None if chosen.labels is None else chosen.labels[places]
        return fill(run.state, chosen.pixels[places], masks[places], starts[:, places], labels)

    return in_chunks(some, np.arange(len(masks)), min(CHUNK, len(masks)))


def _of_holes(filled: np.ndarray, originals: np.ndarray, masks: np.ndarray) -> np.ndarray:
    made, wanted = (jnp.asarray(pixels, jnp.float32) for pixels in (filled, originals))
    return np.asarray(hole_psnr(made, wanted, jnp.asarray(masks), data_range=255.0))
