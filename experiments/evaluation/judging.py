"""An evaluation from beginning to end: checks, sets, extractors, rows, and evaluation.json."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.command_line import terminal
from experiments.command_line.errors import FolderError, UserError
from experiments.data.request import nearest
from experiments.evaluation import (
    baselines,
    codes,
    collapses,
    extractors,
    kinds,
    label_sets,
    measures,
    retrieval,
    rows,
    sets,
)
from experiments.evaluation.extractors import Cache, Extractor
from experiments.evaluation.measures import Measure
from experiments.evaluation.options import Options
from experiments.evaluation.rows import Plan, Row, Sets
from experiments.evaluation.sets import Examples, Real, Run
from experiments.models import abilities, conditions, samplers, sampling, unread
from experiments.models.classes import Labels
from experiments.models.samplers import NONE, Changes
from experiments.runs import averages, files
from experiments.runs.experiment import Experiment
from experiments.runs.run_data import Place

FORMAT = 2
"""Of evaluation.json."""


OF_IMAGES = ("frechet", "kernel", "precision_recall", "density_coverage", "two_sample")
"""Metrics of sets for a model that is given images, if none are named: it is judged by its inputs and targets first."""


def evaluate(folder: pathlib.Path, options: Options, changes: Changes = NONE) -> dict[str, Any]:
    """Judge the run in `folder`; what evaluation.json then holds.

    UserError for what cannot be done, before any time is spent.
    """
    run, *others = _runs(folder, options, changes)
    _check_classes(run, options)
    if not abilities.makes_images(run.experiment.model):
        return _matches(folder, (run, *others), options)
    judge = _judge(run, options)
    by = kinds.judges(run, options)
    runs: dict[str, Run] = dict(zip(("samples", "against"), (run, *others), strict=False))
    given = judge.draw(runs, options)
    found = head(run, judge, options)
    found |= _against(others)
    found["rows"] = [
        *map(_plain, kinds.before(runs, given, options, by)),
        *judge.rows(given),
        *map(_plain, kinds.behind(runs, given, options, judge.extractors)),
    ]
    found["warnings"] = collapses.warnings(found["rows"], max(1, len(judge.real.train.classes)))
    found["class_shares"] = _class_shares(judge.extractors, given)
    found["codes"] = codes.judge(run, judge.real.test)
    write(folder / "evaluation.json", found)
    return found


def _matches(folder: pathlib.Path, runs: Sequence[Run], options: Options) -> dict[str, Any]:
    """What evaluation.json holds of a model that makes no images: it names labels, or matches images and captions."""
    by = label_sets if label_sets.are_there(runs[0].experiment.model) else retrieval
    _require_none_of_images(by.NAME, options)
    made = by.judge(runs, options.num_samples, options.seed)
    found = head(runs[0], Judge(sets.real(runs[0].experiment), (), ()), options) | _against(runs[1:])
    found |= {"judged": by.JUDGED, "num_samples": made[-1].cells["samples"].num}
    found |= {"rows": [_plain(row) for row in made], "warnings": [], "class_shares": {}, "codes": None}
    write(folder / "evaluation.json", found)
    return found


def _require_none_of_images(name: str, options: Options) -> None:
    """UserError for what an evaluation of images alone has; `name` is the metric that there is."""
    for one in options.metrics:
        if one != name:
            raise UserError(f"--metrics {one!r} is not of a model that makes no images; there is {name}")
    given: dict[str, Any] = {"--extractor": options.extractor, "--perceptual": options.perceptual}
    given |= {"--back": options.back, "--matcher": options.matcher}
    for option, value in given.items():
        if value:
            raise UserError(f"{option} is given, but the run makes no images; leave it out")


def _against(others: Sequence[Run]) -> dict[str, Any]:
    """What is said of the run that another is compared with, where there is one."""
    if not others:
        return {}
    return {"against": {"folder": str(others[0].folder), "experiment": others[0].name, "step": others[0].step}}


def compare(folder: pathlib.Path, options: Options, ways: Mapping[str, Changes]) -> dict[str, Any]:
    """Judge the run in `folder` drawn in several ways, by name; the rows and what holds for all of them.

    UserError for what cannot be done, before any time is spent.
    """
    (run,) = _runs(folder, options)
    _check_classes(run, options)
    drawers = {
        name: dataclasses.replace(run, experiment=samplers.replaced(run.experiment, changes))
        for name, changes in ways.items()
    }
    judge = _judge(run, options)
    return head(run, judge, options) | {"rows": judge.rows(judge.draw(drawers, options))}


@dataclasses.dataclass(frozen=True)
class Judge:
    """What is the same for all sets that are compared."""

    real: Real
    measures: Sequence[Measure]
    extractors: Sequence[Extractor]

    def draw(self, runs: Mapping[str, Run], options: Options) -> Sets:
        """Samples of each run, by name, and held-out examples where there are any."""
        candidates = {}
        for name, run in runs.items():
            candidates[name] = run.draw(options.num_samples, options.seed, _labels(run, self.real, options))
            if len(runs) > 2:
                terminal.show(f"drawn: {name}")
        candidates |= _baselines(next(iter(runs.values())), options.num_samples)
        if self.real.test is not None:
            candidates["real"] = sets.spread(self.real.test, options.num_samples)
        plan = Plan(options.num_reference, options.num_halves, options.equal_num, options.seed)
        return Sets(self.real, candidates, plan)

    def rows(self, given: Sets) -> list[dict[str, Any]]:
        """Of every metric, as JSON has them."""
        return [_plain(row) for measure in self.measures for row in _rows_of(measure, self.extractors, given)]


def _baselines(run: Run, num: int) -> dict[str, Examples]:
    """What a model that is given images has to beat, of the same examples; nothing of another model."""
    config = run.experiment.model
    if not conditions.takes_images(config):
        return {}
    batch = run.given.batch(np.arange(run.most(num)), config.batch_type)
    inputs = baselines.inputs_of(config, batch)
    found = {} if inputs is None else baselines.of_inputs(config, np.asarray(inputs))
    return {name: Examples(pixels) for name, pixels in found.items()}


def _judge(run: Run, options: Options) -> Judge:
    """For the run's data. UserError for a metric or an extractor that does not exist or fit."""
    real = sets.real(run.experiment)
    chosen = _chosen(options.metrics, run.experiment)
    names = options.extractor or extractors.usual(real)
    extractors.check(names, real)
    cache = Cache(run.experiment.images, options.cache_dir, options.seed)
    return Judge(real, chosen, [extractors.make(name, real, cache) for name in dict.fromkeys(names)])


