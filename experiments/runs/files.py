"""Files of a run, written whole or not at all."""

import contextlib
import errno
import os
import pathlib
from collections.abc import Iterator

from experiments.command_line import system

UNFINISHED = ".unfinished"
"""How the name of a file ends that is being written; a leftover of a kill."""


@contextlib.contextmanager
def replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A name beside `path` to write to; renamed to `path` at the end, removed if writing fails."""
    unfinished = path.with_name(f".{path.name}{UNFINISHED}")
    try:
        yield unfinished
        unfinished.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def write(path: pathlib.Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all: a power cut too leaves the old file or the new one."""
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
        sync(unfinished)


def sync(path: pathlib.Path) -> None:
    """Until a file, or all files and folders under `path`, are on disk and not in memory alone."""
    for one in (*path.rglob("*"), path):
        system.sync(one)


def append(path: pathlib.Path, text: str) -> None:
    """Add `text` at the end, whole or not at all."""
    content = text.encode()
    with path.open("ab", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            if file.write(content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(size)
            raise


def remove_unfinished(folder: pathlib.Path) -> None:
    """Remove what a kill has left half written in `folder`."""
    for path in folder.glob(f".*{UNFINISHED}"):
        path.unlink(missing_ok=True)


def reason(error: Exception) -> str:
    """Why something could not be written, in a few words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(error).strip()
    for number in (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EACCES):
        if os.strerror(number) in text:
            return os.strerror(number)
    line = text.partition("\n")[0]
    return line if len(line) <= 160 else f"{line[:160]}..."
