"""All networks and layers of the package, for laws that hold for each."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import flax.linen as nn

import jaxgen.nets


def networks() -> Iterator[tuple[type[nn.Module], dict[str, Any]]]:
    """Each kind, with the defaults of its fields."""
    for found in pkgutil.walk_packages(jaxgen.nets.__path__, "jaxgen.nets."):
        for kind in vars(importlib.import_module(found.name)).values():
            if isinstance(kind, type) and issubclass(kind, nn.Module) and kind.__module__ == found.name:
                yield kind, {field.name: field.default for field in dataclasses.fields(kind)}
