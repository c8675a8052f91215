"""Arrays by name in a file of safetensors: the variables of one network, or all networks of a state.

The name of an array is its path: `params/Dense_0/kernel` of one network's variables, `ema/params/Dense_0/kernel` of a
state's. The extra `export` brings the library.
"""

import importlib.util
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from experiments.checkpoints.checksums import described
from experiments.command_line.errors import UserError

SUFFIX = ".safetensors"

SHOWN = 3
"""Arrays that a message names."""


def save(path: pathlib.Path, arrays: Mapping[str, Any], about: Mapping[str, str]) -> None:
    """Write arrays on the host by name, with what `about` says as the file's metadata."""
    from safetensors import numpy as safetensors

    ordered = {name: np.array(array, order="C") for name, array in arrays.items()}
    path.write_bytes(safetensors.save(ordered, metadata=dict(about)))


def load(path: pathlib.Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """What `save` wrote, arrays and metadata. ValueError for a file that is missing or damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as safetensors: {error}") from error


def require_package(what: str) -> None:
    """UserError unless safetensors is installed; `what` needs it."""
    if importlib.util.find_spec("safetensors") is None:
        raise UserError(f"{what} needs safetensors: pip install -e '.[export]'")


def players(flat: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The variables of each network of a file, flat, by its path; `""` where the file holds those of one.

    A network stands where `params` do. Of a player of several networks each is there too, as `player/part`.
    """
    found: dict[str, dict[str, Any]] = {}
    paths = {f"/{each}".partition("/params/")[0].lstrip("/") for each in flat if "/params/" in f"/{each}"}
    for name in sorted(paths):
        inside = {each.removeprefix(f"{name}/"): array for each, array in flat.items() if _is_in(name, each)}
        own = {each.removeprefix("collections/"): array for each, array in inside.items() if "/" in each}
        found[name] = own
        for part in sorted({each.split("/")[1] for each in own if each.startswith("params/")}):
            found[f"{name}/{part}".lstrip("/")] = _of_part(own, part)
    return found


def difference(there: Any, here: Any) -> str | None:
    """What differs between arrays of a file and a model's, or their shapes, in one sentence; None if nothing does."""
    wrong = list(_differences(described(there), described(here)))
    rest = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    return "; ".join(wrong[:SHOWN]) + rest if wrong else None


def _differences(there: Mapping[str, str], here: Mapping[str, str]) -> Iterable[str]:
    """Other shapes and types first."""
    both = [name for name in here if name in there and there[name] != here[name]]
    yield from (f"{name} is {there[name]} there and {here[name]} in the model" for name in both)
    yield from (f"{name} is missing" for name in here if name not in there)
    yield from (f"{name} is not in the model" for name in there if name not in here)


def _is_in(player: str, name: str) -> bool:
    return not player or name.startswith(f"{player}/")


def _of_part(flat: Mapping[str, Any], part: str) -> dict[str, Any]:
    """`collection/part/...` as `collection/...`."""
    split = {tuple(name.split("/")): array for name, array in flat.items()}
    return {"/".join((name[0], *name[2:])): array for name, array in split.items() if name[1:2] == (part,)}
