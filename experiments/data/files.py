"""Files of pictures in folders, and in zip archives as if they were folders."""

import io
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from experiments.command_line.errors import UserError
from experiments.data import archives, decoding
from experiments.data.decoding import Half
from experiments.data.encoded import Pictures
from experiments.data.request import TEST_NAMES
from experiments.data.rows import PictureError


def folder_of(path: str, option: str) -> pathlib.Path:
    """The folder of that path; of an archive with a single folder in it, that one. UserError if there is none."""
    if not path:
        raise UserError(f"--data {option}: names no folder; give --data {option}:PATH")
    folder = pathlib.Path(path).expanduser()
    if is_folder(folder):
        archive = archives.of(folder)
        return folder if archive is None else archive.root(folder)
    if folder.is_file():
        raise UserError(
            f"{folder} is a file, but --data {option}: wants a folder of pictures, or a zip archive; give its folder"
        )
    if folder.is_symlink():
        raise UserError(f"{folder} is a link that leads nowhere; give a folder that is there")
    raise UserError(f"{missing(folder)}; give --data {option}:PATH with the path of your pictures")


def missing(folder: pathlib.Path) -> str:
    """That there is no such folder, and where it was looked for."""
    where = "" if folder.is_absolute() else f" in {pathlib.Path.cwd()}"
    return f"there is no folder {folder}{where}"


def set_name(path: str, cure: str) -> str:
    """The name of the set that is meant by a path or a name: `folder:PATH` for a folder, else as it is.

    UserError, which ends in `cure`, for the path of a folder that is not there.
    """
    folder = pathlib.Path(path).expanduser()
    if is_folder(folder):
        return f"folder:{path}"
    if folder.is_absolute() or path.startswith("."):
        raise UserError(f"{missing(folder)}; {cure}")
    return path


def walk(folder: pathlib.Path) -> list[pathlib.Path]:
    """Pictures in the folder and below, in order of name; hidden files are left out."""
    return pictures_among(every_file(folder))


def pictures_among(paths: Sequence[pathlib.Path]) -> list[pathlib.Path]:
    """Those of the files whose suffix is that of a picture."""
    suffixes = decoding.suffixes()
    return [path for path in paths if path.suffix.lower() in suffixes]


def every_file(folder: pathlib.Path) -> list[pathlib.Path]:
    """All files in the folder and below, in order of name; hidden ones are left out.

    Links to folders are followed, a folder that has been seen is not entered again.
    """
    archive = archives.of(folder)
    if archive is not None:
        return sorted(one for one in archive.files if folder in one.parents)
    found: list[pathlib.Path] = []
    seen: set[str] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            place = os.path.realpath(here)  # not all file systems number their folders
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            raise UserError(f"{here} cannot be read ({error.strerror}); change its permissions") from error
        if place in seen:
            continue
        seen.add(place)
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                waiting.append(pathlib.Path(entry.path))
            else:
                found.append(pathlib.Path(entry.path))
    return sorted(found)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def sub_folders(folder: pathlib.Path) -> list[pathlib.Path]:
    """Folders directly in a folder, in order of name, without hidden ones."""
    archive = archives.of(folder)
    if archive is not None:
        return sorted(one for one in archive.folders if one.parent == folder)
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def require_pictures(paths: Sequence[pathlib.Path], folder: pathlib.Path) -> None:
    """UserError if there are none, saying what there is."""
    if paths:
        return
    others = [path.name for path in every_file(folder)]
    packed = next((name for name in others if name.lower().endswith(archives.SUFFIX)), None)
    if packed:
        raise UserError(f"{folder} holds no pictures itself; give --data folder:{folder / packed}")
    there = f"its files are {', '.join(others[:3])}{', ...' if len(others) > 3 else ''}" if others else "it is empty"
    raise UserError(f"{folder} holds no pictures ({there}); give a folder of png, jpg, webp, gif, bmp or tiff files")


def split_folders(
    folder: pathlib.Path, paths: Sequence[pathlib.Path]
) -> tuple[dict[str, pathlib.Path], tuple[str, ...]]:
    """The folders of a set's splits, by name, and a note for a person; none if the set has no folder `train`.

    `train` is a split only if nothing but splits lies beside it; else it is one folder among others.
    """
    there = {path.relative_to(folder).parts[0] for path in paths if path.parent != folder}
    if "train" not in there:
        return {}, ()
    others = sorted(there - {"train", *TEST_NAMES})
    if others:
        note = f"{folder.name}/train is one folder among others, not a split: {', '.join(others[:3])} lies beside it"
        return {}, (note,)
    return {name: folder / name for name in ("train", *TEST_NAMES) if name in there}, ()


def within(root: pathlib.Path, paths: Sequence[pathlib.Path]) -> list[pathlib.Path]:
    """Those of the paths that lie in a folder or below it."""
    return [path for path in paths if path.is_relative_to(root)]


def is_folder(path: pathlib.Path) -> bool:
    """Whether a path is a folder, or an archive or a folder in one."""
    archive = archives.of(path)
    return path.is_dir() if archive is None else path in archive.folders


def is_file(path: pathlib.Path) -> bool:
    """Whether a path is a file, or a file in an archive."""
    archive = archives.of(path)
    return path.is_file() if archive is None else path in archive.files


def pictures(folder: pathlib.Path, paths: Sequence[pathlib.Path], half: Half = None) -> Pictures:
    """The pictures in these files of a folder."""
    return Pictures(
        len(paths),
        lambda indices: [read(paths[index]) for index in indices],
        lambda index: str(paths[index]),
        lambda index: opened(paths[index]),
        half,
        names=lambda: [path.relative_to(folder).as_posix() for path in paths],
        sizes=lambda: [_size(path) for path in paths],
    )


def _size(path: pathlib.Path) -> int:
    try:
        archive = archives.of(path)
        return path.stat().st_size if archive is None else archive.files[path].file_size
    except OSError:  # what is wrong with it is said when it is read
        return 0


def read(path: pathlib.Path) -> Any:
    """The bytes of a file, or PictureError."""
    try:
        archive = archives.of(path)
        return path.read_bytes() if archive is None else archive.read(path)
    except OSError as error:
        kind = "is a link that leads nowhere" if path.is_symlink() else f"cannot be read ({error.strerror})"
        return PictureError(kind)


def opened(path: pathlib.Path) -> Any:
    """What Pillow opens to read the header of a picture."""
    if archives.of(path) is None:
        return path
    content = read(path)
    return io.BytesIO(b"" if isinstance(content, PictureError) else content)


def text_of(path: pathlib.Path) -> str:
    """A text file. UserError if it is not UTF-8."""
    content = read(path)
    if isinstance(content, PictureError):
        raise UserError(f"{path} {content}; change its permissions")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 (byte {error.start:,}); save it as UTF-8") from error
