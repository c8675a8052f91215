"""The exported folder: what is written to it, whole or not at all."""

import contextlib
import importlib.util
import json
import pathlib
import shutil
from collections.abc import Iterator
from typing import Literal

from jax import export

from experiments.command_line.errors import UserError
from experiments.data.tokens import FILE
from experiments.exports import card, loading, picture, programs, weights
from experiments.models import abilities, samplers
from experiments.models.samplers import Changes
from experiments.runs import files, restore, run_folder, settings

PACKAGES = ("safetensors", "flatbuffers")
"""What the extra `export` adds: files of weights, and of `jax.export`."""


def write(
    run: pathlib.Path, which: int | Literal["newest", "best"], changes: Changes, out: pathlib.Path, seed: int
) -> tuple[int, list[str]]:
    """Export a checkpoint of a run to `out`, which is left as it was if that fails.

    Args:
        run: its folder.
        which: of its checkpoints.
        changes: settings that it draws with in place of the run's own.
        out: the new folder.
        seed: of the samples on the card.

    Returns:
        The checkpoint's step, and sentences on what the folder lacks.

    Raises:
        UserError: if a package is missing, `out` is not new, the checkpoint cannot be used, or nothing can be written.
    """
    _require_packages()
    require_new(out)
    experiment, _, step, state = restore.at(run, which)
    experiment = samplers.replaced(experiment, changes)
    abilities.require_images(experiment.model)
    evaluation = card.evaluation_of(run, step)
    about = {"run": run_folder.read_config(run)["run"], "experiment": run_folder.read(run)[0], "step": str(step)}
    told: list[str] = []
    with replacing(out) as unfinished:
        config = json.dumps(settings.to_json(experiment.model), indent=2)
        (unfinished / loading.CONFIG).write_text(f"{config}\n", encoding="utf-8")
        weights.save(unfinished / weights.FILE, state, about)
        if experiment.tokenizer is not None:
            shutil.copyfile(experiment.tokenizer, unfinished / FILE)
        made = [(program, programs.exported(program)) for program in programs.all_of(experiment, state)]
        for program, one in made:
            (unfinished / f"{program.name}.jax").write_bytes(one.serialize())
            told += _limits(program, one)
        try:
            picture.draw(experiment, unfinished, seed)
        except UserError as error:
            told.append(f"the card has no picture: {error}")
        text = card.text(unfinished, experiment, about, made, evaluation)
        (unfinished / card.FILE).write_text(text, encoding="utf-8")
    return step, told


def _require_packages() -> None:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"export needs {' and '.join(missing)}: pip install -e '.[export]'")


def _limits(program: programs.Program, one: export.Exported) -> Iterator[str]:
    """What a program cannot do that others can."""
    if num := programs.num_of(one):
        yield f"{program.name}.jax takes {num} examples, no more and no fewer: the model's code needs a number"
    if one.platforms != programs.PLATFORMS:
        yield f"{program.name}.jax runs on {', '.join(one.platforms)} alone: elsewhere one of its operations is missing"


def require_new(out: pathlib.Path) -> None:
    """UserError unless the folder is empty, or not there yet."""
    try:
        taken = out.exists() and (not out.is_dir() or any(out.iterdir()))
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}; choose another --out") from error
    if taken:
        raise UserError(f"--out {out} is there and not an empty folder; choose another one")


@contextlib.contextmanager
def replacing(out: pathlib.Path) -> Iterator[pathlib.Path]:
    """A folder beside `out` to write to, renamed to `out` at the end, removed if that fails. UserError if it does."""
    out = out.absolute()
    unfinished = out.with_name(f".{out.name}{files.UNFINISHED}")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)  # a leftover of a kill
        unfinished.mkdir(parents=True)
        yield unfinished
        files.sync(unfinished)
        unfinished.replace(out)
    except OSError as error:
        raise UserError(f"cannot write {out}: {files.reason(error)}; choose another --out") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
