"""Perceptual path lengths of a style-based model, in z and in w: how much an image changes for a small step.

Karras, Laine, Aila 2018, arXiv 1812.04948, section 4.1, at steps of 1e-4; along whole paths ("full") and where they
begin ("end"). Paths in z are great circles, in w straight lines. The distance is not LPIPS, whose weights are not here:
it is the squared distance of features of the classifier trained here, each of unit length. Values are comparable among
runs that the same classifier judges, not with published ones. Lengths below the 1st and above the 99th percentile are
left out, as in the authors' code.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.command_line.errors import UserError
from experiments.evaluation import rows
from experiments.evaluation.extractors import Extractor
from experiments.evaluation.rows import Cell, Row
from experiments.evaluation.sets import Run
from experiments.models import abilities, classes
from jaxgen import metrics, parallel
from jaxgen.latents.interpolation import spherical
from jaxgen.metrics import perceptual_path_lengths

NAME = "path_length"
"""As --metrics has it."""

CHUNK = 64
"""Paths in one call."""

PERCENTILES = 1, 99
"""Between which lengths count."""

PLACES = ("full", "end")
SPACES = {"z": jax.jit(spherical), "w": jax.jit(jax.vmap(lambda start, end, t: (1 - t) * start + t * end))}
"""How paths go."""


def is_there(config: Any) -> bool:
    """Whether a model has styles."""
    try:
        abilities.styled_model(config)
    except UserError:
        return False
    return True


def judge(runs: Mapping[str, Run], extractors: Sequence[Extractor], num: int, seed: int) -> list[Row]:
    """A row for each space and each place of the runs, over `num` paths; or one with the reason why there is none."""
    extractor = next((one for one in extractors if one.classes), None)
    if extractor is None:
        return [Row(NAME, "path length", reason="needs --extractor classifier, for which a set must have labels")]
    found = {name: lengths(run, distance(extractor), num, seed) for name, run in runs.items()}
    interval = f"bootstrap of {rows.DRAWS:,} draws"
    judged = extractor.name, extractor.resize, extractor.accuracy
    return [
        Row(
            NAME,
            f"path length in {space}, {place}",
            *judged,
            interval=interval,
            cells=_cells(found, (space, place), seed),
        )
        for space in SPACES
        for place in PLACES
    ]


def _cells(found: Mapping[str, Mapping[tuple[str, str], np.ndarray]], which: tuple[str, str], seed: int) -> Any:
    return {name: _cell(values[which], seed) for name, values in found.items()}


def _cell(values: np.ndarray, seed: int) -> Cell:
    low, high = (
        np.percentile(values, percent, method=method)
        for percent, method in zip(PERCENTILES, ("lower", "higher"), strict=True)
    )
    kept = values[(values >= low) & (values <= high)]
    return rows.mean_cell(kept, seed, len(values))


def distance(extractor: Extractor) -> Callable[[Any, Any], Any]:
    """Squared distance of the extractor's features, each of unit length, for images in [-1, 1]; 0 to 4."""

    def features(images: Any) -> Any:
        return jnp.asarray(extractor.outputs(np.asarray(images)).features)[:, None, None]

    def compare(images: Any, others: Any) -> Any:
        maps = features(images), features(others)
        return metrics.lpips(lambda each: [each], [jnp.ones(maps[0].shape[-1])], *maps)

    return compare


def lengths(run: Run, distance: Callable[[Any, Any], Any], num: int, seed: int) -> dict[tuple[str, str], np.ndarray]:
    """Lengths of `num` paths, by space and place, of a distance of two batches of images in [-1, 1]."""
    parts: dict[tuple[str, str], list[np.ndarray]] = {}
    for chunk in range(-(-num // CHUNK)):
        for which, values in _chunk(run, distance, jax.random.fold_in(jax.random.key(seed), chunk)):
            parts.setdefault(which, []).append(values)
    return {which: np.concatenate(values)[:num] for which, values in parts.items()}


def _chunk(
    run: Run, distance: Callable[[Any, Any], Any], key: jax.Array
) -> Iterator[tuple[tuple[str, str], np.ndarray]]:
    """Of one chunk of paths; both ends of a path are of one class."""
    config: Any = run.experiment.model
    in_turn = classes.in_turn(config)
    labels = None if in_turn is None else in_turn(np.arange(CHUNK))
    compiled = _compiled(config)
    of_start, of_end, of_times = jax.random.split(key, 3)
    ends = config.prior.draw(of_start, CHUNK), config.prior.draw(of_end, CHUNK)
    by_space = {"z": ends, "w": tuple(compiled["styles"](run.state, latents, labels) for latents in ends)}
    times = {"full": jax.random.uniform(of_times, (CHUNK,)), "end": jnp.zeros(CHUNK)}
    for space, interpolate in SPACES.items():
        generate = functools.partial(compiled[space], run.state, labels)
        for place in PLACES:
            found = perceptual_path_lengths(generate, distance, interpolate, by_space[space], times[place])
            yield (space, place), np.asarray(found)


@functools.cache
def _compiled(config: Any) -> dict[str, Callable[..., Any]]:
    """`styles` of latents, and images in [-1, 1] of latents `z` and of styles `w`, of a state."""
    model: Any = abilities.styled_model(config)

    def ranged(images: Any) -> Any:
        low, high = config.value_range
        return (images - low) * (2 / (high - low)) - 1

    return {
        "styles": parallel.compiled(lambda state, latents, labels: model.to_w_plus(config, state, latents, labels)),
        "z": parallel.compiled(lambda state, labels, z: ranged(model.from_latents(config, state, z, labels))),
        "w": parallel.compiled(lambda state, labels, w: ranged(model.from_w_plus(config, state, w))),
    }
