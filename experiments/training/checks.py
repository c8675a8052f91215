"""What an experiment asks for, checked before anything is compiled: settings, data, devices, memory, packages."""

import dataclasses
import difflib
import importlib.util
import json
import math
import pathlib
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from experiments import processes
from experiments.command_line import system
from experiments.command_line.checks import require_seed
from experiments.command_line.errors import UserError
from experiments.data.images import ImageSet
from experiments.evaluation import during
from experiments.models import abilities, samplers, texts
from experiments.runs import carrying, frozen, history, initial, pretrained, restore, run_folder, settings
from experiments.runs import experiment as experiments_by_name
from experiments.runs.experiment import Experiment, model_of
from experiments.runs.history import Segment
from experiments.runs.initial import Initial
from experiments.training import stages

OF_EACH_PROCESS = ("process_id", "data_dir", "out")
"""Settings that need not be the same in all processes."""


def check_numbers(experiment: Experiment) -> None:
    """UserError if a setting is NaN or infinite."""
    for path, value in settings.not_finite(experiment):
        raise UserError(f"--{path.replace('_', '-')} is {value}, but must be finite")


def check_seeds(experiment: Experiment, seeds: Sequence[int]) -> None:
    """UserError for seeds that are no runs side by side, or settings with which there are none."""
    for seed in seeds:
        try:
            require_seed(seed)
        except ValueError as error:
            raise UserError(str(error).replace("--seed", "--seeds")) from error
    twice = next((seed for place, seed in enumerate(seeds) if seed in seeds[:place]), None)
    if twice is not None:
        raise UserError(f"--seeds names {twice} twice; give each seed once")
    usual = {"seed": 0, "parallel": "jit", "shard_state": False, "distributed": False}
    for field, value in usual.items():
        if getattr(experiment, field) != value:
            raise UserError(
                f"--seeds trains several runs, each whole on one device, which {settings.option(field)} "
                f"{getattr(experiment, field)} does not go with; leave one of the two out"
            )


def check_alike(experiment: Experiment) -> None:
    """UserError unless all processes have the same settings."""
    mine = {key: value for key, value in settings.to_json(experiment).items() if key not in OF_EACH_PROCESS}
    first, *others = map(json.loads, processes.gather(json.dumps(mine)))
    for number, other in enumerate(others, 1):
        changed = settings.differences(first, other)
        if changed:
            raise UserError(f"process {number} was given other settings than process 0: {'; '.join(changed)}")


def fit_to_data(experiment: Experiment, image_set: ImageSet, name: str) -> Experiment:
    """The experiment with the image shape, and number of classes, of its data.

    UserError if others were asked for, or other settings do not go with those of the data.
    """
    asked, usual = texts.of_data(experiment.model, image_set.captions), experiments_by_name.load(name).model
    follows: dict[str, Any] = _shapes(asked, image_set)
    if abilities.holds_labels(asked) and image_set.labels is not None:
        follows["num_classes"] = image_set.num_classes
    if abilities.holds_attributes(asked) and image_set.attribute_names:
        follows["num_attributes"] = len(image_set.attribute_names)
    for field, value in follows.items():
        wanted = getattr(asked, field)
        if wanted not in (value, getattr(usual, field)):
            raise UserError(
                f"--model.{field.replace('_', '-')} is {wanted}, but {image_set.name} has {value}; "
                "leave it out, it follows the data"
            )
    try:
        model = dataclasses.replace(asked, **follows)
    except ValueError as error:
        raise UserError(f"{name} does not take {image_set.name}: {error}") from error
    return dataclasses.replace(experiment, model=model)


def _shapes(config: Any, image_set: ImageSet) -> dict[str, tuple[int, ...]]:
    """The shape of the model's images, those of the batch's target; of its inputs, where it has a setting for it."""
    kind = config.batch_type
    if kind is None or kind.TARGET is None:
        return {"image_shape": image_set.image_shape}
    named = {field: column.name for field, column in zip(kind._fields, kind.COLUMNS, strict=True)}
    shapes = {}
    for setting, field in (("image_shape", kind.TARGET), ("input_shape", kind.CONDITION)):
        if setting == "image_shape" or setting in {one.name for one in dataclasses.fields(config)}:
            there = getattr(image_set, named[field]) is not None  # a set that lacks it is told so with its batches
            shapes[setting] = image_set.shape_of(named[field]) if there else image_set.image_shape
    if "input_shape" not in shapes and shapes["image_shape"][:2] != image_set.image_shape[:2]:
        inputs, targets = ("x".join(map(str, shape)) for shape in (image_set.image_shape, shapes["image_shape"]))
        raise UserError(
            f"{image_set.name} has inputs of {inputs} and targets of {targets}, but {abilities.name_of(config)} takes "
            "pairs of one size: give --images.size"
        )
    return shapes


def check_batch(experiment: Experiment) -> None:
    """UserError unless the devices divide the batch."""
    num_devices = len(jax.devices())
    if experiment.batch_size % num_devices:
        raise UserError(
            f"--batch-size {experiment.batch_size} does not divide over {num_devices} devices; "
            f"use a multiple of {num_devices}"
        )


