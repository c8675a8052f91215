"""The pictures that a person names, a folder of them or a single file, their targets, and where translations go."""

import dataclasses
import pathlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.command_line.errors import UserError
from experiments.data import decoding, files

SUFFIX = ".png"


@dataclass(frozen=True)
class Source:
    """One picture."""

    path: pathlib.Path
    stem: str  # below the folder that was named, without the suffix
    name: str  # of its translation: the stem, or with the suffix where two pictures have one stem
    target: pathlib.Path | None = None  # the picture that its translation should be


@dataclass(frozen=True)
class Place:
    """Where translations are written."""

    folder: pathlib.Path
    file: str | None = None  # name, without the suffix, of the translation of a single picture

    def of(self, source: Source, *words: str) -> pathlib.Path:
        """The file of a translation; `words` tell several of one picture apart."""
        name = "_".join([self.file or source.name, *filter(None, words)])
        return self.folder / f"{name}{SUFFIX}"


def place(out: pathlib.Path, given: pathlib.Path) -> Place:
    """What --out means. UserError for a file that is no PNG, or one file for a folder of pictures."""
    suffix = out.suffix.lower()
    if out.is_dir() or suffix not in decoding.suffixes():
        return Place(out)
    if suffix != SUFFIX:
        raise UserError(f"--out is {out}, but pictures are written as PNG; give FILE.png, or the name of a folder")
    if given.is_dir():
        raise UserError(f"--out is {out}, one file for a folder of pictures; give the name of a folder")
    return Place(out.parent, out.stem)


def found(given: pathlib.Path, out: pathlib.Path) -> list[Source]:
    """The picture, or the pictures of a folder without those below `out`. UserError if there is none."""
    if given.is_file():
        if out.resolve() == given.resolve():
            raise UserError(f"--out is {out}, the picture itself; choose another one")
        return [Source(given, given.stem, given.stem)]
    if not given.is_dir():
        raise UserError(f"there is no picture and no folder {given}; give the path of your pictures")
    if out.resolve() == given.resolve():
        raise UserError(f"--out is {out}, the folder of the pictures themselves; choose another one")
    every = [path for path in files.every_file(given) if not path.resolve().is_relative_to(out.resolve())]
    pictures = files.pictures_among(every)
    files.require_pictures(pictures, given)
    return _named(given, pictures)


def with_targets(given: Sequence[Source], folder: pathlib.Path) -> list[Source]:
    """Each picture with that of its name in a folder, None where there is none. UserError for a folder without any."""
    if not folder.is_dir():
        raise UserError(f"--targets {folder} is no folder; give that of the pictures to compare with")
    there = {_stem(path, folder): path for path in files.walk(folder)}
    if not there.keys() & {source.stem for source in given}:
        raise UserError(f"--targets {folder} holds no picture of the name of an input; give each target its input's")
    return [dataclasses.replace(source, target=there.get(source.stem)) for source in given]


def _named(folder: pathlib.Path, pictures: Sequence[pathlib.Path]) -> list[Source]:
    stems = [_stem(path, folder) for path in pictures]
    shared = Counter(stems)
    whole = [path.relative_to(folder).as_posix() for path in pictures]
    names = [stem if shared[stem] == 1 else name for stem, name in zip(stems, whole, strict=True)]
    return [Source(*one) for one in zip(pictures, stems, names, strict=True)]


def _stem(path: pathlib.Path, folder: pathlib.Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()
