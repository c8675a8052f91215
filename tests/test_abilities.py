"""What a module offers is read from the names of its functions, and held to its arguments by the contract."""

import inspect

import pytest

from jaxgen import abilities, model
from tests.test_model import MODELS


def functions(ability):
    return [name for name, value in vars(ability).items() if inspect.isfunction(value) and name[0] != "_"]


def arguments(function):
    return [
        (each.name, each.kind, each.default is not each.empty)
        for each in inspect.signature(function).parameters.values()
    ]


@pytest.mark.parametrize("module", MODELS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_function_with_an_abilitys_name_has_its_arguments_in_every_model(module):
    """`--pictures level_sets` and the other abilities call by place: a name alone is no promise."""
    for ability in (model.Learner, model.Model, *abilities.ABILITIES):
        for name in functions(ability):
            if hasattr(module, name):
                assert arguments(getattr(module, name)) == arguments(getattr(ability, name))[1:], name
