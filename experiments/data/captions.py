"""Images with captions: `captions:PATH`, a folder of pictures and what is written about each.

captions.txt, captions.csv, results.csv    lines `file.jpg,caption`, as Flickr8k has them; also `file.jpg#0<TAB>caption`
metadata.csv                               a table with columns file_name and text, whatever else it has
captions.json, metadata.jsonl              {"file.jpg": "caption" or [captions]}, [{"file": .., "caption": ..}], COCO's
picture.txt beside picture.jpg             one caption a line
"""

import csv
import io
import json
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import files, left_out
from experiments.data.collection import Collection, ranges
from experiments.data.decoding import HEIF, SUFFIXES

TABLES = ("captions.txt", "captions.csv", "captions.tsv", "results.csv", "Flickr8k.token.txt", "results_20130124.token")
NAMED_TABLES = ("metadata.csv",)
"""Tables whose first line names their columns, of FILE_KEYS and TEXT_KEYS."""

JSONS = ("captions.json", "metadata.jsonl", "captions.jsonl")
FILE_KEYS = ("file", "file_name", "filename", "image", "image_name", "path")
TEXT_KEYS = ("captions", "caption", "text", "texts", "sentences", "comment")


def collection(path: str) -> Collection:
    """The pictures of a folder that have captions."""
    folder = files.folder_of(path, "captions")
    name = f"captions:{path}"
    every = files.every_file(folder)
    paths = files.pictures_among(every)
    files.require_pictures(paths, folder)
    splits, notes = files.split_folders(folder, paths)
    parts = {split: files.within(root, paths) for split, root in (splits or {"": folder}).items()}
    kept = [path for part in parts.values() for path in part]
    tables = _tables([folder, *splits.values()])
    written = _written(folder, tables, kept)
    texts = tables or [path.with_suffix(".txt") for path in kept]
    nums = {split: len(part) for split, part in parts.items()}
    return Collection(
        name,
        files.pictures(folder, kept),
        ranges(nums) if splits else {},
        texts=lambda indices: [written[kept[index]] for index in indices],
        notes=(*notes, *left_out.notes(folder, every, paths, [*kept, *texts])),
    )


