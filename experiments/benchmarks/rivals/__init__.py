"""The same updates in plain PyTorch, as many write them, to be timed beside ours."""

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

from experiments.command_line.errors import UserError


class Rival(NamedTuple):
    """An update in PyTorch."""

    run: Callable[[], None]
    parameters: int  # of all its networks


def require_installed(*modules: str, cure: str) -> None:
    """UserError with the cure if one of them, or what it needs, is missing: to be asked before any work."""
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise UserError(f"{error.name} is not installed: {cure}") from error


def wrap(compiled: bool) -> Callable[[Any], Any]:
    """`torch.compile`, or nothing."""
    import torch  # pyright: ignore[reportMissingImports]

    return torch.compile if compiled else lambda network: network


def parameters(*networks: Any) -> int:
    """Numbers to be trained."""
    return sum(parameter.numel() for network in networks for parameter in network.parameters())


def lerp(average: list[Any], network: Any, decay: float) -> None:
    """The moving average of a network's parameters, in place."""
    import torch  # pyright: ignore[reportMissingImports]

    with torch.no_grad():
        for old, new in zip(average, network.parameters(), strict=True):
            old.lerp_(new, 1 - decay)


def mlp(sizes: list[int], slope: float, *last: Any) -> Any:
    """Linear layers of these sizes with leaky ReLUs of this slope between (0: ReLUs), then `last`."""
    import itertools

    from torch import nn  # pyright: ignore[reportMissingImports]

    layers: list[Any] = []
    for i, o in itertools.pairwise(sizes[:-1]):
        layers += [nn.Linear(i, o), nn.LeakyReLU(slope) if slope else nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]), *last)