def _labels(run: Run, real: Real, options: Options) -> Labels | None:
    """The classes that a run draws; None for a model that is told none."""
    return sets.labels_of(run.experiment.model, real.train, options.seed, options.classes)


def _check_classes(run: Run, options: Options) -> None:
    """UserError for --classes of a model that is told none."""
    if options.classes is not None and not abilities.has_classes(run.experiment.model):
        model = abilities.name_of(run.experiment.model)
        raise UserError(f"--classes is {options.classes}, but {model} is not told classes; leave it out")


def _runs(folder: pathlib.Path, options: Options, changes: Changes = NONE) -> list[Run]:
    """The run, and the one that it is compared with. UserError if either cannot be read or they do not compare."""
    place = Place(options.data, options.data_dir)
    found = [sets.run(folder, options.step, changes, place)]
    if options.average_width is not None:
        state = averages.of_width(
            folder, found[0].experiment.model, found[0].step, found[0].state, options.average_width
        )
        found = [dataclasses.replace(found[0], state=state)]
    if options.against is not None:
        found.append(sets.run(options.against, options.step, place=place))
    for run in found:
        sampling.require_memory("--num-samples", options.num_samples, run.experiment.model.image_shape)
    data = [(run.experiment.data, run.experiment.images, run.experiment.model.image_shape) for run in found]
    if data[0] != data[-1]:
        raise UserError(
            f"--against {options.against} was trained on {_said(found[-1].experiment)}, "
            f"but {folder} on {_said(found[0].experiment)}; compare runs on the same images"
        )
    if unread.reads_captions(found[0].experiment.model):
        conditions.tell(found[0].experiment.model, found[0].given, terminal.show)
    return found


def _said(experiment: Experiment) -> str:
    return f"{experiment.data} of {'x'.join(map(str, experiment.model.image_shape))}"


def _chosen(names: Sequence[str], experiment: Experiment) -> list[Measure]:
    """The measures of sets of the names, the usual ones for none. UserError for one that there is not."""
    there = {measure.name: measure for measure in measures.all_of(experiment.data)}
    every = (*there, *kinds.names(experiment))
    for name in names:
        if name not in every:
            raise UserError(f"--metrics {name!r} is unknown; {nearest(name, every)}")
    usual = OF_IMAGES if conditions.takes_images(experiment.model) else tuple(there)
    return [there[name] for name in dict.fromkeys(names or usual) if name in there]


def _rows_of(measure: Measure, made: Sequence[Extractor], given: Sets) -> list[Row]:
    found = rows.judge(measure, made, given)
    terminal.show(f"{measure.name}: {'not computed' if found[0].reason else 'done'}")
    return found


def head(run: Run, judge: Judge, options: Options) -> dict[str, Any]:
    """What holds for every row."""
    classifier, real = next((one for one in judge.extractors if one.classes), None), judge.real
    found = {
        "format": FORMAT,
        "experiment": run.name,
        "step": run.step,
        "seed": options.seed,
        "data": run.experiment.data,
        "kind": real.kind,
        "num_samples": run.most(options.num_samples),
        "sample_classes": sets.shares_of(run.experiment.model, real.train, options.classes),
        "splits": {"reference": "train", "real": "test" if real.test is not None else None},
        "num_train": len(real.train),
        "num_test": 0 if real.test is None else len(real.test),
        "extractors": [one.about for one in judge.extractors],
        "classifier_accuracy": classifier.accuracy if classifier else None,
        "classes": list(real.train.classes),
        "level": 0.95,
    }
    if options.average_width is not None:
        found["average_width"] = options.average_width
    return found | {name: repr(value) for name, value in samplers.settings(run.experiment.model).items()}


def _plain(row: Row) -> dict[str, Any]:
    """A row as JSON has it."""
    if row.reason:
        return {"metric": row.metric, "name": row.name, "reason": row.reason}
    found = {
        name: value
        for name, value in vars(row).items()
        if name not in ("cells", "reason") and (name != "classifier_accuracy" or value is not None)
    }
    cells = {
        name: {key: value for key, value in vars(cell).items() if value is not None} for name, cell in row.cells.items()
    }
    preferred = {"preferred": rows.better(row, "samples", "against")} if "against" in row.cells else {}
    return found | cells | preferred


def _class_shares(made: Sequence[Extractor], given: Sets) -> dict[str, list[float]]:
    """As what the classifier sees each set; nothing without one."""
    judges = [one for one in made if one.classes]
    if not judges:
        return {}
    names = ("reference", *given.candidates)
    return {name: measures.class_shares(given.seen(judges[0], name)).round(4).tolist() for name in names}


def write(path: pathlib.Path, found: dict[str, Any]) -> None:
    """Write JSON; FolderError where that cannot be done."""
    try:
        files.write(path, json.dumps(found, indent=2) + "\n")
    except OSError as error:
        raise FolderError(f"cannot write {path}: {error.strerror}") from error