def encoded(texts: Sequence[Sequence[str]], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Captions as UTF-8, (num, most, length) uint8 padded with 0 and cut between characters, and how many of each."""
    counts = np.array([len(some) for some in texts], np.uint32)
    bytes_ = np.zeros((len(texts), int(counts.max(initial=1)), length), np.uint8)
    for index, some in enumerate(texts):
        for which, text in enumerate(some):
            cut = text.encode("utf-8")[:length].decode("utf-8", "ignore").encode("utf-8")
            bytes_[index, which, : len(cut)] = np.frombuffer(cut, np.uint8)
    return bytes_, counts


def decoded(caption: np.ndarray) -> str:
    """The text of one encoded caption."""
    return bytes(caption).rstrip(b"\0").decode("utf-8", "replace")


def _tables(folders: Sequence[pathlib.Path]) -> list[pathlib.Path]:
    """The table of captions in each of the folders that has one."""
    names = (*TABLES, *NAMED_TABLES, *JSONS)
    found = [next((folder / name for name in names if files.is_file(folder / name)), None) for folder in folders]
    return [table for table in found if table is not None]


def _written(
    folder: pathlib.Path, tables: Sequence[pathlib.Path], paths: Sequence[pathlib.Path]
) -> dict[pathlib.Path, list[str]]:
    """The captions of each picture, from the tables in a set's folder and in those of its splits.

    UserError if pictures have none, or captions have no picture.
    """
    if not tables:
        found = {path: _beside(path) for path in paths}
        if not any(found.values()):
            raise UserError(
                f"{folder} has pictures but no captions; write captions.txt with lines 'file.jpg,caption', "
                "or a .txt file beside each picture"
            )
    else:
        found: dict[pathlib.Path, list[str]] = {path: [] for path in paths}
        for source in tables:
            read = _from_json if source.name in JSONS else _from_named if source.name in NAMED_TABLES else _from_table
            captions = read(source)
            for path, texts in _matched(source, files.within(source.parent, paths), captions).items():
                found[path] += texts
    without = [path for path in paths if not found[path]]
    if without:
        where = tables[0] if len(tables) == 1 else folder
        raise UserError(
            f"{len(without):,} of {len(paths):,} pictures have no caption in {where}, the first is {without[0].name}; "
            "write one for each, or remove those pictures"
        )
    return found


def _beside(path: pathlib.Path) -> list[str]:
    written = path.with_suffix(".txt")
    lines = files.text_of(written).splitlines() if files.is_file(written) else []
    return [line.strip() for line in lines if line.strip()]


def _matched(
    source: pathlib.Path, paths: Sequence[pathlib.Path], captions: Iterable[tuple[str, str]]
) -> dict[pathlib.Path, list[str]]:
    root = source.parent
    by_name = {path.name: path for path in paths} | {path.relative_to(root).as_posix(): path for path in paths}
    found: dict[pathlib.Path, list[str]] = {path: [] for path in paths}
    missing: list[str] = []
    for name, text in captions:
        if name in by_name:
            found[by_name[name]].append(text)
        elif name not in missing:
            missing.append(name)
    if missing:
        raise UserError(
            f"{source} has captions for {len(missing):,} pictures that are not there, the first is {missing[0]!r}; "
            "add the pictures or remove the lines"
        )
    return found


def _from_table(source: pathlib.Path) -> list[tuple[str, str]]:
    text = files.text_of(source)
    first = text.partition("\n")[0]
    if "\t" in first:
        rows = [line.split("\t", 1) for line in text.splitlines() if line.strip()]
    elif "|" in first:
        rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.strip()]
    else:
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if rows and pathlib.PurePath(rows[0][0].partition("#")[0]).suffix.lower() not in SUFFIXES | HEIF:
        rows = rows[1:]
    captions = []
    for number, row in enumerate(rows, start=1):
        text = ",".join(row[1:]).strip() if "|" not in first else row[-1]
        if len(row) < 2 or not text:
            raise UserError(f"{source} has no caption in its row {number}, {row[0]!r}; write 'file.jpg,caption'")
        captions.append((row[0].partition("#")[0].strip(), text))
    return captions


def _from_named(source: pathlib.Path) -> list[tuple[str, str]]:
    rows = list(csv.DictReader(io.StringIO(files.text_of(source))))
    columns = list(rows[0]) if rows else []
    file, text = (next((key for key in names if key in columns), None) for names in (FILE_KEYS, TEXT_KEYS))
    if file is None or text is None:
        raise UserError(f"{source} has columns {', '.join(map(str, columns))}; name two of them file_name and text")
    for number, row in enumerate(rows, start=1):
        if not all((row[key] or "").strip() for key in (file, text)):
            raise UserError(f"{source} has no file or no text in its row {number}; write both")
    return [(row[file].strip(), row[text].strip()) for row in rows]


def _from_json(source: pathlib.Path) -> list[tuple[str, str]]:
    text = files.text_of(source)
    try:
        if source.suffix == ".jsonl":
            content: Any = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            content = json.loads(text)
        return list(_pairs(content))
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError) as error:
        raise UserError(
            f"{source} cannot be understood ({type(error).__name__}: {error}); "
            'write {"file.jpg": ["caption", ...]} or [{"file": "file.jpg", "caption": "..."}]'
        ) from error


def _pairs(content: Any) -> Iterable[tuple[str, str]]:
    if isinstance(content, dict) and "annotations" in content:
        names = {image["id"]: image["file_name"] for image in content["images"]}
        for annotation in content["annotations"]:
            yield names[annotation["image_id"]], _text(annotation["caption"])
        return
    if isinstance(content, dict):
        entries = [({"file": name, "captions": texts}) for name, texts in content.items()]
    else:
        entries = content
    for entry in entries:
        name = next((entry[key] for key in FILE_KEYS if key in entry), None)
        texts = next((entry[key] for key in TEXT_KEYS if key in entry), None)
        if name is None or texts is None:
            raise KeyError(f"no file or no caption in {entry}")
        for text in [texts] if isinstance(texts, str) else texts:
            yield name, _text(text)


def _text(text: Any) -> str:
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{text!r} is no caption")
    return text.strip()
