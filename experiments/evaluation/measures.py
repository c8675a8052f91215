"""Metrics by name: which examples `jaxgen.metrics` is given, and what a larger value says.

A measure is a function of a reference (real training examples), of candidates (samples, or held-out examples for the
floor), of a key and of a generator of random choices. Where sets must be equally large, the reference is cut at random.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from experiments.data import toys
from experiments.evaluation.sets import Examples
from jaxgen import metrics

CONFIDENT = 0.9
"""Probability of the likeliest class from which on an image counts as recognised."""

SPLITS = 10
"""Of the inception score."""

PATCHES = metrics.Patches(per_image=16, projections=256)
"""Of the sliced Wasserstein distance: an eighth of the authors' patches and half of their directions."""

PAIRS = 500
"""Of images, whose similarity is the MS-SSIM diversity."""

NEAREST_BYTES = 2**30
"""Of training images in float32, at most, among which the nearest is looked for."""

MODES: dict[str, tuple[Callable[[], np.ndarray], float]] = {
    "ring8": (toys.ring8_centres, toys.RING8_DEVIATION),
    "grid25": (toys.grid25_centres, toys.GRID25_DEVIATION),
}
"""Centres and deviation of the sets of points that have modes."""

Better = Literal["lower", "higher", "half", "real"]
"""Which value is the best: the lowest, the highest, 1/2, or that of held-out examples."""

Need = Literal["features", "logits", "classes", "asked", "pixels", "images", "modes"]
"""What a measure is made of: features of any extractor, logits of any that has them, logits of the classifier of the
data's classes, these and the labels, examples as they are, images as they are, points around known modes."""

Compute = Callable[[Any, Examples, jax.Array, np.random.Generator], Any]


@dataclass(frozen=True)
class Measure:
    """One metric, or two that are computed together."""

    name: str  # as --metrics has it
    rows: tuple[str, ...]  # a name for each value
    needs: Need
    better: Better
    compute: Compute  # (prepared reference, candidates, key, choices) to a value for each row, or one for each example
    by_num: bool = False  # the value depends on how many examples there are
    per_example: bool = False  # `compute` gives (rows, num), of which the means are reported
    least: int = 1  # candidates that it needs
    least_reference: int = 1  # of the reference; as many as candidates where `by_pairs`
    by_pairs: bool = False  # it compares as many of the reference as there are candidates
    most: int | None = None  # candidates that are taken, at most
    prepare: Callable[[Examples], Any] = lambda reference: reference  # once for all candidates


def why_not(measure: Measure, num: int, num_reference: int) -> str | None:
    """Why a measure has no value for so many candidates and examples of the reference; None if it has one."""
    if measure.most:
        num = min(num, measure.most)
    if num < measure.least:
        return f"needs at least {measure.least} examples, but there are {num}"
    wanted = max(measure.least_reference, num if measure.by_pairs else 0)
    if num_reference < wanted:
        return f"needs at least {wanted:,} real training examples, but there are {num_reference:,}"
    return None


def _array(values: np.ndarray | None) -> jax.Array:
    if values is None:
        raise TypeError("the extractor gives no such outputs")
    return jnp.asarray(values)


def _as_many(reference: Examples, num: int, choices: np.random.Generator) -> Examples:
    """As many of the reference as there are candidates, at random."""
    return reference.take(np.sort(choices.permutation(len(reference))[:num]))


_moments = jax.jit(metrics.moments)
_frechet = jax.jit(metrics.frechet_distance)
_kernel = jax.jit(metrics.kernel_distance)
_precision_recall = jax.jit(metrics.precision_recall)
_density_coverage = jax.jit(metrics.density_coverage)
_two_sample = jax.jit(metrics.nearest_neighbor_accuracy)
_nearest = jax.jit(metrics.nearest_neighbors)
_scores = jax.jit(metrics.inception_scores, static_argnames="num_splits")
_pyramid = jax.jit(functools.partial(metrics.pyramid_distances, patches=PATCHES))
_ms_ssim = jax.jit(functools.partial(metrics.ms_ssim_diversity, data_range=1.0, num_pairs=PAIRS))
_within = jax.jit(metrics.within_class_variety, static_argnames="num_classes")
_modes = jax.jit(metrics.mode_coverage, static_argnames="stddev")


def _frechet_distance(reference: Any, candidates: Examples, *_: Any) -> tuple[Any]:
    return (_frechet(reference, _moments(_array(candidates.features))),)


def _kernel_distance(reference: Examples, candidates: Examples, *_: Any) -> tuple[Any]:
    return (_kernel(_array(reference.features), _array(candidates.features)),)


def _on_features(function: Callable[..., Any]) -> Compute:
    """A metric of as many real as generated features."""

    def compute(reference: Examples, candidates: Examples, _key: Any, choices: np.random.Generator) -> Any:
        among = _as_many(reference, len(candidates), choices)
        return function(_array(among.features), _array(candidates.features))

    return compute


def _two_sample_accuracy(*inputs: Any) -> tuple[Any]:
    return (_on_features(_two_sample)(*inputs).accuracy,)


def _probabilities(candidates: Examples) -> np.ndarray:
    return np.asarray(jax.nn.softmax(_array(candidates.logits), axis=1))


