"""Image sets in memory, and batches as a pure function of (seed, step).

`load` knows the sets by name: `digits` comes with scikit-learn; any other name is a tensorflow-datasets set that has
been prepared in `data_dir` (read without TensorFlow, never downloaded).
"""

import pathlib

from experiments.data.images import ImageSet, batch_indices
from experiments.experiment import UserError

__all__ = ["ImageSet", "batch_indices", "load"]


def load(name: str, split: str = "train", data_dir: pathlib.Path | None = None) -> ImageSet:
    """The image set of that name. UserError if there is none, with what would be right."""
    if not name:
        raise UserError("--data is empty; name a data set, for example --data digits")
    if name == "digits":
        from experiments.data import digits

        return digits.load(split)
    from experiments.data import prepared

    return prepared.load(name, split, data_dir)
