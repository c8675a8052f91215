"""One sentence for a bad setting.

What a number may be stands in the type of its field: `steps: PositiveInt = 5`, or `codes: Annotated[int, AtLeast(2)]`.
`require_bounds` holds settings to the types of their fields.
"""

import functools
import typing
from dataclasses import dataclass
from typing import Annotated, Any


def require(holds: bool, name: str, value: Any, wanted: str) -> None:
    """Raise ValueError, naming the setting, its value and what it must be, unless `holds`.

    >>> require(0 < 1.5, "momentum", 1.5, "in [0, 1)")
    >>> require(1.5 < 1, "momentum", 1.5, "in [0, 1)")
    Traceback (most recent call last):
    ValueError: momentum is 1.5, but must be in [0, 1)
    """
    if not holds:
        raise ValueError(f"{name} is {value}, but must be {wanted}")


@dataclass(frozen=True)
class AtLeast:
    """`least` and above."""

    least: int

    def require(self, name: str, value: Any) -> None:
        """ValueError, naming the setting, for a value that is too small."""
        require(value >= self.least, name, value, f"at least {self.least}")


@dataclass(frozen=True)
class Above:
    """What is larger than `bound`."""

    bound: int

    def require(self, name: str, value: Any) -> None:
        """ValueError, naming the setting, for a value that is too small."""
        require(value > self.bound, name, value, f"above {self.bound}")


PositiveInt = Annotated[int, AtLeast(1)]
NonNegativeInt = Annotated[int, AtLeast(0)]
PositiveFloat = Annotated[float, Above(0)]
NonNegativeFloat = Annotated[float, AtLeast(0)]


def require_bounds(settings: Any) -> None:
    """ValueError for the first field of a dataclass whose value is outside of the bounds that its type names.

    >>> @dataclass
    ... class Settings:
    ...     steps: PositiveInt = 5
    >>> require_bounds(Settings(steps=0))
    Traceback (most recent call last):
    ValueError: steps is 0, but must be at least 1
    """
    for name, bound in _bounds(type(settings)):
        bound.require(name, getattr(settings, name))


@functools.cache
def _bounds(kind: type) -> tuple[tuple[str, AtLeast | Above], ...]:
    hints = typing.get_type_hints(kind, include_extras=True)
    found = [(name, extra) for name, hint in hints.items() for extra in getattr(hint, "__metadata__", ())]
    return tuple((name, extra) for name, extra in found if isinstance(extra, AtLeast | Above))