def _confident(_reference: Any, candidates: Examples, *_: Any) -> np.ndarray:
    return (_probabilities(candidates).max(axis=1) >= CONFIDENT)[None]


def class_shares(examples: Examples) -> np.ndarray:
    """The share of each class that the classifier finds, (classes,)."""
    probabilities = _probabilities(examples)
    return np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1]) / len(probabilities)


def _class_distance(reference: Examples, candidates: Examples, *_: Any) -> tuple[Any]:
    """Total variation: half the sum of the differences of class shares, as the classifier sees both."""
    return (np.abs(class_shares(reference) - class_shares(candidates)).sum() / 2,)


def _as_asked(_reference: Any, candidates: Examples, *_: Any) -> np.ndarray:
    return (_probabilities(candidates).argmax(axis=1) == candidates.labels)[None]


def _class_variety(reference: Examples, candidates: Examples, *_: Any) -> tuple[Any]:
    """That of the candidates over that of the reference."""
    num, sets = _array(candidates.logits).shape[1], (candidates, reference)
    if min(np.bincount(np.asarray(one.labels)).max() for one in sets) < 2:
        raise ValueError("needs two examples of one class")
    found, real = (_within(_array(one.features), _array(one.labels), num_classes=num) for one in sets)
    return (found / real,)


def _inception_score(_reference: Any, candidates: Examples, _key: Any, choices: np.random.Generator) -> tuple[Any]:
    shuffled = choices.permutation(len(candidates))
    return (_scores(_array(candidates.take(shuffled).logits), num_splits=SPLITS).mean(),)


def _nearest_training(reference: Any, candidates: Examples, *_: Any) -> np.ndarray:
    return np.asarray(_nearest(jnp.asarray(candidates.rows), reference).distances)[None]


def _images(examples: Examples) -> jax.Array:
    return jnp.asarray(examples.rows.reshape(examples.pixels.shape))


def _sliced_wasserstein(
    reference: Examples, candidates: Examples, key: jax.Array, choices: np.random.Generator
) -> tuple[Any]:
    among = _as_many(reference, len(candidates), choices)
    return (_pyramid(_images(among), _images(candidates), key).mean(),)


def _diversity(_reference: Any, candidates: Examples, key: jax.Array, *_: Any) -> tuple[Any]:
    return (_ms_ssim(_images(candidates), key),)


def modes_of(data: str) -> Compute:
    """Modes covered and the share of high quality, of the points of that name."""
    centres, deviation = MODES[data]

    def compute(_reference: Any, candidates: Examples, *_: Any) -> tuple[Any, Any]:
        found = _modes(jnp.asarray(candidates.rows), jnp.asarray(centres(), jnp.float32), stddev=deviation)
        return found.covered, found.high_quality

    return compute


def named(name: str) -> Measure:
    """The measure of images of that name, as --metrics has it."""
    (found,) = (measure for measure in all_of("") if measure.name == name)
    return found


def all_of(data: str) -> tuple[Measure, ...]:
    """Every measure there is, for the data set of that name."""
    modes = modes_of(data) if data in MODES else _no_modes
    return (
        Measure(
            *("frechet", ("Frechet distance",), "features", "lower", _frechet_distance),
            by_num=True,
            least=2,
            least_reference=2,
            prepare=lambda reference: _moments(_array(reference.features)),
        ),
        Measure(*("kernel", ("kernel distance",), "features", "lower", _kernel_distance), least=2, least_reference=2),
        Measure(
            *("precision_recall", ("precision", "recall"), "features", "higher", _on_features(_precision_recall)),
            by_num=True,
            by_pairs=True,
            least=4,  # k = 3 others for each
        ),
        Measure(
            *("density_coverage", ("density", "coverage"), "features", "higher", _on_features(_density_coverage)),
            by_num=True,
            by_pairs=True,
            least=6,  # k = 5 others for each
        ),
        Measure(
            *("two_sample", ("1-NN two-sample accuracy",), "features", "half", _two_sample_accuracy),
            by_pairs=True,
            least=2,
        ),
        Measure(
            *("confidence", (f"recognised (p >= {CONFIDENT})",), "classes", "higher", _confident), per_example=True
        ),
        Measure("classes", ("distance of class shares",), "classes", "lower", _class_distance, by_num=True),
        Measure("as_asked", ("classified as asked",), "asked", "higher", _as_asked, per_example=True),
        Measure(
            *("class_variety", ("variety within classes",), "asked", "real", _class_variety),
            least=2,
            least_reference=2,
        ),
        Measure(
            *("inception_score", ("inception score",), "logits", "higher", _inception_score),
            by_num=True,
            least=SPLITS,
        ),
        Measure(
            *("nearest", ("nearest training image",), "pixels", "real", _nearest_training),
            per_example=True,
            prepare=lambda reference: jnp.asarray(reference.rows),
        ),
        Measure(
            *("sliced_wasserstein", ("sliced Wasserstein x 10^3",), "images", "lower", _sliced_wasserstein),
            by_num=True,
            by_pairs=True,
            most=1_024,
        ),
        Measure("ms_ssim", ("MS-SSIM of pairs",), "images", "real", _diversity, least=2),
        Measure("modes", ("modes covered", "high quality"), "modes", "higher", modes, by_num=True),
    )


def _no_modes(*_: Any) -> Any:
    raise ValueError("the data have no known modes")
