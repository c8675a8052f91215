"""What of a person's own data is not read: said on the card, so that nothing is left out in silence."""

import pathlib
from collections import Counter
from collections.abc import Iterable

from experiments.data.decoding import HEIF, MISSING

NAMED = 6
"""Kinds of files that the card names; the rest are counted together."""


def notes(
    folder: pathlib.Path, every: Iterable[pathlib.Path], pictures: Iterable[pathlib.Path], used: Iterable[pathlib.Path]
) -> tuple[str, ...]:
    """Lines for the card.

    Args:
        folder: that was named.
        every: all files in it, hidden ones left out.
        pictures: those of them that are pictures.
        used: files that are read, pictures and others, and those of which another line tells.
    """
    pictures, used = set(pictures), set(used)
    outside = sorted(pictures - used)
    kinds = Counter(path.suffix.lower() for path in every if path not in pictures and path not in used)
    found = []
    if outside:
        found.append(
            f"left out: {counted(len(outside))} outside of the folders that are read, such as "
            f"{outside[0].relative_to(folder)}"
        )
    if kinds:
        found.append(f"left out: {_kinds(kinds)}")
    return tuple(found)


def counted(num: int) -> str:
    """`1 picture`, `2 pictures`."""
    return f"{num:,} picture{'s' if num > 1 else ''}"


def _kinds(kinds: Counter[str]) -> str:
    shown = [f"{num:,} {kind or 'files without a suffix'}{_cure(kind)}" for kind, num in kinds.most_common(NAMED)]
    rest = sum(kinds.values()) - sum(num for _, num in kinds.most_common(NAMED))
    return ", ".join([*shown, *([f"{rest:,} others"] if rest else [])])


def _cure(kind: str) -> str:
    if kind in HEIF:
        return " (install pillow-heif)"
    return " (update Pillow)" if kind in MISSING else ""
