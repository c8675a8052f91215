"""Which model a suite holds to the contract, and how its settings can vary."""

import dataclasses
import math
import typing
from collections.abc import Iterable
from typing import Any

import flax.linen as nn

from jaxgen.gradient_transformations import to_optax
from jaxgen.optimizers import SGD, Constant, LinearDecay, Optimizer
from jaxgen.train_state import TrainState


@dataclasses.dataclass(frozen=True)
class Case:
    """What a suite needs to know of a model."""

    model: Any  # the module
    config: Any  # a tiny Config: batch norm and dropout where the model may have them, no network wider than 16
    unreached: tuple[str, ...] = ()  # parameters whose gradient is zero by mathematics, said in the test file
    inert: tuple[str, ...] = ()  # settings that change nothing in two updates, said in the test file
    refused: tuple[str, ...] = ()  # settings that cannot change alone: a ValueError, said in the test file
    shared: tuple[str, ...] = ()  # optimisers of a part of another's player; their law stands in the test file
    without_noise: bool = False  # samples follow from the condition alone, whatever the key
    optimizers: tuple[tuple[str, str], ...] = ()  # (player, setting) where the setting is not called PLAYER_optimizer
    answers: tuple[tuple[str, str], ...] | None = None  # (player, another whose step of the same update it sees)

    def answers_of(self, names: Iterable[str]) -> set[tuple[str, str]]:
        """`answers`; if the case has none, every generator answers to the discriminator or critic beside it."""
        if self.answers is not None:
            return set(self.answers)
        beside = [(name.removesuffix("generator"), name) for name in names if name.rpartition("/")[2] == "generator"]
        opponents = [(place + kind, name) for place, name in beside for kind in ("discriminator", "critic")]
        return {(name, opponent) for opponent, name in opponents if opponent in set(names)}


def optimizer_fields(config: Any) -> list[str]:
    """Names of the settings that are optimisers."""
    return [field.name for field in dataclasses.fields(config) if isinstance(getattr(config, field.name), Optimizer)]


def with_sgd(config: Any, learning_rate: float = 1e-2, **others: float) -> Any:
    """The config with SGD everywhere: Adam's normalisation blows rounding up to the size of a step."""
    rates = {name: others.get(name, learning_rate) for name in optimizer_fields(config)}
    return dataclasses.replace(config, **{name: Optimizer(rate, SGD()) for name, rate in rates.items()})


def distinct_sgd(config: Any) -> Any:
    """SGD with momentum, and a rate for each optimiser that no other has: a player shows whose optimiser it has."""
    fields = optimizer_fields(config)
    rates = {name: 1e-2 * (1 + 0.1 * place) for place, name in enumerate(fields)}
    return dataclasses.replace(config, **{name: Optimizer(rate, SGD(momentum=0.5)) for name, rate in rates.items()})


def optimizer_of(config: Any, player: TrainState) -> list[str]:
    """The settings whose optimiser a player has."""
    return [name for name in optimizer_fields(config) if to_optax(getattr(config, name)) is player.tx]


def variations(settings: Any, path: str = "") -> list[tuple[str, Any]]:
    """(`a.b`, settings with a.b changed) for every number, flag, choice and schedule in a tree of dataclasses.

    Of an optimiser inside, the learning rate stands for all: that each of its settings counts, its own tests show.
    """
    hints = typing.get_type_hints(type(settings))
    hidden = {"parent", "name"} if isinstance(settings, nn.Module) else set()
    varied = []
    for field in dataclasses.fields(settings):
        value, name = getattr(settings, field.name), f"{path}{field.name}"
        if field.name in hidden or value is None:
            continue
        if isinstance(value, Optimizer):
            other = dataclasses.replace(value, learning_rate=0.5 * value.learning_rate)
            varied.append((f"{name}.learning_rate", dataclasses.replace(settings, **{field.name: other})))
            continue
        if dataclasses.is_dataclass(value) and not isinstance(value, Constant):
            inner = variations(value, f"{name}.")
            varied += [(deep, dataclasses.replace(settings, **{field.name: other})) for deep, other in inner]
            continue
        if value == () and hints[field.name] == tuple[str, ...]:  # names of layers or the like: none can be made up
            continue
        other = _other(value, hints[field.name])
        varied.append((name, dataclasses.replace(settings, **{field.name: other})))
    return varied


def _other(value: Any, hint: Any) -> Any:
    if typing.get_origin(hint) is typing.Literal:
        return next(choice for choice in typing.get_args(hint) if choice not in (value, "batch"))
    match value:
        case Constant():
            return LinearDecay(end=10)
        case bool():
            return not value
        case int():
            return value + 1
        case float() if math.isinf(value):
            return 1.0
        case float():
            return value * 0.5 if value > 1e-6 else (0.25 if value == 0 else 1e-3)
        case (float(), float()):
            return (0.0, 1.0) if value == (-1.0, 1.0) else (-1.0, 1.0)
        case ():
            return (1,)
        case tuple():
            return (value[0] + 1, *value[1:])
    raise NotImplementedError(f"say in `_other` how a setting like {value!r} of {hint} varies")
