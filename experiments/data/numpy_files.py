"""NumPy's own files, npy and npz. Pickles are never loaded: a pickle can run any program."""

import pathlib
import zipfile
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.values import Part


def part(path: str, file: Any, key: str) -> Part:
    """A member of an archive: its header now, its numbers when they are needed."""
    try:
        with file.zip.open(f"{key}.npy") as member:
            version = np.lib.format.read_magic(member)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(member)
    except (KeyError, ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}, array {key}, {_why(error)}") from error
    if dtype.hasobject:
        raise UserError(f"{path}, array {key}, {_PICKLE}")
    return Part(f"{path}, array {key},", shape, dtype, lambda: _read(path, key))


def _read(path: str, key: str) -> np.ndarray:
    with opened(pathlib.Path(path).expanduser()) as file:
        return member(path, file, key)


def opened(path: pathlib.Path) -> Any:
    """What a file holds: an array, mapped into memory, or several by name. UserError if it cannot be read."""
    try:
        with path.open("rb") as file:
            archive = file.read(2) == b"PK"
        if archive and not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile("its archive is cut short")
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        scheme = "npz" if path.suffix == ".npz" else "npy"
        raise UserError(
            f"there is no file {path}; give --data {scheme}:PATH with the path of a .npy or .npz file"
        ) from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error}); give a .npy or .npz file") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} {_why(error)}") from error


def member(path: str, file: Any, key: str) -> np.ndarray:
    """One array of several. UserError if it cannot be read."""
    try:
        return file[key]
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zipfile.error) as error:
        raise UserError(f"{path}, array {key}, {_why(error)}") from error


_PICKLE = "holds Python objects (a pickle), which could run any program; save it as an array of numbers"


def _why(error: Exception) -> str:
    if any(sign in str(error) for sign in ("allow_pickle", "Object arrays", "Python objects")):
        return _PICKLE
    return f"is no NumPy file, or is damaged ({str(error).partition(chr(10))[0]}); save it anew with numpy.save"
