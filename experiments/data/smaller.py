"""The images of a set and the same made smaller, with the labels of the set: `smaller:SET`.

`--images.size` is the size of the small ones, `--images.target-factor` how many times as large the others are: first
all images are brought to that size, then reduced by bicubic interpolation (`experiments.data.bicubic`). Unlike
`super_resolution:SET`, which cuts tiles from pictures as they are, it keeps the whole of each picture: a face.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.data import bicubic
from experiments.data.collection import Collection, Images, Parts, Shape
from experiments.data.fingerprints import Identity
from experiments.data.options import ImageOptions
from experiments.data.request import Request
from experiments.data.rows import Damaged, Rows, Source, rows_of


@dataclass(frozen=True)
class Reduced:
    """Images of a set, a whole number of times smaller than the options bring them to."""

    large: Images

    def __len__(self) -> int:
        return len(self.large)

    def shape(self, name: str, parts: Parts, options: ImageOptions) -> Shape | None:
        """As the options have it, with the channels of the large ones."""
        found = self.large.shape(name, parts, options.of_targets)
        return None if found is None or options.stored_shape is None else (*options.stored_shape, found[2])

    def rows(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> Rows:
        """The reductions of the images at `indices`."""
        height, width, channels = shape or (0, 0, 0)
        factor = request.images.target_factor
        enlarged = (factor * height, factor * width, channels)
        large = self.large.rows(name, indices, enlarged, _of_large(request))

        def read(places: Sequence[int]) -> list[Any]:
            return list(np.asarray(large[np.asarray(places, np.int64)]))

        source = Source(name, len(indices), read, lambda image: bicubic.reduce(image, factor), str)
        return rows_of(source, request.storage, shape)

    def identity(self) -> Identity:
        """That of the large ones."""
        return self.large.identity()

    def damaged(self, name: str, indices: np.ndarray, shape: Shape | None, request: Request) -> list[Damaged]:
        """None: the targets are the same pictures, and name them."""
        return []


def _of_large(request: Request) -> Request:
    return dataclasses.replace(request, images=request.images.of_targets)


def collection(name: str, request: Request, load: Callable[[str], Collection]) -> Collection:
    """Pairs of small and large images; `load` knows sets by name.

    UserError without a size and a factor, and for a set of points, of pairs or of two domains.
    """
    every, options = load(name), request.images
    if options.shape is None or options.target_factor < 2:
        raise UserError(
            f"smaller:{name} needs --images.size, the side of the small images, and --images.target-factor, how many "
            "times as large the others are, for example --images.size 8 --images.target-factor 4"
        )
    if every.targets is not None or every.others is not None:
        raise UserError(f"smaller:{name} has two images at a time already; give the name of a set of single images")
    if options.crop == "random":
        raise UserError(f"smaller:{name} keeps the whole of each image: leave --images.crop random out")
    return dataclasses.replace(every, name=f"smaller:{name}", images=Reduced(every.images), targets=every.images)
