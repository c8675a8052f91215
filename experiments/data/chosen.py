"""Some of the examples of a set, chosen when a split is asked for: labels are read no earlier."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from experiments.data.collection import Collection
from experiments.data.request import official


class Chosen(Mapping[str, np.ndarray]):
    """The splits of a part of a set, `test` among them; each is chosen once."""

    def __init__(self, every: Collection, choose: Callable[[str, np.ndarray], np.ndarray]):
        """`choose(split, indices)` gives the part of a split's indices that is wanted, in ascending order."""
        self._every, self._choose = every, choose
        self._names = tuple(every.splits) if official("test", tuple(every.splits)) else (*every.splits, "test")
        self._found: dict[str, np.ndarray] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, split: str) -> np.ndarray:
        if split not in self._names:
            raise KeyError(split)
        if split not in self._found:
            self._found[split] = self._choose(split, self._every.indices(split))
        return self._found[split]
