"""What identifies the data of a set, wherever they lie: cheap to take, and kept with a run.

Names within the set and sizes of all files, shapes of arrays, names of classes, labels and captions, and checksums of
contents: of everything where a set is small, else of SAMPLES examples spread over it. Neither places nor times count.
"""

import dataclasses
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SAMPLES = 256
"""Checksums of contents."""

SMALL_BYTES = 2**25
"""Up to this size all contents are read."""

NAMED = 3
"""Classes that a sentence names."""


@dataclass(frozen=True)
class Identity:
    """Of the images of a set, or its targets."""

    names: str = ""  # checksum of the names of all files
    sizes: str = ""  # checksum of the sizes of all files, or of the shapes of all arrays
    contents: str = ""  # checksums, 8 hexadecimal digits each


@dataclass(frozen=True)
class Fingerprint:
    """Of all parts of a set. An empty value compares with nothing."""

    parts: dict[str, int]  # examples of each part
    classes: tuple[str, ...] = ()
    labels: str = ""
    captions: str = ""
    images: Identity = Identity()
    targets: Identity = Identity()
    others: "Fingerprint | None" = None  # of a second domain
    recorded: str = ""  # by who prepared the set

    def to_json(self) -> dict[str, Any]:
        """For config.json."""
        return json.loads(json.dumps(dataclasses.asdict(self)))


def checksum(values: Iterable[Any]) -> str:
    """Of texts and numbers in their order."""
    crc = 0
    for value in values:
        crc = zlib.crc32(f"{value}\n".encode("utf-8", "surrogateescape"), crc)
    return f"{crc:08x}"


def of_contents(num: int, size: float, read: Callable[[Sequence[int]], Iterable[Any]]) -> str:
    """Checksums of examples that take `size` bytes together; `read` gives the bytes of those at some indices."""
    every = np.array_split(np.arange(num), min(num, SAMPLES))
    chunks = every if size <= SMALL_BYTES else [chunk[:1] for chunk in every]
    return "".join(f"{_crc(read(chunk.tolist())):08x}" for chunk in chunks if len(chunk))


def _crc(contents: Iterable[Any]) -> int:
    crc = 0
    for content in contents:
        crc = zlib.crc32(content if isinstance(content, bytes) else np.ascontiguousarray(content).tobytes(), crc)
    return crc


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What has changed from one fingerprint in JSON to another, in words."""
    said = [*_classes(before.get("classes", []), now.get("classes", []))]
    said += _numbers(before.get("parts", {}), now.get("parts", {}))
    if not said:
        for name in ("labels", "captions", "recorded"):
            if _differ(before.get(name), now.get(name)):
                said.append({"recorded": "another version of the set"}.get(name, f"other {name}"))
        for name, what in (("images", "pictures"), ("targets", "targets")):
            said += _identities(what, before.get(name) or {}, now.get(name) or {})
    second, other_second = before.get("others"), now.get("others")
    if second and other_second:
        said += [f"{one} in the second domain" for one in differences(second, other_second)]
    return said


def other_classes(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether labels of one mean other classes than those of the other."""
    return before.get("classes", []) != now.get("classes", [])


def _differ(before: Any, now: Any) -> bool:
    return bool(before) and bool(now) and before != now


def _classes(before: list[str], now: list[str]) -> Iterator[str]:
    if before == now:
        return
    if len(before) == len(now):
        pairs = [f"{old} -> {new}" for old, new in zip(before, now, strict=True) if old != new]
        yield f"classes {_some(pairs)}"
        return
    gone, new = sorted(set(before) - set(now)), sorted(set(now) - set(before))
    if gone:
        yield f"without the classes {_some(gone)}"
    if new:
        yield f"with the classes {_some(new)}"


def _numbers(before: dict[str, int], now: dict[str, int]) -> Iterator[str]:
    for part in dict.fromkeys((*before, *now)):
        more = now.get(part, 0) - before.get(part, 0)
        if more:
            where = f" in {part}" if part else ""
            change = f"{abs(more):,} examples {'added' if more > 0 else 'removed'}{where}"
            yield f"{change}, now {now.get(part, 0):,}"


def _identities(what: str, before: dict[str, str], now: dict[str, str]) -> Iterator[str]:
    if _differ(before.get("names"), now.get("names")):
        yield f"{what} with other names"
        return
    one, other = before.get("contents", ""), now.get("contents", "")
    if _differ(one, other) and len(one) == len(other):
        places = range(0, len(one), 8)
        changed = sum(one[place : place + 8] != other[place : place + 8] for place in places)
        yield f"other contents in {changed:,} of {len(places):,} {what} or groups of them that were compared"
    elif _differ(before.get("sizes"), now.get("sizes")) or _differ(one, other):
        yield f"{what} of other sizes"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
