"""What every module of a model offers: settings, few arguments, a refusal of empty batches."""

import functools
import importlib
import inspect
import pathlib

import jax
import pytest

from jaxgen import model
from jaxgen.stages import Stage
from jaxgen.testing import random_batches

ROOT = pathlib.Path(model.__file__).parent
MODELS = [
    importlib.import_module(f"jaxgen.{path.parent.name}.{path.stem}")
    for family in ("autoencoders", "diffusion", "gans", "text_to_image", "translation")
    for path in sorted((ROOT / family).glob("*.py"))
    if "class Config" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", MODELS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_no_function_of_a_model_takes_more_than_six_arguments(module):
    for name, function in vars(module).items():
        if inspect.isfunction(function) and function.__module__ == module.__name__:
            assert len(inspect.signature(function).parameters) <= 6, name


@pytest.mark.exhaustive
@pytest.mark.parametrize("module", MODELS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_an_update_of_no_examples_is_refused(module):
    """In one sentence, from every model: no NaN, and no division by zero."""
    config, key = module.Config(), jax.random.key(0)
    state = jax.eval_shape(functools.partial(module.init, config), key)
    with pytest.raises(ValueError, match="batch size is 0, but must be at least 1"):
        jax.eval_shape(functools.partial(module.update, config), state, random_batches(config, 1, 0)[0], key)


def test_settings_say_images_alone_one_minibatch_and_one_stage_unless_they_say_otherwise():
    config = model.Defaults()
    assert config.batch_type is None and config.minibatches == 1
    assert config.stage(0) == config.stage(10_000) == Stage(config)
