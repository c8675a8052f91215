"""The rows of an evaluation: a metric, its value and interval for each set, and how it was taken.

Intervals are of 95 %. Where a value is a mean over examples they are the middle of its bootstrap. A distance of sets is
taken again for random halves of the candidates instead, drawn without repetition: a repeated example would be its own
nearest neighbour. The deviation over halves is that of the whole (Shao, Wu 1989: the delete-half jackknife), and 1.96
of it are laid on either side.
"""

import functools
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.evaluation import measures, sets
from experiments.evaluation.extractors import Extractor
from experiments.evaluation.measures import NEAREST_BYTES, Better, Measure
from experiments.evaluation.sets import Examples, Real
from jaxgen.metrics import bootstrap, percentile_interval

DRAWS = 1_000
"""Of the bootstrap."""

NORMAL = 1.96
"""Deviations of a Gaussian between whose negative and itself 95 % lie."""


@dataclass(frozen=True)
class Cell:
    """A metric of one set; a reason where it has no value."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    num: int = 0  # examples
    reason: str | None = None


@dataclass(frozen=True)
class Row:
    """A metric of all sets."""

    metric: str
    name: str
    extractor: str | None = None
    resize: str | None = None
    classifier_accuracy: float | None = None
    better: Better = "lower"
    interval: str = ""
    num_reference: int = 0
    cells: dict[str, Cell] = field(default_factory=dict)  # by the set's name
    reason: str | None = None  # why no set has it


class Prepared(NamedTuple):
    """A reference as a measure takes it."""

    reference: Any
    num: int  # examples


@dataclass(frozen=True)
class Plan:
    """How much is taken of everything."""

    num_reference: int = 10_000  # real training examples, at most
    num_halves: int = 20  # for an interval; 0 for none
    equal_num: bool = True  # samples are cut to as many as are held out, where a metric depends on the number
    seed: int = 0


class Sets:
    """All sets of an evaluation, and what each extractor makes of them, computed once."""

    def __init__(self, real: Real, candidates: dict[str, Examples], plan: Plan):
        self.real, self.candidates, self.plan = real, candidates, plan
        self._seen: dict[tuple[Extractor, str], Examples] = {}
        self.reference = sets.spread(real.train, plan.num_reference)

    @functools.cached_property
    def neighbors(self) -> Examples:
        """All training examples, as far as memory allows: a copy may be of any of them."""
        return sets.spread(self.real.train, max(1, NEAREST_BYTES // (4 * int(np.prod(self.real.train.image_shape)))))

    def seen(self, extractor: Extractor | None, name: str) -> Examples:
        """A set, "reference" for the real training examples, as the extractor sees it."""
        plain = self.reference if name == "reference" else self.candidates[name]
        if extractor is None:
            return plain
        if (extractor, name) not in self._seen:  # two files of weights may have one name
            self._seen[extractor, name] = extractor(plain)
        return self._seen[extractor, name]


def judge(measure: Measure, extractors: Sequence[Extractor], given: Sets) -> list[Row]:
    """The rows of a measure: one for each of its values and each extractor that serves it, or one with a reason."""
    fitting, reason = _fitting(measure, extractors, given.real)
    if reason:
        return [Row(measure.name, " and ".join(measure.rows), reason=reason)]
    return [row for extractor in fitting for row in _rows(measure, extractor, given)]


def _fitting(
    measure: Measure, extractors: Sequence[Extractor], real: Real
) -> tuple[Sequence[Extractor | None], str | None]:
    """The extractors that serve a measure, or why none does."""
    match measure.needs:
        case "features":
            return extractors, None
        case "logits":
            fitting = [one for one in extractors if one.classes or one.name.startswith("inception")]
            return fitting, None if fitting else "needs logits: --extractor classifier or inception:FILE"
        case "classes" | "asked":
            fitting = [one for one in extractors if one.classes]
            return fitting, None if fitting else "needs --extractor classifier, for which a set must have labels"
        case "images":
            return [None], None if real.kind == "images" else "is of images, but the data are points"
        case "modes":
            from experiments.evaluation.measures import MODES

            known = real.train.name in MODES
            return [None], None if known else f"needs points around known modes: {' or '.join(MODES)}"
    return [None], None


def _rows(measure: Measure, extractor: Extractor | None, given: Sets) -> list[Row]:
    reference = given.neighbors if measure.needs == "pixels" else given.seen(extractor, "reference")
    prepared = Prepared(measure.prepare(reference), len(reference))
    cells = {name: _cells(measure, extractor, given, name, prepared) for name in given.candidates}
    row = Row(
        measure.name,
        "",
        extractor.name if extractor else None,
        extractor.resize if extractor else "none",
        extractor.accuracy if extractor else None,
        measure.better,
        f"bootstrap of {DRAWS:,} draws" if measure.per_example else of_halves(given.plan.num_halves),
        len(reference),
    )
    return [
        replace(row, name=title, cells={name: found[place] for name, found in cells.items()})
        for place, title in enumerate(measure.rows)
    ]


def _cells(measure: Measure, extractor: Extractor | None, given: Sets, name: str, prepared: Prepared) -> list[Cell]:
    """A cell for each value of a measure, of one set."""
    if measure.needs == "asked" and given.candidates[name].labels is None:
        return [Cell(reason="the model is not told a class")] * len(measure.rows)
    candidates = given.seen(extractor, name)
    plan, held_out = given.plan, given.candidates.get("real")
    if measure.by_num and plan.equal_num and held_out is not None:
        candidates = candidates.first(len(held_out))
    try:
        return cells(measure, prepared, candidates, plan.seed, plan.num_halves)
    except ValueError as error:  # of the metrics: too few examples, too small images
        return [Cell(num=len(candidates), reason=str(error))] * len(measure.rows)


def cells(measure: Measure, prepared: Prepared, candidates: Examples, seed: int, num_halves: int) -> list[Cell]:
    """Values with intervals, of a prepared reference. ValueError where the metric cannot be computed."""
    if reason := measures.why_not(measure, len(candidates), prepared.num):
        raise ValueError(reason)
    reference = prepared.reference
    choices = np.random.Generator(np.random.Philox(key=[seed, zlib.crc32(measure.name.encode())]))
    key = jax.random.key(seed)
    if measure.most and len(candidates) > measure.most:
        candidates = candidates.take(np.sort(choices.permutation(len(candidates))[: measure.most]))
    num = len(candidates)
    found = np.asarray(jax.device_get(measure.compute(reference, candidates, key, choices)), np.float32)
    if measure.per_example:
        if not num_halves:
            return [Cell(float(row.mean()), num=num) for row in found]
        return [Cell(float(row.mean()), *bootstrapped(row, key), num=num) for row in found]
    if num_halves < 2 or num < 4 or num // 2 < measure.least:  # a half is too small: no interval
        return [Cell(float(value), num=num) for value in found]
    again = []
    for half in range(num_halves):
        part = candidates.take(np.sort(choices.permutation(num)[: num // 2]))
        values = measure.compute(reference, part, jax.random.fold_in(key, half), choices)
        again.append(np.asarray(jax.device_get(values), np.float64))
    margins = NORMAL * np.std(again, axis=0, ddof=1)
    return [
        Cell(float(value), float(value - margin), float(value + margin), num)
        for value, margin in zip(found, margins, strict=True)
    ]


def of_halves(num: int) -> str:
    """What an interval by halves is, for a person."""
    return f"1.96 deviations over {num} random halves"


@jax.jit
def _interval(values: jax.Array, key: jax.Array) -> Any:
    return percentile_interval(bootstrap(jnp.mean, values, key, num=DRAWS))


def bootstrapped(values: np.ndarray, key: jax.Array) -> tuple[float, float]:
    """The ends of the interval of the mean of values of single examples."""
    low, high = _interval(jnp.asarray(values), key)
    return float(low), float(high)


def wilson_interval(right: int, num: int, deviations: float = 1.959964) -> tuple[float, float]:
    """Of a share, by default of 95 %: Wilson, 1927, Journal of the American Statistical Association 22."""
    share, squared = right / num, deviations**2
    middle = (share + squared / (2 * num)) / (1 + squared / num)
    half = deviations * math.sqrt(share * (1 - share) / num + squared / (4 * num**2)) / (1 + squared / num)
    return middle - half, middle + half


def mean_cell(values: np.ndarray, seed: int, num: int | None = None) -> Cell:
    """The mean of values of single examples, with its interval; `num` examples, if not all have a value here."""
    low, high = bootstrapped(values, jax.random.key(seed))
    return Cell(float(values.mean()), low, high, num=len(values) if num is None else num)


def better(row: Row, one: str, other: str) -> str:
    """Which of two sets a metric prefers, where their intervals are apart; "" otherwise."""
    first, second = row.cells.get(one, Cell()), row.cells.get(other, Cell())
    bounds = [bound for bound in (first.low, first.high, second.low, second.high) if bound is not None]
    if len(bounds) < 4 or (bounds[0] <= bounds[3] and bounds[2] <= bounds[1]):
        return ""
    held_out = row.cells.get("real")
    aims = {"lower": -np.inf, "higher": np.inf, "half": 0.5, "real": held_out.value if held_out else None}
    aim = aims[row.better]
    if aim is None:
        return ""
    values: Any = first.value, second.value
    if np.isinf(aim):
        return one if (values[0] > values[1]) == (aim > 0) else other
    return one if abs(values[0] - aim) < abs(values[1] - aim) else other
