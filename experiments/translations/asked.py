"""What is asked of a run: which of its networks translate, at which size, under which names."""

import pathlib
from typing import Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.models import abilities, classes, conditions
from experiments.runs.experiment import Experiment, model_of
from experiments.translations.network import Network
from experiments.translations.translating import Size, Way
from jaxgen.abilities import TwoDomainModel


def networks(folder: pathlib.Path, experiment: Experiment, state: Any, to: str | None) -> dict[str, Network]:
    """The networks that are asked for, by the word that tells their files apart.

    Of a model of two domains one; of many domains the one that is named, or all. UserError for a domain that is none.
    """
    config = experiment.model
    require_translator(config)
    model = model_of(config)
    if isinstance(model, TwoDomainModel):
        parts = {"a": model.to_a, "b": model.to_b}
        if to not in (None, *parts):
            raise UserError(f"--to is {to!r}, but {abilities.name_of(config)} translates to a or b; give one of them")
        return {"": Network(config, state, parts[to or "b"])}
    if not abilities.has_domains(config):
        if to is not None:
            raise UserError(f"--to is given, but {abilities.name_of(config)} translates to one domain; leave it out")
        return {"": Network(config, state)}
    names = classes.of_data(folder, experiment, config.num_classes)  # pyright: ignore[reportAttributeAccessIssue]
    chosen = range(len(names)) if to is None else (classes.number(to, names, "--to"),)
    one = to is not None
    return {"" if one else names[label]: Network(config, state, label=np.asarray(label, np.int32)) for label in chosen}


def require_translator(config: Any) -> None:
    """UserError for a model that does not make images of other images."""
    if not conditions.takes_images(config) or len(config.image_shape) != 3 or config.value_range is None:
        abilities.require_images(config)
        raise UserError(
            f"{abilities.name_of(config)} makes no image of another image; python -m experiments.sample draws from it"
        )


def ways(found: dict[str, Network], size: Size | None, tile: int | None) -> dict[str, Way]:
    """How pictures go through the networks. UserError for a size that they do not take."""
    network = next(iter(found.values()))
    if network.stride is None and (size == "own" or tile is not None):
        height, width = network.input_shape[:2]
        option = "--size own" if size == "own" else f"--tile {tile}"
        raise UserError(f"{option} is given, but the network takes {height}x{width} pixels alone; leave it out")
    if size == "trained" and tile is not None:
        raise UserError(f"--tile {tile} is given, but with --size trained there are no tiles; leave one of them out")
    chosen = size or ("own" if network.stride else "trained")
    return {word: Way(one, chosen, tile) for word, one in found.items()}
