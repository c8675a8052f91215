"""What a person should know of a set before the first step: its card, and warnings of what will not work."""

import math
import zlib
from collections.abc import Iterator

import numpy as np

from experiments.data.images import ImageSet
from experiments.data.options import ImageOptions
from experiments.data.rows import LazyRows
from jaxgen.batches import columns
from jaxgen.images import ValueRange

SEEN, SEEN_BYTES = 10_000, 2**26
"""Images that the figures are taken of, spread over the set, and their size in memory, at most."""

SEEN_LAZY = 256
"""The same of a set that is read as it is needed."""

SHOWN = 12
"""Classes that the histogram names."""

DARK = 64
"""The largest pixel value of a set that was most likely not scaled to 0..255."""


def card(image_set: ImageSet, images: ImageOptions) -> list[str]:
    """Lines that say what the set holds."""
    lines = [image_set.describe()]
    if image_set.labels is not None:
        lines.append("classes: " + _histogram(image_set.labels, image_set.classes))
    seen = _seen(image_set)
    of = "" if len(seen) == len(image_set) else f" (of {len(seen):,} images)"
    lines.append(f"values: {seen.min():g} to {seen.max():g}, mean {seen.mean():.4g}, std {seen.std():.4g}{of}")
    tiled = image_set.name.startswith("super_resolution:")
    lines += [*_treatment(images, tiled=tiled), *image_set.notes]
    return lines


def warnings(
    image_set: ImageSet, batch_type: type[tuple] | None, value_range: ValueRange, images_per_step: int
) -> list[str]:
    """What is likely a mistake, each with its cure; said before the first step."""
    seen = _seen(image_set)
    return [
        *_label_warnings(image_set, batch_type),
        *_range_warnings(seen, value_range),
        *_number_warnings(image_set, images_per_step),
        *_twin_warnings(seen),
    ]


def _histogram(labels: np.ndarray, classes: tuple[str, ...]) -> str:
    counts = np.bincount(labels, minlength=len(classes))
    there = np.flatnonzero(counts)
    shown = there if len(there) <= SHOWN else there[np.argsort(-counts[there], kind="stable")][: SHOWN - 1]
    text = ", ".join(f"{printable(classes[label])} {counts[label]:,}" for label in shown)
    return text if len(shown) == len(there) else f"{text}, and {len(there) - len(shown)} more"


def printable(text: str) -> str:
    """File names may hold bytes that no encoding knows."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _seen(image_set: ImageSet) -> np.ndarray:
    num = len(image_set)
    size = math.prod(image_set.images.shape[1:])
    most = SEEN_LAZY if isinstance(image_set.images, LazyRows) else max(1, min(SEEN, SEEN_BYTES // size))
    return np.asarray(image_set.images[np.unique(np.linspace(0, num - 1, min(num, most)).astype(np.int64))])


def _treatment(images: ImageOptions, *, tiled: bool) -> Iterator[str]:
    """What is done to pictures; `tiled` ones are reduced and cut, but not resized."""
    done = []
    if images.stored_shape is not None and tiled:
        height, width = images.stored_shape
        done.append(
            f"reduced {images.target_factor} times by bicubic interpolation, cut into tiles of {height}x{width}"
        )
    elif images.stored_shape is not None:
        height, width = images.stored_shape
        part = "square" if height == width else "part of these proportions"
        how = "squeezed" if images.crop == "none" else f"cut to the middle {part} and resized"
        done.append(f"{how} to {height}x{width} ({images.resample})")
        if images.label_maps:
            done.append(f"the {images.label_maps} by the nearest pixel")
    if images.crop == "random":
        done.append("cut to a window that moves at random")
    if images.pad:
        done.append(f"padded by {images.pad} pixels, repeating the edge")
    if images.flip:
        done.append("half of them mirrored at random")
    if images.channels is not None:
        done.append("made grey" if images.channels == 1 else "made RGB")
    if done:
        yield f"pictures are {', '.join(done)}"


def _label_warnings(image_set: ImageSet, batch_type: type[tuple] | None) -> Iterator[str]:
    if not _holds(batch_type, "labels") or image_set.labels is None:
        return
    counts = np.bincount(image_set.labels, minlength=len(image_set.classes))
    there = np.flatnonzero(counts)
    if len(there) == 1:
        name = printable(image_set.classes[there[0]])
        yield f"all labels are equal ({name}), so the model cannot learn what they mean; use a set of several classes"
    elif len(there) < len(counts):
        missing = [printable(image_set.classes[label]) for label in np.flatnonzero(counts == 0)]
        named = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        yield f"{len(missing)} of {len(counts)} classes have no images ({named}); what is drawn of them means nothing"


def _holds(batch_type: type[tuple] | None, name: str) -> bool:
    """Whether a batch of the type has a field of that column."""
    return any(column.name == name for column in columns(batch_type))


def _range_warnings(seen: np.ndarray, value_range: ValueRange) -> Iterator[str]:
    low, high = float(seen.min()), float(seen.max())
    if seen.dtype == np.uint8:
        if high <= DARK:
            yield f"pixels reach only {high:g} of 255, so images are almost black; scale them to 0..255"
    elif value_range is not None and (low < value_range[0] or high > value_range[1]):
        yield (
            f"values go from {low:.3g} to {high:.3g}, but the model's only from {value_range[0]:g} to "
            f"{value_range[1]:g}; give --model.value-range None"
        )


def _number_warnings(image_set: ImageSet, images_per_step: int) -> Iterator[str]:
    num = len(image_set)
    if num < images_per_step:
        yield f"the set has {num:,} examples, but a step takes {images_per_step:,}, so it sees some of them twice"


def _twin_warnings(seen: np.ndarray) -> Iterator[str]:
    if seen.dtype != np.uint8:
        return
    flat = seen.reshape(len(seen), -1)
    constant = int((flat.min(axis=1) == flat.max(axis=1)).sum())
    if constant:
        yield f"{constant:,} of {len(seen):,} images are of one colour throughout; remove them if that is a mistake"
    twins = len(seen) - len({(zlib.crc32(row), zlib.adler32(row)) for row in np.ascontiguousarray(flat)})
    if twins:
        yield f"{twins:,} of {len(seen):,} images are copies of others; remove them if that is a mistake"