def check_model(experiment: Experiment, image_set: ImageSet) -> None:
    """UserError if the model refuses its settings or its data; traces shapes only, compiles nothing."""
    try:
        parts = list(stages.parts([Segment(0, experiment)], experiment.steps))
    except ValueError as error:
        raise UserError(str(error)) from error
    for part in parts:
        check_batch(part.experiment)
        _check_stage(part.experiment, image_set)


def _check_stage(experiment: Experiment, image_set: ImageSet) -> None:
    config, model = experiment.model, model_of(experiment.model)
    size = experiment.batch_size * config.minibatches
    try:
        example = image_set.batch([0], config.batch_type)
    except UserError as error:
        raise UserError(f"{type(config).__module__.rpartition('.')[2]} {error}; choose another --data") from error
    texts.check_vocabulary(config, image_set.reader)
    batch = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((size, *leaf.shape[1:]), leaf.dtype), example)
    try:
        state = restore.abstract_state(experiment)
        check_memory(experiment, state)
        pretrained.sources(experiment.pretrained, frozen.parts(state))
        _, metrics = jax.eval_shape(
            lambda state, batch: model.update(config, state, batch, jax.random.key(0)), state, batch
        )
        samplers.check(experiment)
    except (ValueError, OverflowError) as error:
        raise UserError(str(error)) from error
    during.check(experiment, image_set)
    check_best(experiment, [*metrics, *during.names(experiment, image_set)])


def check_pretrained(experiment: Experiment, folder: pathlib.Path) -> None:
    """UserError if a pretrained part of a run that is to begin cannot be read or does not fit."""
    if experiment.resume and (folder / "config.json").exists() and run_folder.read_config(folder)["has_checkpoint"]:
        return  # the run has its own copy
    there = frozen.parts(restore.abstract_state(experiment))
    for name, source in pretrained.sources(experiment.pretrained, there).items():
        pretrained.read(source, there[name])


def initial_of(experiment: Experiment, folder: pathlib.Path) -> Initial | None:
    """The weights of another run with which a run that is to begin begins; None where it has its own.

    UserError if they cannot be read, none fits, or the run began with those of another one.
    """
    if experiment.init_from is None:
        return None
    record = run_folder.read_config(folder) if experiment.resume and (folder / "config.json").exists() else {}
    if not record.get("has_checkpoint"):
        return initial.read(experiment.init_from, experiment)
    began = record.get("init_from", {}).get("source")
    if began != experiment.init_from:
        with_ = f"with weights of {began}" if began else "with random weights"
        raise UserError(
            f"the run in {folder} began {with_}, not of {experiment.init_from}; leave --init-from out to go on, or "
            "choose another --out"
        )
    return None


def check_change(experiment: Experiment, folder: pathlib.Path) -> None:
    """UserError if a run is to go on with optimisers that keep other moments; traces shapes only."""
    if not (experiment.change and experiment.resume and (folder / "config.json").exists()):
        return
    before = run_folder.read(folder)[1]
    there = {name: settings.to_json(one.model) for name, one in (("before", before), ("now", experiment))}
    if there["before"] == there["now"] or history.unchangeable(there["before"], there["now"]):
        return  # the folder's own check says what must not change
    states = [restore.abstract_state(one) for one in (before, experiment)]
    try:
        jax.eval_shape(lambda state: carrying.carried_over(state, states[1]), states[0])
    except ValueError as error:
        told = "; ".join(history.differences(before, experiment))
        raise UserError(f"the run in {folder} cannot go on with {told}: {error}; choose another --out") from error


def check_log(experiment: Experiment) -> None:
    """UserError unless the packages are there that --log needs."""
    for place, package in (("tensorboard", "tensorboardX"), ("wandb", "wandb")):
        if place in experiment.log and importlib.util.find_spec(package) is None:
            raise UserError(f"--log {place} needs {package}: pip install -e '.[{place}]'")


def check_memory(experiment: Experiment, state: Any) -> None:
    """UserError if the model's state, the batches of a call or a picture are larger than the memory there is."""
    pixels = math.prod(experiment.model.image_shape)
    images = experiment.steps_per_call * experiment.batch_size * experiment.model.minibatches
    host = system.memory_bytes()
    device = (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit", host)
    of_state = num_bytes(state) // (len(jax.devices()) if experiment.shard_state else 1)
    needs = (
        ("the model's weights and optimiser take", of_state, device, "use narrower networks, or --shard-state"),
        ("the batches of a call take", images * pixels, host, "use a smaller --batch-size or --steps-per-call"),
        ("the images of a picture take", 4 * experiment.num_samples * pixels, device, "use a smaller --num-samples"),
    )
    for what, needed, there, cure in needs:
        if there is not None and needed > there:
            raise UserError(f"{what} {_gigabytes(needed)}, but there are {_gigabytes(there)} of memory; {cure}")


def check_best(experiment: Experiment, metrics: list[str]) -> None:
    """UserError unless --best is one of the metrics there are."""
    if experiment.best is None or experiment.best in metrics:
        return
    near = difflib.get_close_matches(experiment.best, metrics, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UserError(f"--best is {experiment.best!r}, but {hint}there are: {', '.join(sorted(metrics))}")


def num_bytes(state: Any) -> int:
    """Of all arrays, or of their shapes."""
    return sum(math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize for leaf in jax.tree.leaves(state))


def _gigabytes(num: float) -> str:
    return f"{num / 1e9:,.1f} GB"
