"""Networks of NVIDIA's StyleGAN 2 with ADA and StyleGAN 3 in PyTorch: their `.pkl` files as arrays by name.

Karras et al., 2020, arXiv 2006.06676, and 2021, arXiv 2106.12423. A file holds a dict: `G`, `D` and `G_ema` are
networks, each with the source of its classes, the arguments it was made with, parameters and buffers. The source is
passed over: no code of the file is run, and no PyTorch is needed (`experiments.weights.pickles`).

The files of the first StyleGAN and StyleGAN 2, of TensorFlow, are of another form, and are refused.
"""

import pathlib
from typing import Any, NamedTuple

import numpy as np

from experiments.weights import pickles


class Network(NamedTuple):
    """One network of a file."""

    kind: str  # the name of its class, `Generator` for one
    arguments: tuple[Any, ...]  # of its constructor, in order
    keywords: dict[str, Any]  # of its constructor, by name
    arrays: dict[str, np.ndarray]  # parameters and buffers by path, `mapping.fc0.weight`, as the authors store them


class _Module(NamedTuple):
    kind: str
    state: dict[str, Any]


def read(path: pathlib.Path) -> dict[str, Network]:
    """The networks of a file by name, `G_ema` for one.

    ValueError, in one sentence, for a file that is missing, damaged or of another form, and for one that asks for
    anything but data: it names what that is, and nothing in the file has run.
    """
    try:
        with path.open("rb") as file:
            found = pickles.Reader(file, {**_names()}).load()
        if not isinstance(found, dict):
            raise ValueError("it holds no dict of networks")
        networks = {str(name): _network(each) for name, each in found.items() if isinstance(each, _Module)}
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except pickles.FAULTS as error:
        raise ValueError(f"{path} cannot be read as the networks of a .pkl file: {error}") from error
    if not networks:
        raise ValueError(f"{path} cannot be read as the networks of a .pkl file: it holds none")
    return networks


def _names() -> pickles.Names:
    def module(meta: dict[str, Any]) -> _Module:
        if meta["type"] != "class":
            raise ValueError(f"it holds an object of the kind {meta['type']!r}, not a class")
        return _Module(str(meta["class_name"]), dict(meta["state"]))

    return {("torch_utils.persistence", "_reconstruct_persistent_obj"): module, ("dnnlib.util", "EasyDict"): dict}


def _network(module: _Module) -> Network:
    arguments = pickles.plain(tuple(module.state.get("_init_args", ())))
    keywords = pickles.plain(dict(module.state.get("_init_kwargs", {})))
    return Network(module.kind, arguments, keywords, _arrays(module))


def _arrays(module: _Module) -> dict[str, np.ndarray]:
    """Parameters and buffers by path, joined by dots; those that are None in the file are left out."""
    own = {**module.state.get("_parameters", {}), **module.state.get("_buffers", {})}
    found = {str(name): value for name, value in own.items() if value is not None}
    wrong = [name for name, value in found.items() if not isinstance(value, np.ndarray)]
    if wrong:
        raise ValueError(f"its {wrong[0]!r} is no tensor")
    for name, inner in module.state.get("_modules", {}).items():
        if isinstance(inner, _Module):
            found |= {f"{name}.{path}": value for path, value in _arrays(inner).items()}
    return found
