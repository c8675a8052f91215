"""Metrics of a run's samples while it trains: what `--eval-every` adds to metrics.jsonl, as `eval/...`.

Samples are of the same latents each time, so that a metric moves with the model alone. What is computed depends on the
settings and the state: a run that stopped and goes on has the same numbers.
"""

from collections.abc import Callable
from typing import Any

from experiments.command_line.errors import UserError
from experiments.data import held_out
from experiments.data.images import ImageSet
from experiments.evaluation import extractors, label_sets, measures, retrieval, rows, sets
from experiments.evaluation.extractors import Cache
from experiments.evaluation.measures import Measure
from experiments.evaluation.rows import Prepared
from experiments.evaluation.sets import Examples, Real
from experiments.models import abilities, conditions, sampling
from experiments.models.matching import Pairs
from experiments.runs.experiment import Experiment

PREFIX = "eval/"

ACCURACY = PREFIX + "classifier_accuracy"
"""Of the classifier on held-out images: what the other numbers rest on."""

METRICS = ("frechet", "kernel", "precision_recall", "confidence", "modes")
"""What is cheap enough to be computed again and again."""

MOST_REFERENCE = 10_000
"""Real training examples to compare with."""


def names(experiment: Experiment, image_set: ImageSet) -> list[str]:
    """Of the metrics that an experiment will have; none without --eval-every."""
    if experiment.eval_every is None:
        return []
    if not abilities.makes_images(experiment.model):
        if label_sets.are_there(experiment.model):
            return [_title(name) for name in label_sets.SCORES]
        return [_title(name) for name in retrieval.names(_pairs(experiment, image_set))]
    found = [name for measure in _possible(experiment, image_set) for name in _titles(measure)]
    return [*found, ACCURACY] if _has_classes(experiment, image_set) else found


def check(experiment: Experiment, image_set: ImageSet) -> None:
    """UserError if nothing could be evaluated, or --best waits for a metric that no checkpoint would know."""
    every, saves = experiment.eval_every, experiment.checkpoint_every
    if every is not None and not names(experiment, image_set):
        raise UserError(
            f"--eval-every {every:,} cannot evaluate anything: {image_set.name} has {len(image_set):,} for training, "
            "too few for every metric; leave it out"
        )
    if not (experiment.best or "").startswith(PREFIX):
        return
    if every is None:
        raise UserError(f"--best {experiment.best} needs --eval-every, the steps between two evaluations")
    if every % saves and saves % every:
        raise UserError(
            f"--best {experiment.best} is known every {every:,} steps (--eval-every), and checkpoints are written "
            f"every {saves:,} (--checkpoint-every); make one a multiple of the other"
        )


def left_out(experiment: Experiment, image_set: ImageSet) -> list[str]:
    """What is said of the metrics that so few examples do not allow."""
    if experiment.eval_every is None or not abilities.makes_images(experiment.model):
        return []
    nums = _num_samples(experiment, image_set), _num_reference(image_set)
    reasons = [(measure, measures.why_not(measure, *nums)) for measure in _measures(experiment, image_set)]
    return [
        f"--eval-every goes without {' and '.join(measure.rows)}: it {reason}" for measure, reason in reasons if reason
    ]


def evaluator(experiment: Experiment, image_set: ImageSet) -> Callable[[Any], dict[str, float]]:
    """The metrics of a state. May train a classifier, once for the data set."""
    if not abilities.makes_images(experiment.model):
        by = _labels if label_sets.are_there(experiment.model) else _retrieval
        return by(experiment, image_set)
    real = _real(experiment, image_set)
    image_set = real.train
    (name,) = extractors.usual(real)
    extractor = extractors.make(name, real, Cache(experiment.images))
    reference = extractor(sets.spread(image_set, MOST_REFERENCE))
    num = _num_samples(experiment, image_set)
    chosen = [
        (measure, Prepared(measure.prepare(reference), len(reference))) for measure in _possible(experiment, image_set)
    ]
    draw = sampling.drawer(experiment.model)
    given = sets.labels_of(experiment.model, image_set, experiment.seed) or conditions.source(experiment)

    def evaluate(state: Any) -> dict[str, float]:
        samples = extractor(Examples(draw(state, num, experiment.seed, given)))
        found = {} if extractor.accuracy is None else {ACCURACY: extractor.accuracy}
        for measure, prepared in chosen:
            cells = rows.cells(measure, prepared, samples, experiment.seed, 0)
            found |= dict(zip(_titles(measure), (float(cell.value or 0.0) for cell in cells), strict=True))
        return found

    return evaluate


def _labels(experiment: Experiment, image_set: ImageSet) -> Callable[[Any], dict[str, float]]:
    """The scores of a model that names labels."""
    unseen = held_out.load_for(experiment) or image_set

    def evaluate(state: Any) -> dict[str, float]:
        found = label_sets.values(experiment.model, state, unseen, experiment.eval_samples)
        return {_title(name): value for name, value in found.items()}

    return evaluate


def _retrieval(experiment: Experiment, image_set: ImageSet) -> Callable[[Any], dict[str, float]]:
    """The accuracies of a model that matches images and captions."""
    pairs = _pairs(experiment, image_set)

    def evaluate(state: Any) -> dict[str, float]:
        found = retrieval.values(experiment.model, state, pairs)
        return {_title(name): float(each.mean()) for name, each in found.items()}

    return evaluate


def _pairs(experiment: Experiment, image_set: ImageSet) -> Pairs:
    unseen = held_out.load_for(experiment) or image_set
    return retrieval.pairs_for(experiment.model, unseen, experiment.eval_samples)


def _num_reference(image_set: ImageSet) -> int:
    return min(MOST_REFERENCE, len(image_set))


def _num_samples(experiment: Experiment, image_set: ImageSet) -> int:
    return min(experiment.eval_samples, _num_reference(image_set))


def _possible(experiment: Experiment, image_set: ImageSet) -> list[Measure]:
    """Those of `_measures` for which there are examples enough."""
    nums = _num_samples(experiment, image_set), _num_reference(image_set)
    return [measure for measure in _measures(experiment, image_set) if not measures.why_not(measure, *nums)]


def _measures(experiment: Experiment, image_set: ImageSet) -> list[Measure]:
    """Those of `METRICS` that the data allow."""
    known = image_set.name in measures.MODES
    possible = {"features": True, "classes": _has_classes(experiment, image_set), "modes": known}
    there = {measure.name: measure for measure in measures.all_of(experiment.data)}
    return [there[name] for name in METRICS if possible[there[name].needs]]


def _has_classes(experiment: Experiment, image_set: ImageSet) -> bool:
    return extractors.usual(_real(experiment, image_set)) == ("classifier",)


def _real(experiment: Experiment, image_set: ImageSet) -> Real:
    return sets.of_sets(experiment.model, image_set, held_out.load_for(experiment))


def _titles(measure: Measure) -> list[str]:
    """`eval/frechet_distance` and the like."""
    return [_title(title) for title in measure.rows]


def _title(title: str) -> str:
    return PREFIX + "_".join(title.partition(" (")[0].lower().split())
