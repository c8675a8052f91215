"""Files of tables: parquet, a column read whole when a row of it is asked for, and arrow, mapped into memory."""

import pathlib
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError


def arrow() -> Any:
    """The package pyarrow. UserError without it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UserError("tables need pyarrow: pip install -e '.[parquet]'") from None
    return pyarrow


class Table:
    """The rows of some files, one file after another, read by index and from any thread."""

    def __init__(self, paths: Sequence[pathlib.Path]):
        self.paths = paths
        headers = [_header(path) for path in paths]
        self.schema, _ = headers[0]
        for path, (schema, _) in zip(paths, headers, strict=True):
            if schema.names != self.schema.names:
                raise UserError(f"{path} has other columns than {paths[0]}; save all files of a table alike")
        self.nums = [num for _, num in headers]
        self._ends = np.cumsum([0, *self.nums])
        self._columns: dict[tuple[int, str], Any] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return int(self._ends[-1])

    def values(self, name: str, indices: Sequence[int]) -> list[Any]:
        """A column's values in some rows, as Python has them."""
        places = np.searchsorted(self._ends, indices, side="right") - 1
        return [
            self._column(int(place), name)[int(index - self._ends[place])].as_py()
            for place, index in zip(places, indices, strict=True)
        ]

    def called(self, index: int) -> str:
        """Where a row lies."""
        place = int(np.searchsorted(self._ends, index, side="right")) - 1
        return f"{self.paths[place]}, row {index - self._ends[place]},"

    def _column(self, place: int, name: str) -> Any:
        with self._lock:
            if (place, name) not in self._columns:
                self._columns[place, name] = _column(self.paths[place], name)
            return self._columns[place, name]


def _header(path: pathlib.Path) -> tuple[Any, int]:
    """The schema of a file and how many rows it has. UserError if it is damaged."""
    pyarrow, kind = arrow(), path.suffix.removeprefix(".")
    try:
        if kind == "arrow":
            table = _mapped(path)
            return table.schema, table.num_rows
        with pyarrow.parquet.ParquetFile(path) as file:
            return file.schema_arrow, file.metadata.num_rows
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise UserError(f"{path} is no {kind} file, or is damaged ({_short(error)}); get it anew") from error


def _column(path: pathlib.Path, name: str) -> Any:
    pyarrow = arrow()
    try:
        if path.suffix == ".arrow":
            return _mapped(path).column(name)
        with pyarrow.parquet.ParquetFile(path) as file:
            return file.read([name]).column(name)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise UserError(f"{path} is damaged ({_short(error)}); get it anew") from error


def _mapped(path: pathlib.Path) -> Any:
    """All rows of an arrow file, which stay on disk; of both forms that such a file may have."""
    pyarrow = arrow()
    try:
        return pyarrow.ipc.open_stream(pyarrow.memory_map(str(path))).read_all()
    except pyarrow.ArrowInvalid:
        return pyarrow.ipc.open_file(pyarrow.memory_map(str(path))).read_all()


def _short(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:120]
