"""What docs/courses.md names is there, and is the model that it says."""

import importlib
import pathlib
import re

import pytest

from experiments.runs import experiment

PAGE = (pathlib.Path(__file__).parent.parent / "docs" / "courses.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in PAGE.splitlines()
    if line.startswith("| ") and "| runs here |" not in line
]


def names_in(cell):
    return re.findall(r"`([\w.]+)`", cell)


def test_five_courses_stand_on_the_page():
    assert len(re.findall(r"^## ", PAGE, re.MULTILINE)) == 5
    assert len(ROWS) > 40


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_experiment_of_the_page_is_of_one_of_the_models_beside_it(row):
    _, experiments, models, _, _ = row
    if experiments.startswith("not an experiment"):
        module, _, function = names_in(experiments)[0].rpartition(".")
        assert getattr(importlib.import_module(module), function)
    if experiments.startswith(("not ", "every experiment")):
        return
    modules = {importlib.import_module(name).Config for name in names_in(models)}
    assert names_in(experiments)
    for name in names_in(experiments):
        assert name in experiment.names(), name
        assert type(experiment.load(name).model) in modules, name


def test_corrections_stand_on_the_page_alone():
    """Elsewhere a module refers to it."""
    root = pathlib.Path(__file__).parent.parent
    for path in sorted([*root.glob("jaxgen/**/*.py"), *root.glob("experiments/**/*.py")]):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b[Ss]lides?\b", text), path
