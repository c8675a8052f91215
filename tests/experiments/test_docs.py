"""What docs/data.md shows is so."""

import pathlib
import re
import typing

import numpy as np
import pytest

from experiments import data, train
from experiments.benchmarks import collectives
from experiments.data import card, preparation, toys
from experiments.data.options import ImageOptions, StorageOptions
from experiments.runs import experiment, settings
from experiments.runs.experiment import Experiment
from experiments.training.loop import Loop
from jaxgen.gans import objectives
from tests.experiments.pictures_on_disk import encoded, pixels, write_all

TEXT = (pathlib.Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")


def test_the_python_example_runs():
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names = {}
    exec(compile(example, "docs/data.md", "exec"), names)
    assert names["images"].shape == (16, 8, 8, 1) and names["labels"].dtype == np.int32
    assert names["small"].image_shape == (4, 4, 1)
    assert names["train"].describe() in example


def test_the_card_is_the_one_shown():
    shown = TEXT.partition("## What a run says first\n\n```\n")[2].partition("```")[0]
    assert card.card(data.load("digits"), ImageOptions()) == shown.splitlines()


def test_the_command_for_a_persons_own_images_reaches_the_training(tmp_path, monkeypatch):
    (command,) = re.findall(r"^python -m experiments\.train (.*folder:)/path/to/photos", TEXT, re.MULTILINE)
    monkeypatch.chdir(write_all(tmp_path, {f"photos/{i}.jpg": encoded(pixels(20 + i, 30), "JPEG") for i in range(4)}))
    seen = []
    monkeypatch.setattr(Loop, "run", lambda loop, *_: seen.append(loop.image_set) or 0)
    assert train.main(f"{command}{tmp_path}/photos".split()) == 0
    assert seen[0].image_shape == (64, 64, 3)


@pytest.mark.parametrize(("section", "settings"), [("images", ImageOptions()), ("storage", StorageOptions())])
def test_every_option_is_explained(section, settings):
    for field in vars(settings):
        assert f"--{section}.{field.replace('_', '-')}" in TEXT
    for option in re.findall(rf"--{section}\.([\w-]+)", TEXT):
        assert option.replace("-", "_") in vars(settings), option


def test_every_scheme_and_toy_is_in_the_table():
    table = TEXT.partition("## Your own images")[0]
    for name in (*preparation.OWN, "quickdraw"):
        assert f"`{name}:" in table
    for name in toys.TOYS:
        assert f"`{name}`" in table
    assert f"`{Experiment.__dataclass_fields__['data'].default}`" in table


GANS = (pathlib.Path(__file__).parents[2] / "docs" / "gans.md").read_text(encoding="utf-8")


def test_the_objectives_of_the_page_are_those_there_are_and_its_example_runs():
    (example,) = re.findall(r"```python\n(.*?)```", GANS, re.DOTALL)
    names = {}
    exec(compile(example, "docs/gans.md", "exec"), names)
    assert names["relativistic"].objective.needs_real and not names["hinge"].objective.needs_real
    table = GANS.partition("## Objectives")[2].partition("## Tricks")[0]
    named = set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
    assert named == {kind.__name__ for kind in typing.get_args(objectives.Objective)}


REGULARIZATION = (pathlib.Path(__file__).parents[2] / "docs" / "regularization.md").read_text(encoding="utf-8")


def test_the_page_on_regularisation_names_options_that_there_are_and_its_example_runs():
    options = options_of(settings.to_json(experiment.load("dcgan_mnist").model), "--model")
    named = {name.replace(".no-", ".") for name in re.findall(r"(--model\.regularization\.[\w.-]*\w)", REGULARIZATION)}
    assert named <= options and len(named) == 14
    example, _ = re.findall(r"```python\n(.*?)```", REGULARIZATION, re.DOTALL)  # the other is that of ADA
    names = {}
    exec(compile(example, "docs/regularization.md", "exec"), names)
    assert names["little"].regularization.lecam.weight > 0
    assert names["little"].discriminator.opponent == names["model"].discriminator


def options_of(tree, path):
    """Every option under `path`, from settings as JSON."""
    if not isinstance(tree, dict):
        return {path}
    return set().union(*(options_of(value, f"{path}.{name.replace('_', '-')}") for name, value in tree.items()))


def test_the_options_and_experiments_of_the_page_are_there():
    options = options_of(settings.to_json(experiment.load("dcgan_mnist").model), "--model")
    assert set(re.findall(r"`(--model\.[\w.-]+)`", GANS)) <= options | {"--model.unrolled-steps"}
    table = GANS.partition("## Which experiment")[2]
    for name in re.findall(r"`(\w+)`", table):
        assert name in experiment.names(), name


def test_the_page_on_devices_names_options_that_there_are_with_their_defaults():
    page = (pathlib.Path(__file__).parents[2] / "docs" / "devices.md").read_text(encoding="utf-8")
    fields = {**Experiment.__dataclass_fields__, **collectives.Options.__dataclass_fields__}
    options = set(re.findall(r"`?--([a-z][a-z-]+)", page))
    assert {"distributed", "coordinator", "shard-state", "check-replicas", "compilation-cache"} <= options
    assert {option.replace("-", "_") for option in options} <= fields.keys()
    defaults = re.findall(r"`--([a-z-]+-timeout)` \((\d+) s\)", page)
    assert len(defaults) == 2
    for name, default in defaults:
        assert fields[name.replace("-", "_")].default == int(default)
    (line,) = re.findall(r"^\| `(\w+)` .* The default \|$", page, re.MULTILINE)
    assert fields["parallel"].default == line
