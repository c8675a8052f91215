"""Settings of a model by default, as the tables of papers' numbers have them."""

import dataclasses
from typing import Any

import flax.linen as nn
import pytest


def settings_of(model: Any) -> dict[str, Any]:
    """All but the networks, whose numbers of parameters tests of their own count."""
    config = model.Config()
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return {name: value for name, value in values.items() if not isinstance(value, nn.Module)}


def each_of(papers: dict[Any, Any]) -> pytest.MarkDecorator:
    """A test for each model of a table, under its name."""
    return pytest.mark.parametrize("model", papers, ids=lambda model: model.__name__.rpartition(".")[2])
