"""Two images at a time: `pairs:PATH`, where one belongs to the other, and `unpaired:A,B`, two domains without a link.

Pairs lie side by side in one picture, input left and target right, as pix2pix has them; or in two folders under the
same names, the first folder in order of name being the input. Folders named trainA and trainB are A and B of
split `train`.
"""

import dataclasses
import pathlib
from collections.abc import Callable

from experiments.command_line.errors import UserError
from experiments.data import files
from experiments.data.images import ImageSet, factor_of
from experiments.data.request import TEST_NAMES, Request, part
from experiments.data.rows import Rows

NAMED = 3


def load_pairs(path: str, request: Request) -> ImageSet:
    """Pairs of images; `--images.swap` makes the right one, or the second folder, the input."""
    folder = files.folder_of(path, "pairs")
    name = f"pairs:{path}"
    of_targets = dataclasses.replace(request, images=request.images.of_targets)
    requests = (of_targets, request) if request.images.swap else (request, of_targets)
    two = _two_folders(name, folder, request.split)
    if two is None:
        images, targets = _side_by_side(name, folder, requests)
    else:
        images, targets = (files.rows_of_files(name, paths, one) for paths, one in zip(two, requests, strict=True))
    if request.images.swap:
        images, targets = targets, images
    factor_of(tuple(images.shape[1:]), tuple(targets.shape[1:]))
    return ImageSet(name, images, targets=targets)


def load_unpaired(paths: str, request: Request, load: Callable[[str, Request], ImageSet]) -> ImageSet:
    """Two domains; each is a folder or the name of a set, which `load` knows. One folder may hold trainA and trainB."""
    name = f"unpaired:{paths}"
    first, second = _two_names(paths, request)
    if pathlib.Path(paths).expanduser().is_dir():
        request = dataclasses.replace(request, split="all")  # the folders are those of the split
    sets = [f"folder:{one}" if pathlib.Path(one).expanduser().is_dir() else one for one in (first, second)]
    a, b = (load(one, request) for one in sets)
    if a.images.shape[1:] != b.images.shape[1:]:
        one, other = ("x".join(map(str, part.images.shape[1:])) for part in (a, b))
        raise UserError(
            f"{first} has images of {one} and {second} of {other}; give --images.size and --images.channels"
        )
    return ImageSet(name, a.images, others=b.images)


def _two_names(paths: str, request: Request) -> tuple[str, str]:
    folder = pathlib.Path(paths).expanduser()
    if paths and folder.is_dir():
        for split in (request.split, *(TEST_NAMES if request.split == "test" else ())):
            a, b = folder / f"{split}A", folder / f"{split}B"
            if a.is_dir() and b.is_dir():
                return str(a), str(b)
        raise UserError(f"{folder} has no folders {request.split}A and {request.split}B; give --data unpaired:A,B")
    commas = [index for index, letter in enumerate(paths) if letter == ","]
    cuts = [(paths[:index].strip(), paths[index + 1 :].strip()) for index in commas]
    folders = [cut for cut in cuts if all(pathlib.Path(one).expanduser().is_dir() for one in cut)]
    for first, second in (*folders, *cuts[:1]):
        if first and second:
            return first, second
    raise UserError(f"unpaired:{paths} does not name two domains; give --data unpaired:A,B, folders or names of sets")


def _two_folders(name: str, folder: pathlib.Path, split: str) -> tuple[list[pathlib.Path], list[pathlib.Path]] | None:
    """The pictures of inputs and of targets, None where both are in one picture."""
    for one in (split, *(TEST_NAMES if split == "test" else ())):
        a, b = folder / f"{one}A", folder / f"{one}B"
        if a.is_dir() and b.is_dir():
            return _partners(name, a, b)
    splits = files.split_folders(folder)
    if splits:
        root = files.split_of(name, splits, split) if split != "all" else None
        if root is None or len(files.sub_folders(root)) != 2:
            return None
        return _partners(name, *files.sub_folders(root))
    subs = files.sub_folders(folder)
    if len(subs) != 2:
        return None
    inner = [files.split_folders(sub) for sub in subs]
    if all(inner):
        chosen = [files.split_of(name, splits, split) for splits in inner]
        if chosen[0] and chosen[1]:
            return _partners(name, chosen[0], chosen[1])
        subs = [splits["train"] for splits in inner]
    inputs, targets = _partners(name, *subs)
    indices = part(name, len(inputs), split)
    return [inputs[index] for index in indices], [targets[index] for index in indices]


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


def _side_by_side(name: str, folder: pathlib.Path, requests: tuple[Request, Request]) -> tuple[Rows, Rows]:
    request, _ = requests
    splits, split = files.split_folders(folder), request.split
    if splits and split != "all":
        chosen = files.split_of(name, splits, split)
        folder, split = chosen or splits["train"], "all" if chosen else split
    paths = files.walk(folder)
    files.require_pictures(paths, folder)
    paths = [paths[index] for index in part(name, len(paths), split)]
    left, right = (
        files.rows_of_files(name, paths, one, half) for one, half in zip(requests, ("left", "right"), strict=True)
    )
    return left, right
