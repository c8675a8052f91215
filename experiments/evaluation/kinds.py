"""Rows that are of some kinds of model alone: of pairs, noise, two domains, texts, styles, codes or encoders."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from experiments.command_line.errors import UserError
from experiments.evaluation import (
    attributes,
    back,
    clusters,
    coupled,
    diversity,
    encodings,
    factors,
    heads,
    pairs,
    path_lengths,
    perceptual,
    r_precision,
)
from experiments.evaluation.extractors import Cache, Extractor
from experiments.evaluation.options import Options
from experiments.evaluation.pairs import Asked
from experiments.evaluation.rows import Row, Sets
from experiments.evaluation.sets import Run
from experiments.models import abilities, texts
from experiments.runs.experiment import Experiment


def names(experiment: Experiment) -> list[str]:
    """As --metrics has them, those that the experiment's model has."""
    config = experiment.model
    there = {
        diversity.NAME: diversity.is_there(config),
        path_lengths.NAME: path_lengths.is_there(config),
        heads.NAME: heads.are_there(config),
        attributes.NAME: attributes.are_there(experiment),
        coupled.NAME: coupled.are_there(config),
        r_precision.NAME: texts.takes_texts(config),
    }
    there |= dict.fromkeys(pairs.NAMES, pairs.are_there(config))
    there |= dict.fromkeys(clusters.NAMES, abilities.names_codes(config))
    there |= dict.fromkeys(encodings.names_of(config), True)
    there |= dict.fromkeys(factors.NAMES, factors.are_there(experiment))
    return [name for name, known in there.items() if known]


class Judges(NamedTuple):
    """What a person names to judge by."""

    of_pairs: Asked
    matcher: Run | None  # that finds captions of images


def judges(run: Run, options: Options) -> Judges:
    """What samples are judged by. UserError for files and runs that do not fit the run."""
    if (options.perceptual or options.back) and not pairs.are_there(run.experiment.model):
        name = "--perceptual" if options.perceptual else "--back"
        raise UserError(f"{name} is given, but {run.name} has no pairs to compare; leave it out")
    needed = {"perceptual": "perceptual", "read_back": "back", r_precision.NAME: "matcher"}
    for name, option in needed.items():
        if name in options.metrics and getattr(options, option) is None:
            raise UserError(f"--metrics {name} needs --{option} with the file or the run to compare by")
    of_pairs = Asked(
        options.perceptual and perceptual.distance(options.perceptual),
        options.back and back.translator(options.back, run, options.seed),
    )
    return Judges(of_pairs, options.matcher and r_precision.matcher(options.matcher, run))


def before(runs: Mapping[str, Run], given: Sets, options: Options, by: Judges) -> list[Row]:
    """The rows that a reader looks for first."""
    config, seed = runs["samples"].experiment.model, options.seed
    samples = {name: given.candidates[name].pixels for name in runs}
    found = heads.judge(runs, given.real, options.metrics, seed)
    if pairs.are_there(config):
        compared = pairs.drawn(runs, samples, given.real, seed)
        found += pairs.judge(compared, options.metrics, seed, by.of_pairs)
    if diversity.is_there(config) and _wanted(diversity.NAME, options):
        found += diversity.judge(runs, samples, seed)
    if by.matcher is not None and _wanted(r_precision.NAME, options):
        found += r_precision.judge(by.matcher, runs, samples, seed)
    return found


def behind(runs: Mapping[str, Run], given: Sets, options: Options, made: Sequence[Extractor]) -> list[Row]:
    """The rows below those of all models."""
    experiment, found = runs["samples"].experiment, []
    if attributes.are_there(experiment) and _wanted(attributes.NAME, options):
        samples = {name: given.candidates[name].pixels for name in runs}
        cache = Cache(experiment.images, options.cache_dir, options.seed)
        found += attributes.judge(runs, samples, options.seed, cache)
    if coupled.are_there(experiment.model) and _wanted(coupled.NAME, options):
        cache = Cache(experiment.images, options.cache_dir, options.seed)
        found += coupled.judge(runs, options.num_samples, options.seed, cache)
    styled = all(path_lengths.is_there(run.experiment.model) for run in runs.values())
    if styled and _wanted(path_lengths.NAME, options):
        found += path_lengths.judge(runs, made, options.num_samples, options.seed)
    if abilities.names_codes(experiment.model):
        found += clusters.judge(runs, given.real, options.metrics, options.seed)
    if encodings.names_of(experiment.model):
        found += encodings.judge(runs, given.real, made, options.metrics, options.seed)
    if factors.are_there(experiment):
        found += factors.judge(runs, options.metrics, options.seed)
    return found


def _wanted(name: str, options: Options) -> bool:
    """Whether a metric is asked for: by name, or with all others."""
    return not options.metrics or name in options.metrics
