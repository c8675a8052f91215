"""One sentence for a bad setting."""

from typing import Any


def require(holds: bool, name: str, value: Any, wanted: str) -> None:
    """Raise ValueError, naming the setting, its value and what it must be, unless `holds`.

    >>> require(0 < 1.5, "momentum", 1.5, "in [0, 1)")
    >>> require(1.5 < 1, "momentum", 1.5, "in [0, 1)")
    Traceback (most recent call last):
    ValueError: momentum is 1.5, but must be in [0, 1)
    """
    if not holds:
        raise ValueError(f"{name} is {value}, but must be {wanted}")


def at_least(least: int, settings: Any, *names: str) -> None:
    """`require` that each of the named settings is not below `least`."""
    for name in names:
        value = getattr(settings, name)
        require(value >= least, name, value, f"at least {least}")
