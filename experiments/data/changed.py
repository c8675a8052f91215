"""A set whose every image is changed in one way, a second domain of it: `inverted:SET`, `edges:SET`.

`inverted` has white for black. `edges` has the largest of each 3x3 pixels less the pixel itself: bright where something
brighter is near. Labels stay. The images of `unpaired:SET,inverted:SET` are drawn independently, so that none is seen
with its partner.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data.collection import Collection, Images, Parts, Shape
from experiments.data.fingerprints import Identity, checksum
from experiments.data.options import ImageOptions
from experiments.data.request import Request
from experiments.data.rows import Damaged, LazyRows, Rows

Change = Callable[[np.ndarray], np.ndarray]
"""(num, height, width, channels) uint8 to as many."""

AT_A_TIME = 1_000
"""Images that are changed at a time, of those in memory."""


def inverted(images: np.ndarray) -> np.ndarray:
    """255 less each value."""
    return 255 - images


def edges(images: np.ndarray) -> np.ndarray:
    """The largest of each 3x3 pixels less the pixel; beyond the border all is black."""
    _, height, width, _ = images.shape
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = [padded[:, top : top + height, left : left + width] for top in range(3) for left in range(3)]
    return np.maximum.reduce(windows) - images


CHANGES: dict[str, Change] = {"inverted": inverted, "edges": edges}
"""By the scheme of a set's name."""


class ChangedRows(LazyRows):
    """Images that are read, and changed, as they are asked for."""

    def __init__(self, rows: LazyRows, change: Change):
        self._rows, self._change = rows, change
        self.shape, self.dtype = rows.shape, rows.dtype

    def __getitem__(self, indices: object) -> np.ndarray:
        return self._change(self._rows[indices])


@dataclasses.dataclass(frozen=True)
class ChangedImages:
    """The images of a set, each changed."""

    images: Images
    scheme: str

    def __len__(self) -> int:
        return len(self.images)

    def shape(self, name: str, parts: Parts, options: ImageOptions) -> Shape | None:
        """Of the images before. UserError for points."""
        found = self.images.shape(name, parts, options)
        if found is not None and len(found) != 3:
            raise UserError(f"{name} needs images, but the set holds points; name a set of images")
        return found

    def rows(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> Rows:
        """The images at `indices`, changed as they are in their final size."""
        found, change = self.images.rows(name, indices, shape, request), CHANGES[self.scheme]
        if isinstance(found, LazyRows):
            return ChangedRows(found, change)
        made = np.empty(found.shape, np.uint8)
        for start in range(0, len(made), AT_A_TIME):
            made[start : start + AT_A_TIME] = change(np.asarray(found[start : start + AT_A_TIME]))
        return made

    def identity(self) -> Identity:
        """That of the images, and how they are changed."""
        found = self.images.identity()
        return dataclasses.replace(found, contents=checksum([self.scheme, found.contents]))

    def damaged(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> list[Damaged]:
        """Those of the images before."""
        return self.images.damaged(name, indices, shape, request)


def collection(scheme: str, every: Collection) -> Collection:
    """The set with its images changed, as `CHANGES` has it for the scheme."""
    recorded = f"{scheme}:{every.recorded}" if every.recorded else ""
    name, images = f"{scheme}:{every.name}", ChangedImages(every.images, scheme)
    return dataclasses.replace(every, name=name, images=images, recorded=recorded)
