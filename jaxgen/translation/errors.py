"""How far images, or features of them, are from their targets, as a setting: one value for each example."""

from dataclasses import dataclass
from typing import TypeAlias

from jaxgen.losses.reconstruction import mean_absolute_error, mean_squared_error
from jaxgen.typing import PerExample, Points


@dataclass(frozen=True)
class SquaredError:
    """mean of (y - x)^2."""

    def __call__(self, outputs: Points, targets: Points) -> PerExample:
        """Of each example, over all other axes."""
        return mean_squared_error(outputs, targets)


@dataclass(frozen=True)
class AbsoluteError:
    """mean of |y - x|."""

    def __call__(self, outputs: Points, targets: Points) -> PerExample:
        """Of each example, over all other axes."""
        return mean_absolute_error(outputs, targets)


Error: TypeAlias = SquaredError | AbsoluteError
