"""What a set is asked for, and which part of it where it has no official one."""

import difflib
import os
import pathlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.options import ImageOptions, StorageOptions

DEFAULT_DIR = pathlib.Path("~/tensorflow_datasets")

MOST_HELD_OUT = 10_000

AROUND = "prompts", "inverted", "edges", "few_labels", "rare_class", "smaller"
"""Schemes of what is made of a set, whose name stands behind the colon."""

OWN = (
    "folder",
    "zip",
    "pairs",
    "unpaired",
    "npy",
    "npz",
    "captions",
    "parquet",
    "arrow",
    "super_resolution",
    "embeddings",
    "frontal",
)
"""Schemes of a person's own data: what follows the colon is a place."""

TEST_NAMES = ("test", "validation", "valid", "val", "dev")
"""Splits that are held out from training, the one to prefer first."""


@dataclass(frozen=True)
class Request:
    """One part of a set, and how its images are to be."""

    split: str = "train"
    data_dir: pathlib.Path | None = None
    images: ImageOptions = ImageOptions()
    storage: StorageOptions = StorageOptions()
    tokenizer: pathlib.Path | None = None

    @property
    def folder(self) -> pathlib.Path:
        """Where prepared sets lie."""
        return (self.data_dir or pathlib.Path(os.environ.get("TFDS_DATA_DIR", DEFAULT_DIR))).expanduser()


def part(name: str, num: int, split: str) -> np.ndarray:
    """Indices of a split of a set that has none of its own, in ascending order.

    `test` is every set's same tenth, at most 10,000, drawn once for all; `train` is the rest, `all` everything.
    """
    order = np.random.Generator(np.random.Philox(key=[0, 0])).permutation(num)
    num_test = min(-(-num // 10), MOST_HELD_OUT) if num > 1 else 0
    parts = {"train": order[num_test:], "test": order[:num_test], "all": order}
    if split not in parts:
        raise UserError(f"{name} has no split {split!r}; there are: {', '.join(parts)}")
    return np.sort(parts[split])


def official(split: str, there: Sequence[str]) -> str | None:
    """Which of the splits that are there is meant: itself, or for `test` what is held out under another name."""
    if split in there:
        return split
    return next((name for name in TEST_NAMES if name in there), None) if split == "test" else None


def nearest(wanted: str, there: Sequence[str]) -> str:
    """`did you mean ...?` or all that there is, for the end of a message."""
    near = difflib.get_close_matches(wanted, there, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}?"
    shown = ", ".join(there[:20])
    return f"there are: {shown}{', ...' if len(there) > 20 else ''}"


def class_number(name: str, wanted: str, names: tuple[str, ...]) -> int:
    """The label of the class of that name, whatever its case, spaces or hyphens. UserError with the nearest names."""
    plain = [_plain(one) for one in names]
    if _plain(wanted) in plain:
        return plain.index(_plain(wanted))
    raise UserError(f"{name} has no class {wanted!r}; {nearest(_plain(wanted), names)}")


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def public_name(name: str) -> str:
    """The name of a data set without the folders that its files lie in."""
    scheme, colon, rest = name.partition(":")
    if scheme in AROUND:
        return scheme + colon + public_name(rest)
    return re.sub(r"[^,:]*[/\\]([^,:/\\]+)[/\\]*", r"\1", name) if scheme in OWN else name
