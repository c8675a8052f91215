"""Files of `torch.save` that hold tensors by name, read without PyTorch and without running anything from them.

Both forms: the zip file of today, a pickle beside a file of bytes for each storage, and the form before it, in which
pickles and storages follow each other. What a pickle may ask for are dicts and tensors (`experiments.weights.pickles`);
anything else is refused before it is called.
"""

import pathlib
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from experiments.weights import pickles

SUFFIXES = (".pth", ".pt")

VERSION = 1001
"""Of the form before the zip files."""


class _Storage(NamedTuple):
    """Numbers that lie elsewhere in the file."""

    dtype: np.dtype
    key: str
    num: int


class _Tensor(NamedTuple):
    """A window on a storage."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class _Reader(pickles.Reader):
    """A pickle whose tensors are windows on storages that are read later."""

    def __init__(self, file: Any):
        super().__init__(file, _names())

    def persistent_load(self, pid: Any, /) -> Any:
        """The storage that is meant. ValueError for anything else, and for a part of one."""
        kind, dtype, key, _, num, *view = pid
        if kind != "storage" or any(one is not None for one in view):
            raise ValueError("it holds a storage of an unknown kind")
        return _Storage(np.dtype(dtype()), str(key), int(num))


def _names() -> dict[tuple[str, str], Callable[..., Any]]:
    def tensor(storage: _Storage, offset: int, size: Any, stride: Any, *_: Any) -> _Tensor:
        return _Tensor(storage, offset, tuple(size), tuple(stride))

    def of_type(dtype: Any) -> Callable[[], Any]:
        return lambda: dtype

    class Dict(dict):
        """One that can be given attributes, as PyTorch gives them to a dict of tensors."""

    storages = {("torch", name): of_type(dtype) for name, dtype in pickles.STORAGES.items()}
    rebuilt = {("torch._utils", name): tensor for name in ("_rebuild_tensor", "_rebuild_tensor_v2")}
    return {**storages, **rebuilt, ("collections", "OrderedDict"): Dict}


def load(path: pathlib.Path) -> dict[str, np.ndarray]:
    """The tensors of a file by name, those of its `state_dict` where it has one.

    ValueError, in one sentence, for a file that is missing, damaged or of another form, and for one that asks for
    anything but tensors: it names what that is, and nothing in the file has run.
    """
    try:
        with path.open("rb") as file:
            found, read = _zipped(file) if zipfile.is_zipfile(file) else _in_a_row(file)
            named = found.get("state_dict", found) if isinstance(found, dict) else found
            if not isinstance(named, dict) or not all(isinstance(one, _Tensor) for one in named.values()):
                raise ValueError("it holds something else than tensors by name")
            return {str(name): _array(tensor, read) for name, tensor in named.items()}
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except (*pickles.FAULTS, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path} cannot be read as tensors of torch.save: {error}") from error


def _zipped(file: Any) -> tuple[Any, Callable[[_Storage], bytes]]:
    """What the pickle holds, and how the bytes of a storage are read."""
    archive = zipfile.ZipFile(file)
    there = set(archive.namelist())
    (root,) = [name.removesuffix("data.pkl") for name in there if name.endswith("/data.pkl")]
    if f"{root}byteorder" in there and archive.read(f"{root}byteorder") != b"little":
        raise ValueError("it holds numbers in an unknown order of bytes")
    with archive.open(f"{root}data.pkl") as pickled:
        found = _Reader(pickled).load()
    return found, lambda storage: archive.read(f"{root}data/{storage.key}")


def _in_a_row(file: Any) -> tuple[Any, Callable[[_Storage], bytes]]:
    """The same of the form before: magic number, version, system, the pickle, the keys, and the storages in order."""
    file.seek(0)
    magic, version, system = (pickles.Reader(file, {}).load() for _ in range(3))
    if magic != pickles.MAGIC or version != VERSION or not system["little_endian"]:
        raise ValueError("it holds storages of an unknown form")
    found = _Reader(file).load()
    keys: Any = pickles.Reader(file, {}).load()
    sizes = {one.storage.key: one.storage.dtype.itemsize for one in _tensors(found)}
    places: dict[str, tuple[int, int]] = {}
    for key in keys:
        (num,) = struct.unpack("<q", file.read(8))
        places[str(key)] = (file.tell(), num * sizes.get(str(key), 0))
        file.seek(places[str(key)][1], 1)

    def read(storage: _Storage) -> bytes:
        place, length = places[storage.key]
        file.seek(place)
        return file.read(length)

    return found, read


def _tensors(found: Any) -> list[_Tensor]:
    """Those of a dict, and of the dicts in it."""
    values = list(found.values()) if isinstance(found, Mapping) else []
    inner = [tensor for value in values if isinstance(value, Mapping) for tensor in _tensors(value)]
    return [value for value in values if isinstance(value, _Tensor)] + inner


def _array(tensor: _Tensor, read: Callable[[_Storage], bytes]) -> np.ndarray:
    storage = tensor.storage
    values = np.frombuffer(read(storage), storage.dtype)
    if len(values) != storage.num:
        raise ValueError("it holds a storage that does not fit its own description")
    return pickles.window(values, tensor.offset, tensor.size, tensor.stride)
