"""Zip archives read in place: `photos.zip/cats/1.png` is the path of a member, as if the archive were a folder.

Members are stored or deflated (or whatever else `zipfile` reads) and may be read from several threads. What a computer
adds for itself (`__MACOSX`, hidden files) is left out, and so are names that lead out of the archive.
"""

import functools
import pathlib
import threading
import zipfile
import zlib
from collections.abc import Mapping

from experiments.command_line.errors import UserError

SUFFIX = ".zip"


class Archive:
    """The files of one archive by their paths, those of `path/name`, and their folders."""

    def __init__(self, path: pathlib.Path):
        self._file = zipfile.ZipFile(path)
        self._lock = threading.Lock()
        self.files: Mapping[pathlib.Path, zipfile.ZipInfo] = {
            path.joinpath(*parts): info
            for info in self._file.infolist()
            if not info.is_dir() and (parts := _parts(info.filename))
        }
        self.folders = {path} | {parent for one in self.files for parent in one.parents if path in parent.parents}

    def root(self, folder: pathlib.Path) -> pathlib.Path:
        """A folder of the archive, or the only one within it if there is nothing beside that one."""
        inner = [one for one in (*self.folders, *self.files) if one.parent == folder]
        return self.root(inner[0]) if len(inner) == 1 and inner[0] in self.folders else folder

    def read(self, path: pathlib.Path) -> bytes:
        """A member. OSError with the reason if it is not there, encrypted or damaged."""
        if path not in self.files:
            raise FileNotFoundError(2, "no such member", str(path))
        try:
            with self._lock:
                member = self._file.open(self.files[path])
            with member:
                return member.read()
        except (RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
            raise OSError(5, str(error).partition("\n")[0].lower() or "damaged", str(path)) from error


def of(path: pathlib.Path) -> Archive | None:
    """The archive that a path is, or leads into; None for a path outside of any. UserError if it is damaged."""
    if SUFFIX not in str(path).lower():
        return None
    for one in (path, *path.parents):
        if one.suffix.lower() == SUFFIX and one.is_file():
            status = one.stat()
            return _opened(one, status.st_mtime_ns, status.st_size)
    return None


@functools.lru_cache(maxsize=8)
def _opened(path: pathlib.Path, changed: int, size: int) -> Archive:
    try:
        return Archive(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise UserError(f"{path} is no zip archive, or is damaged ({error}); save it anew") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); change its permissions") from error


def _parts(name: str) -> tuple[str, ...]:
    """The folders and the file that a member's name says; nothing for one to leave out."""
    parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
    hidden = any(part.startswith(".") or part == "__MACOSX" or pathlib.PurePath(part).drive for part in parts)
    return () if hidden else parts
