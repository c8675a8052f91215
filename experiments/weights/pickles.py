"""Pickles of tensors, read without PyTorch and without running anything from them.

A pickle is a program: it may import any function and call it. `Reader` gives it a short list of names in place of that,
each of which stands for a function of this file that makes data: arrays of NumPy, tensors of PyTorch as arrays, dicts,
sets. A name that is not on the list is refused before anything has been called with it. A caller may add names.

Tensors are stored as those of `pickle.dump(module, file)` are: each storage as a file of its own inside, in the form of
`torch.save` before the zip files, and a tensor as a window on a storage.
"""

import io
import math
import pickle
import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax.numpy as jnp
import numpy as np

Names: TypeAlias = Mapping[tuple[str, str], Callable[..., Any]]
"""What a pickle may ask for: module and name, and what is done in its place."""

STORAGES = {
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "HalfStorage": np.float16,
    "BFloat16Storage": jnp.bfloat16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
}
"""PyTorch's classes of storages and the types of their values."""

MAGIC = 0x1950A86A20F9469CFC6C
"""The number that a file of `torch.save` begins with."""

FAULTS = (
    *(pickle.UnpicklingError, EOFError, struct.error, MemoryError, RecursionError, UnicodeError),
    *(AttributeError, IndexError, KeyError, ImportError, OverflowError, TypeError, ValueError),
)
"""What a damaged pickle may raise."""


class RefusedError(ValueError):
    """A pickle that asks for a function or class that no file of weights needs."""


class Reader(pickle.Unpickler):
    """An unpickler to which nothing but `names` and what this file admits is there."""

    def __init__(self, file: Any, names: Names):
        super().__init__(file)
        self._names = {**_admitted(), **names}

    def find_class(self, module: str, name: str, /) -> Any:
        """What stands for the name. RefusedError for one that is not on the list."""
        found = self._names.get((module, name))
        if found is None:
            raise RefusedError(f"it asks for {module}.{name}, which no file of weights needs; nothing in it was run")
        return found

    def persistent_load(self, pid: Any, /) -> Any:
        """ValueError: only a storage's own file has parts outside of the pickle."""
        raise ValueError(f"it refers to a part outside of itself: {str(pid)[:80]}")


class _Dtype:
    """NumPy's type as its pickle describes it: a code, then the order of the bytes."""

    def __init__(self, code: str, align: bool = False, copy: bool = True):
        self.value = np.dtype(code)
        if self.value.kind not in "biuf":
            raise ValueError(f"it holds an array of type {code!r}, which is no number")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1]
        if order not in ("<", ">", "|"):
            raise ValueError(f"it holds an array of the order {order!r} of bytes")
        self.value = np.dtype(f"{order}{self.value.str[1:]}")


class _Array:
    """NumPy's array as its pickle describes it: empty, then filled."""

    value = np.zeros(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, is_fortran, data = state
        order = "F" if is_fortran else "C"
        self.value = np.frombuffer(data, dtype.value).reshape(shape, order=order).copy(order="C")


def plain(value: Any) -> Any:
    """The value with arrays of NumPy as such, inside of dicts, lists, tuples and sets too."""
    match value:
        case _Array() | _Dtype():
            return value.value
        case dict():
            return {plain(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set():
            return type(value)(plain(item) for item in value)
    return value


def _admitted() -> dict[tuple[str, str], Callable[..., Any]]:
    """Made for each reader, so that no pickle can change what the next one finds."""

    class Dtype(_Dtype):
        pass

    def array(*_: Any) -> _Array:
        return _Array()

    def scalar(dtype: _Dtype, data: bytes) -> Any:
        return np.frombuffer(data, dtype.value)[0].item()

    def buffer(data: Any, dtype: _Dtype, shape: Any, order: str) -> np.ndarray:
        return np.frombuffer(data, dtype.value).reshape(shape, order="F" if order == "F" else "C").copy(order="C")

    def storage(data: bytes) -> np.ndarray:
        return _storage(data)

    def tensor(values: np.ndarray, offset: int, size: Any, stride: Any, *_: Any) -> np.ndarray:
        return window(values, offset, tuple(size), tuple(stride))

    def parameter(data: np.ndarray, *_: Any) -> np.ndarray:
        return data

    numpy = {("numpy", "dtype"): Dtype, ("numpy", "ndarray"): array}
    for core in ("numpy.core", "numpy._core"):
        numpy[(f"{core}.multiarray", "_reconstruct")] = array
        numpy[(f"{core}.multiarray", "scalar")] = scalar
        numpy[(f"{core}.numeric", "_frombuffer")] = buffer
    torch = {
        ("torch.storage", "_load_from_bytes"): storage,
        ("torch._utils", "_rebuild_tensor_v2"): tensor,
        ("torch._utils", "_rebuild_parameter"): parameter,
    }
    containers = {("builtins", "set"): set, ("__builtin__", "set"): set, ("collections", "OrderedDict"): dict}
    return {**numpy, **torch, **containers}


class _StorageReader(Reader):
    """The file of one storage: its only names are those of types, and its only part outside is the storage itself."""

    def __init__(self, file: Any):
        super().__init__(file, {})
        self._names = {("torch", name): _constant(dtype) for name, dtype in STORAGES.items()}

    def persistent_load(self, pid: Any, /) -> Any:
        kind, dtype, key, _, num, view = pid
        if kind != "storage" or view is not None:
            raise ValueError("it holds a storage of an unknown kind")
        return np.dtype(dtype()), key, num


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value


def _storage(data: bytes) -> np.ndarray:
    """The values of one storage: magic number, version, system, storage, its key, its length and its bytes."""
    file = io.BytesIO(data)
    magic, version, system = (_StorageReader(file).load() for _ in range(3))
    if magic != MAGIC or version != 1001 or not system["little_endian"]:
        raise ValueError("it holds a storage of an unknown form")
    dtype, key, num = _StorageReader(file).load()
    keys = _StorageReader(file).load()
    (written,) = struct.unpack("<q", file.read(8))
    if keys != [key] or written != num:
        raise ValueError("it holds a storage that does not fit its own description")
    values = np.frombuffer(file.read(num * dtype.itemsize), dtype)
    if len(values) != num:
        raise ValueError("it ends within a storage")
    return values


def window(values: np.ndarray, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
    """A tensor of a storage, in memory of its own. ValueError unless all of it lies inside."""
    numbers = (offset, *size, *stride)
    if len(size) != len(stride) or any(type(number) is not int or number < 0 for number in numbers):
        raise ValueError("it holds a tensor of an impossible shape")
    last = offset + sum((num - 1) * step for num, step in zip(size, stride, strict=True))
    if math.prod(size) > len(values) or (math.prod(size) and last >= len(values)):
        raise ValueError("it holds a tensor that is larger than its storage")
    places = np.full((), offset, np.int64)
    for num, step in zip(size, stride, strict=True):
        places = places[..., None] + step * np.arange(num)
    return np.array(values[places], values.dtype)  # one number is an array too
