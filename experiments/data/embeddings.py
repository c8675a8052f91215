"""`embeddings:FILE,SET`: a set of images whose captions are vectors of a file, which another network has made of them.

The file is .npz or .safetensors with an array `embeddings`: (num, features), a vector of each caption, or (num, tokens,
features), padded with zeros. An .npz may have an array `captions` of as many strings: then each caption of the set is
found by its text. Without it there is one embedding for each caption of the set in its order, all parts one after
another, or, of a set without captions, for each image.
"""

import dataclasses
import itertools
import pathlib
from collections.abc import Callable

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import numpy_files
from experiments.data.collection import Collection
from experiments.data.fingerprints import checksum, of_contents

NAME, TEXTS = "embeddings", "captions"
"""Of the arrays in a file."""

Table = tuple[np.ndarray, np.ndarray]
"""Of some examples: embeddings (num, most, ..., features) float32, padded with 0, and how many each has, uint32."""


def collection(rest: str, load: Callable[[str], Collection]) -> Collection:
    """The set with embeddings in place of its captions. UserError if they do not belong together."""
    file, comma, name = rest.partition(",")
    if not comma or not file or not name:
        raise UserError(f"embeddings:{rest} is not understood; write --data embeddings:FILE.npz,SET")
    every, (vectors, texts) = load(name), read(pathlib.Path(file).expanduser())
    if every.others is not None or every.targets is not None:
        raise UserError(f"{every.name} has two images at a time; name a set of single images after the comma")
    places = _in_order(file, every, len(vectors)) if texts is None else _by_text(file, every, texts)

    def embedded(indices: np.ndarray) -> Table:
        found = [places[index] for index in indices]
        counts = np.array([len(some) for some in found], np.uint32)
        table = np.zeros((len(found), int(counts.max(initial=1)), *vectors.shape[1:]), np.float32)
        for row, some in zip(table, found, strict=True):
            row[: len(some)] = vectors[some]
        return table, counts

    identity = of_contents(len(vectors), vectors.nbytes, lambda some: (vectors[some],))
    said = checksum([identity, vectors.shape, "" if texts is None else checksum(texts)])
    return dataclasses.replace(every, name=f"embeddings:{rest}", embeddings=embedded, embeddings_identity=said)


def read(path: pathlib.Path) -> tuple[np.ndarray, list[str] | None]:
    """Embeddings of a file, float32, and the captions that they are of, where it says so.

    UserError for a file that cannot be read, has no such array, or one of another shape, or with numbers that are not
    finite.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}; give an .npz or .safetensors file with an array {NAME!r}")
    arrays = _of_tensors(path) if path.suffix == ".safetensors" else _of_npz(path)
    if NAME not in arrays:
        there = ", ".join(arrays) or "nothing"
        raise UserError(f"{path} has no array {NAME!r}, but {there}; name the embeddings so")
    vectors = arrays[NAME]
    if vectors.ndim not in (2, 3) or 0 in vectors.shape or vectors.dtype.kind != "f":
        wanted = "floats (num, features) or (num, tokens, features)"
        raise UserError(f"{path} has {NAME} of {vectors.dtype} {vectors.shape}, but they must be {wanted}")
    wrong = np.flatnonzero(~np.isfinite(vectors.reshape(len(vectors), -1)).all(axis=1))
    if len(wrong):
        raise UserError(f"{path} has {len(wrong):,} embeddings that are not finite, the first is number {wrong[0]}")
    texts = arrays.get(TEXTS)
    if texts is not None and (texts.dtype.kind != "U" or texts.shape != (len(vectors),)):
        told = f"{texts.dtype} {texts.shape}"
        raise UserError(f"{path} has {TEXTS} of {told}, but they must be {len(vectors):,} strings, one an embedding")
    return vectors.astype(np.float32), None if texts is None else [str(text).strip() for text in texts]


def _of_npz(path: pathlib.Path) -> dict[str, np.ndarray]:
    file = numpy_files.opened(path)
    if not isinstance(file, np.lib.npyio.NpzFile):
        return {NAME: np.asarray(file)}
    with file:
        return {name: numpy_files.member(str(path), file, name) for name in file.files if name in (NAME, TEXTS)}


def _of_tensors(path: pathlib.Path) -> dict[str, np.ndarray]:
    from experiments.weights import tensors

    tensors.require_package(f"reading {path}")
    try:
        return tensors.load(path)[0]
    except ValueError as error:
        raise UserError(f"{error}; give a file with a tensor {NAME!r}") from error


def _in_order(file: str, every: Collection, num: int) -> list[list[int]]:
    """The embeddings of each example, where they are in the order of the set."""
    images = len(every.images)
    if every.texts is None:
        counts = [1] * images
    else:
        counts = [len(some) for some in every.texts(np.arange(images))]
    if sum(counts) != num:
        raise UserError(
            f"{file} has {num:,} embeddings, but {every.name} {sum(counts):,} captions of {images:,} images; give one "
            f"for each, or an array {TEXTS!r} that says which texts they are of"
        )
    ends = np.cumsum([0, *counts])
    return [list(range(first, last)) for first, last in itertools.pairwise(ends)]


def _by_text(file: str, every: Collection, texts: list[str]) -> list[list[int]]:
    """The same, where each is found by its text."""
    if every.texts is None:
        raise UserError(f"{file} has embeddings by text, but {every.name} has no captions; leave {TEXTS!r} out of it")
    numbers = {text: number for number, text in enumerate(texts)}
    written = every.texts(np.arange(len(every.images)))
    missing = [text for some in written for text in some if text.strip() not in numbers]
    if missing:
        told = f"{file} has no embedding of {len(missing):,} captions of {every.name}"
        raise UserError(f"{told}, the first is {missing[0]!r}; add them")
    return [[numbers[text.strip()] for text in some] for some in written]
