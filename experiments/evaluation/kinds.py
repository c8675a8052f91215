"""Rows that are of some kinds of model alone: of pairs, of noise, of texts, of styles."""

from collections.abc import Mapping, Sequence

from experiments.command_line.errors import UserError
from experiments.evaluation import attributes, back, diversity, heads, pairs, path_lengths, perceptual, r_precision
from experiments.evaluation.extractors import Cache, Extractor
from experiments.evaluation.options import Options
from experiments.evaluation.pairs import Asked
from experiments.evaluation.rows import Row, Sets
from experiments.evaluation.sets import Run
from experiments.models import texts
from experiments.runs.experiment import Experiment


def names(experiment: Experiment) -> list[str]:
    """As --metrics has them, those that the experiment's model has."""
    config = experiment.model
    there = {
        diversity.NAME: diversity.is_there(config),
        path_lengths.NAME: path_lengths.is_there(config),
        heads.NAME: heads.are_there(config),
        attributes.NAME: attributes.are_there(experiment),
        r_precision.NAME: texts.takes_texts(config),
    } | dict.fromkeys(pairs.NAMES, pairs.are_there(config))
    return [name for name, known in there.items() if known]


def before(runs: Mapping[str, Run], given: Sets, options: Options, asked: Asked) -> list[Row]:
    """The rows that a reader looks for first."""
    found = [*_of_pairs(runs, given, options, asked), *_of_noise(runs, given, options)]
    if asked.matcher is None or (options.metrics and r_precision.NAME not in options.metrics):
        return found
    samples = {name: given.candidates[name].pixels for name in runs}
    return [*found, *r_precision.judge(asked.matcher, runs, samples, options.seed)]


def behind(runs: Mapping[str, Run], made: Sequence[Extractor], options: Options) -> list[Row]:
    """The rows below those of all models."""
    return [*_of_texts(runs, options), *_of_paths(runs, made, options)]


def asked(run: Run, options: Options) -> Asked:
    """What is compared by files that a person names. UserError for those that do not fit the run."""
    if (options.perceptual or options.back) and not pairs.are_there(run.experiment.model):
        name = "--perceptual" if options.perceptual else "--back"
        raise UserError(f"{name} is given, but {run.name} has no pairs to compare; leave it out")
    needed = {"perceptual": options.perceptual, "read_back": options.back, r_precision.NAME: options.matcher}
    for name, option in needed.items():
        if name in options.metrics and option is None:
            option_name = "matcher" if name == r_precision.NAME else name.rpartition("_")[2]
            raise UserError(f"--metrics {name} needs --{option_name} with the file or the run to compare by")
    return Asked(
        options.perceptual and perceptual.distance(options.perceptual),
        options.back and back.translator(options.back, run, options.seed),
        options.matcher and r_precision.matcher(options.matcher, run),
    )


def _of_pairs(runs: Mapping[str, Run], given: Sets, options: Options, asked: Asked) -> list[Row]:
    """The rows of a run whose samples have targets of their own; none of another run."""
    run = runs["samples"]
    if not pairs.are_there(run.experiment.model):
        return []
    samples = {name: given.candidates[name].pixels for name in runs}
    compared = pairs.drawn(runs, samples, given.real, options.seed)
    named = heads.judge(runs, given.real, options.metrics, options.seed)
    return [*named, *pairs.judge(compared, options.metrics, options.seed, asked)]


def _of_noise(runs: Mapping[str, Run], given: Sets, options: Options) -> list[Row]:
    """How much images of one input differ; nothing of a model whose images do not."""
    there = diversity.is_there(runs["samples"].experiment.model)
    if not there or (options.metrics and diversity.NAME not in options.metrics):
        return []
    samples = {name: given.candidates[name].pixels for name in runs}
    return diversity.judge(runs, samples, options.seed)


def _of_texts(runs: Mapping[str, Run], options: Options) -> list[Row]:
    """Whether samples show what their texts ask for; nothing where that cannot be known."""
    there = attributes.are_there(runs["samples"].experiment)
    if not there or (options.metrics and attributes.NAME not in options.metrics):
        return []
    cache = Cache(runs["samples"].experiment.images, options.cache_dir, options.seed)
    return attributes.judge(runs, options.num_samples, options.seed, cache)


def _of_paths(runs: Mapping[str, Run], made: Sequence[Extractor], options: Options) -> list[Row]:
    """The path lengths of a style-based model, where they are asked for by name or all metrics are."""
    there = all(path_lengths.is_there(run.experiment.model) for run in runs.values())
    if not there or (options.metrics and path_lengths.NAME not in options.metrics):
        return []
    return path_lengths.judge(runs, made, options.num_samples, options.seed)
