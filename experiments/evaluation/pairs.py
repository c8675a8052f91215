"""Paired runs: how near each sample is to the target of its input, beside answers that nobody had to train.

Means over the held-out pairs, with a bootstrap interval of 95 %. Images are in [0, 1]: the mean absolute error is a
share of the range of values, and the peak of PSNR is 1. What is enlarged is also compared as the literature of
super-resolution has it: its luminance, without a border as wide as the factor. What is filled is also compared inside
the holes alone.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.evaluation import baselines, holes, palettes, rows, sets
from experiments.evaluation.back import Translate
from experiments.evaluation.measures import Better
from experiments.evaluation.rows import Cell, Row
from experiments.evaluation.sets import Real, Run
from experiments.models import conditions
from experiments.models.chunks import in_chunks
from jaxgen import batches, metrics

CHUNK = 50
"""Pairs that are compared at a time."""

Compare = Callable[[Any, Any], Any]
"""(images, targets), both (num, height, width, channels) uint8, to a value for each pair."""


@dataclass(frozen=True)
class Pairs:
    """What is compared, by name, and with what: uint8, row i of each belongs to row i of the targets."""

    candidates: Mapping[str, np.ndarray]
    targets: np.ndarray
    inputs: np.ndarray
    factor: int = 1  # how many times as high and wide as their inputs targets are
    maps: np.ndarray | None = None  # training targets, where they are label maps
    masks: np.ndarray | None = None  # 0 in the holes, where they are filled


class Asked(NamedTuple):
    """What is compared beside, where a person names files for it."""

    perceptual: Compare | None = None  # of images in [0, 1]
    back: Translate | None = None  # from the photographs that samples are to the label maps that they were made of


NOTHING = Asked()


@dataclass(frozen=True)
class PairMeasure:
    """One metric of pairs."""

    name: str  # as --metrics has it
    title: str
    better: Better
    compare: Compare


def are_there(config: Any) -> bool:
    """Whether a model makes images of images, and what they should be is known."""
    return conditions.is_image(config) and config.batch_type.TARGET is not None


def drawn(runs: Mapping[str, Run], samples: Mapping[str, np.ndarray], real: Real, seed: int) -> Pairs:
    """The samples of each run, drawn with a seed, and the baselines of the first run's held-out pairs."""
    run = next(iter(runs.values()))
    config, num = run.experiment.model, len(next(iter(samples.values())))
    batch = run.given.batch(np.arange(num), config.batch_type)
    inputs, targets = np.asarray(batches.condition(batch)), np.asarray(batches.target(batch))
    simple = baselines.of_inputs(config, inputs) | {"mean": baselines.mean_target(real.train, num)}
    are_maps = run.experiment.images.label_maps == "targets"
    maps = sets.spread(real.train, baselines.MOST).pixels if are_maps else None
    masks = holes.masks(config, inputs, seed)
    if masks is not None:
        simple["mean_color"] = holes.plain(targets, masks)
    return Pairs(dict(samples) | simple, targets, inputs, targets.shape[1] // inputs.shape[1], maps, masks)


def measures(given: Pairs, asked: Asked = NOTHING) -> list[PairMeasure]:
    """Those that there are for the pairs."""
    found = [
        PairMeasure("l1", "mean absolute error", "lower", _on_unit(_absolute)),
        PairMeasure("psnr", "PSNR in dB", "higher", _on_unit(_psnr)),
        PairMeasure("ssim", "SSIM", "higher", _on_unit(_ssim)),
        PairMeasure("ms_ssim_target", "MS-SSIM to the target", "higher", _on_unit(_ms_ssim)),
    ]
    if given.factor > 1:
        cut = f"of the luminance without {given.factor} pixels of the border"
        found += [
            PairMeasure("psnr_y", f"PSNR in dB {cut}", "higher", _on_unit(_on_luminance(_psnr, given.factor))),
            PairMeasure("ssim_y", f"SSIM {cut}", "higher", _on_unit(_on_luminance(_ssim, given.factor))),
        ]
    if given.masks is not None:
        found.append(PairMeasure("psnr_hole", "PSNR in dB inside the holes", "higher", _in_holes(given.masks)))
    if given.maps is not None:
        colours = palettes.palette(given.maps)
        same = functools.partial(palettes.accuracy, colours=colours)
        found.append(PairMeasure("pixel_accuracy", f"pixels of the right of {len(colours)} labels", "higher", same))
    if asked.perceptual is not None:
        found.append(PairMeasure("perceptual", "perceptual distance", "lower", _on_unit(asked.perceptual)))
    if asked.back is not None:
        found.append(_read_back(given.inputs, asked.back))
    return found


def _read_back(maps: np.ndarray, translate: Translate) -> PairMeasure:
    colours = palettes.palette(maps)

    def compare(images: np.ndarray, _: Any) -> np.ndarray:
        return palettes.accuracy(translate(images), maps, colours)

    return PairMeasure("read_back", f"pixels read back as the right of {len(colours)} labels", "higher", compare)


NAMES = (
    "l1",
    "psnr",
    "ssim",
    "ms_ssim_target",
    "psnr_y",
    "ssim_y",
    "psnr_hole",
    "pixel_accuracy",
    "perceptual",
    "read_back",
)
"""As --metrics has them."""


def judge(given: Pairs, names: Sequence[str], seed: int, asked: Asked = NOTHING) -> list[Row]:
    """A row for each measure of the names, all for none, that there is for the pairs."""
    return [_row(measure, given, seed) for measure in measures(given, asked) if not names or measure.name in names]


def _row(measure: PairMeasure, given: Pairs, seed: int) -> Row:
    candidates = dict(given.candidates)
    if measure.name == "pixel_accuracy" and given.maps is not None:
        usual = palettes.most_frequent(given.maps, palettes.palette(given.maps))
        candidates["frequent"] = np.broadcast_to(usual, given.targets.shape)
    if measure.name == "read_back":
        candidates["real"] = given.targets
    cells = {name: _cell(measure, images, given.targets, seed) for name, images in candidates.items()}
    interval = f"bootstrap of {rows.DRAWS:,} draws"
    return Row(measure.name, measure.title, None, "none", better=measure.better, interval=interval, cells=cells)


def _cell(measure: PairMeasure, images: np.ndarray, targets: np.ndarray, seed: int) -> Cell:
    try:
        values = np.asarray(measure.compare(images, targets), np.float32)
    except ValueError as error:  # of the metrics: images too small
        return Cell(num=len(images), reason=str(error))
    if not np.isfinite(values).all():
        return Cell(num=len(images), reason="is infinite: an image is its target")
    return rows.mean_cell(values, seed)


def _on_unit(compare: Compare) -> Compare:
    """The comparison of images in [0, 1], some pairs at a time."""

    @jax.jit
    def unit(both: Any) -> Any:
        images, targets = (both[:, place].astype(jnp.float32) / 255.0 for place in (0, 1))
        return compare(images, targets)

    return lambda images, targets: in_chunks(unit, np.stack([images, targets], axis=1), CHUNK)


def _in_holes(masks: np.ndarray) -> Compare:
    @jax.jit
    def inside(three: Any) -> Any:
        images, targets, known = (three[:, place].astype(jnp.float32) / 255.0 for place in range(3))
        return metrics.hole_psnr(images, targets, known[..., :1], data_range=1.0)

    def compare(images: Any, targets: Any) -> Any:
        known = np.broadcast_to((255 * masks).astype(np.uint8), images.shape)
        return in_chunks(inside, np.stack([images, targets, known], axis=1), CHUNK)

    return compare


def _on_luminance(compare: Compare, border: int) -> Compare:
    def of_luminance(images: Any, targets: Any) -> Any:
        return compare(*(metrics.without_border(metrics.luminance(each), border) for each in (images, targets)))

    return of_luminance


def _absolute(images: Any, targets: Any) -> Any:
    return jnp.abs(images - targets).mean(axis=(1, 2, 3))


_psnr = functools.partial(metrics.psnr, data_range=1.0)
_ssim = functools.partial(metrics.ssim, data_range=1.0)
_ms_ssim = functools.partial(metrics.ms_ssim, data_range=1.0)
