"""Where the frozen parts of a model come from: `--pretrained NAME=SOURCE`.

A source is an `.npz` of arrays by name (as `experiments.runs.variables` writes them); the folder of another run and
one of its players, RUN:PLAYER, one network of a player, RUN:PLAYER/PART, or the moving average, RUN:ema; or a file of
safetensors with the variables of one network, FILE.safetensors, or of several, FILE.safetensors:PLAYER, as
`experiments.export` writes it. Published weights of VGG-19 may be a file of `torch.save`, FILE.pth, or of safetensors.
"""

import pathlib
from typing import Any

import jax

from experiments.command_line.errors import UserError
from experiments.runs import frozen, restore
from experiments.runs import variables as stored
from experiments.weights import tensors, torch_files, vgg
from jaxgen.train_state import Frozen, TrainState


def sources(given: tuple[str, ...], like: dict[str, Frozen]) -> dict[str, str]:
    """`NAME=SOURCE` options by name. UserError for one that names no frozen part of the model, or no source."""
    found = {name: source for name, _, source in (option.partition("=") for option in given)}
    for name, source in found.items():
        if name not in like:
            there = ", ".join(sorted(like)) or "none"
            raise UserError(f"--pretrained {name}={source}: the model has no frozen part {name!r}; there are: {there}")
        if not source:
            forms = f"{name}=FILE.npz, {name}=FILE.safetensors or {name}=RUN:PLAYER"
            raise UserError(f"--pretrained {name} names no source; write {forms}")
    return found


def read(source: str, part: Frozen) -> dict[str, Any]:
    """Variables from a file or from a player of another run, by name and shape. UserError if they do not fit."""
    run, _, player = source.rpartition(":")
    file, name = (run, player) if run.endswith(tensors.SUFFIX) else (source, "")
    if file.endswith(tensors.SUFFIX):
        return _of_tensors(pathlib.Path(file), name, source, part)
    if source.endswith(torch_files.SUFFIXES):
        return _of_torch(pathlib.Path(source), part)
    if run and pathlib.Path(run).is_dir():
        return frozen.fitted(_of_run(pathlib.Path(run), player), source, part)
    if not pathlib.Path(source).exists():
        where = f"{source} is no file, and {run} no folder of a run" if run else f"{source} is no file"
        raise UserError(f"--pretrained {part.name}={source}: {where}; {part.name} is read from FILE.npz or RUN:PLAYER")
    return frozen.of_file(pathlib.Path(source), part)


def _of_tensors(path: pathlib.Path, name: str, source: str, part: Frozen) -> dict[str, Any]:
    tensors.require_package(f"reading {path}")
    try:
        arrays = tensors.load(path)[0]
        if vgg.is_published(arrays):
            return frozen.fitted(vgg.variables(arrays), source, part)
        there = tensors.players(arrays)
    except ValueError as error:
        raise UserError(str(error)) from error
    if name not in there:
        whole = [one for one in there if one.rpartition("/")[0] not in there or one == ""]
        players = ", ".join(f"{path}:{one}".rstrip(":") for one in whole) or "none"
        raise UserError(f"{source} holds no variables of one network by that name; there are: {players}")
    wanted = stored.flat(part.variables)
    wrong = tensors.difference(there[name], wanted)
    if wrong:
        raise UserError(f"{source} does not fit the frozen part {part.name!r}: {wrong}")
    return frozen.fitted(there[name], source, part)


def _of_torch(path: pathlib.Path, part: Frozen) -> dict[str, Any]:
    try:
        return frozen.fitted(vgg.variables(torch_files.load(path)), str(path), part)
    except ValueError as error:
        raise UserError(f"{error}" if str(path) in str(error) else f"{path} cannot be used: {error}") from error


def _of_run(folder: pathlib.Path, name: str) -> dict[str, Any]:
    _, _, _, state = restore.newest(folder)
    there = _named(state)
    if name not in there:
        players = ", ".join(name for name in there if name.count("/") < 2)
        raise UserError(f"the run in {folder} has no player {name!r}; there are: {players}")
    return stored.flat(jax.device_get(there[name]))


def _named(state: Any) -> dict[str, dict[str, Any]]:
    """Variables of each player by its path in the state, and of each of its networks: `autoencoder/encoder`; `ema`."""
    found = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(state, is_leaf=lambda leaf: isinstance(leaf, TrainState)):
        if isinstance(leaf, TrainState):
            name = jax.tree_util.keystr(path, simple=True, separator="/")
            found[name] = leaf.variables
            for part in leaf.params:
                own = {collection: tree[part] for collection, tree in leaf.variables.items() if part in tree}
                found[f"{name}/{part}"] = own
    average = getattr(state, "ema", None)
    return found if average is None else found | {"ema": average}
