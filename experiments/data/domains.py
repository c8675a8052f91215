"""Two images at a time: `pairs:PATH`, where one belongs to the other, and `unpaired:A,B`, two domains without a link.

Pairs lie side by side in one picture, input left and target right, as pix2pix has them; or in two folders under the
same names, the first folder in order of name being the input. Folders named trainA and trainB are A and B of
split `train`.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from experiments.command_line.errors import UserError
from experiments.data import files, left_out
from experiments.data.collection import Collection, ranges
from experiments.data.request import TEST_NAMES

NAMED = 3

Sides: TypeAlias = tuple[pathlib.Path, pathlib.Path]
"""The folders of inputs and of targets, or of two domains."""


def pairs(path: str, *, swap: bool) -> Collection:
    """Pairs of images; with `swap` the right one, or the second folder, is the input."""
    folder = files.folder_of(path, "pairs")
    name = f"pairs:{path}"
    every = files.every_file(folder)
    paths = files.pictures_among(every)
    files.require_pictures(paths, folder)
    sides, notes = _sides(name, folder, paths)
    lettered = bool(_lettered(folder))
    if sides:
        both = {split: _partners(name, *two) for split, two in sides.items()}
        nums = {split: len(inputs) for split, (inputs, _) in both.items()}
        kept = [one for part in both.values() for side in part for one in side]
        images, targets = (
            files.pictures(folder, [one for part in both.values() for one in part[which]]) for which in range(2)
        )
    else:
        splits, notes = files.split_folders(folder, paths)
        parts = {split: files.within(root, paths) for split, root in (splits or {"": folder}).items()}
        nums = {split: len(part) for split, part in parts.items()}
        kept = [one for part in parts.values() for one in part]
        images, targets = (files.pictures(folder, kept, half) for half in ("left", "right"))
    if swap:
        images, targets = targets, images
    splits = {} if "" in nums else ranges(nums)
    notes += left_out.notes(folder, every, paths, kept)
    return Collection(name, images, splits, targets=targets, holds_out=not lettered, notes=notes)


def unpaired(paths: str, load: Callable[[str], Collection]) -> Collection:
    """Two domains; each is a folder or the name of a set, which `load` knows. One folder may hold trainA and trainB.

    The labels are those of the first.
    """
    name = f"unpaired:{paths}"
    whole = pathlib.Path(paths).expanduser()
    if paths and files.is_folder(whole):
        whole = files.folder_of(paths, "unpaired")
        sides = _lettered(whole)
        if not sides:
            raise UserError(f"{whole} has no folders trainA and trainB; give --data unpaired:A,B")
        a, b = (_domain(name, whole, {split: two[which] for split, two in sides.items()}) for which in range(2))
        every = files.every_file(whole)
        kept = [path for two in sides.values() for root in two for path in files.within(root, every)]
        pictures = files.pictures_among(every)
        a = dataclasses.replace(a, notes=left_out.notes(whole, every, pictures, files.pictures_among(kept)))
    else:
        sets = names_of(paths)
        a, b = (load(one) for one in sets)
    notes = tuple(dict.fromkeys((*a.notes, *b.notes)))
    return dataclasses.replace(a, name=name, others=b, recorded="", notes=notes)


def names_of(paths: str) -> list[str]:
    """The names of the two sets of `unpaired:A,B`."""
    cure = "give --data unpaired:A,B with the paths of your folders"
    return [files.set_name(one, cure) for one in _two_names(paths)]


def _domain(name: str, folder: pathlib.Path, roots: Mapping[str, pathlib.Path]) -> Collection:
    parts = {split: files.walk(root) for split, root in roots.items()}
    for split, root in roots.items():
        files.require_pictures(parts[split], root)
    pictures = files.pictures(folder, [path for part in parts.values() for path in part])
    splits = ranges({split: len(part) for split, part in parts.items()})
    return Collection(name, pictures, splits, holds_out=False)


def _lettered(folder: pathlib.Path) -> dict[str, Sides]:
    """The folders trainA and trainB, testA and testB and so on, by the name of their split."""
    found = {split: (folder / f"{split}A", folder / f"{split}B") for split in ("train", *TEST_NAMES)}
    return {split: (a, b) for split, (a, b) in found.items() if files.is_folder(a) and files.is_folder(b)}


def _two_names(paths: str) -> tuple[str, str]:
    commas = [index for index, letter in enumerate(paths) if letter == ","]
    cuts = [(paths[:index].strip(), paths[index + 1 :].strip()) for index in commas]
    there = [cut for cut in cuts if all(files.is_folder(pathlib.Path(one).expanduser()) for one in cut)]
    for first, second in (*there, *cuts[:1]):
        if first and second:
            return first, second
    raise UserError(f"unpaired:{paths} does not name two domains; give --data unpaired:A,B, folders or names of sets")


def _sides(name: str, folder: pathlib.Path, paths: Sequence[pathlib.Path]) -> tuple[dict[str, Sides], tuple[str, ...]]:
    """The folders of inputs and targets of each split, "" where there are no splits; none for pairs side by side."""
    if found := _lettered(folder):
        return found, ()
    splits, notes = files.split_folders(folder, paths)
    if splits:
        two = {split: _sub_folders(root, paths) for split, root in splits.items()}
        if all(len(subs) == 2 for subs in two.values()):
            return {split: (subs[0], subs[1]) for split, subs in two.items()}, notes
        if any(len(subs) == 2 for subs in two.values()):
            raise UserError(
                f"{name} has two folders of pictures in {_where(two, 2)}, but not in {_where(two, 2, but=True)}; "
                "give every split two folders, or none"
            )
        return {}, notes
    subs = files.sub_folders(folder)
    subs = [sub for sub in subs if files.within(sub, paths)] if len(subs) > 2 else subs
    if len(subs) != 2:
        return {}, notes
    inner = [files.split_folders(sub, files.within(sub, paths))[0] for sub in subs]
    if not all(inner):
        return {"": (subs[0], subs[1])}, notes
    if inner[0].keys() != inner[1].keys():
        raise UserError(
            f"{name} has the splits {', '.join(inner[0])} in {subs[0].name} but {', '.join(inner[1])} in "
            f"{subs[1].name}; give both the same"
        )
    return {split: (inner[0][split], inner[1][split]) for split in inner[0]}, notes


def _sub_folders(root: pathlib.Path, paths: Sequence[pathlib.Path]) -> list[pathlib.Path]:
    """Those that hold pictures, in order of name."""
    depth = len(root.parts)
    return sorted({root / path.parts[depth] for path in files.within(root, paths) if path.parent != root})


def _where(two: Mapping[str, Sequence[pathlib.Path]], num: int, *, but: bool = False) -> str:
    return " and ".join(split for split, subs in two.items() if (len(subs) == num) != but)


def _partners(name: str, a: pathlib.Path, b: pathlib.Path) -> tuple[list[pathlib.Path], list[pathlib.Path]]:
    """The pictures of both folders in one order. UserError if one has no partner of its name."""
    sides = [{path.relative_to(folder).with_suffix(""): path for path in files.walk(folder)} for folder in (a, b)]
    for folder, side in zip((a, b), sides, strict=True):
        files.require_pictures(list(side.values()), folder)
    alone = sorted(sides[0].keys() ^ sides[1].keys())
    if alone:
        named = ", ".join(str(stem) for stem in alone[:NAMED])
        raise UserError(
            f"{name} has {len(alone):,} pictures in only one of {a.name} and {b.name}: {named}; "
            "give each its partner under the same name, or remove them"
        )
    return [sides[0][stem] for stem in sides[0]], [sides[1][stem] for stem in sides[0]]
