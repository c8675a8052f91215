"""What README shows is run as it stands there."""

import difflib
import pathlib
import re

import chex
import jax
import pytest

from experiments.runs import experiment
from tests import pages

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODEL, PENALTY, LOOP = pages.blocks(README, "python")


def run(source: str) -> dict:
    names: dict = {}
    exec(compile(source, "README.md", "exec"), names)
    return names


def test_the_penalty_of_a_foreign_critic_has_one_value_for_each_example():
    assert run(PENALTY)["penalty"].shape == (16,)


def test_the_optax_loop_runs_before_and_after_two_lines_have_changed():
    (diff,) = pages.blocks(README, "diff")
    after = pages.changed(LOOP, diff)
    delta = [d for d in difflib.ndiff(LOOP.splitlines(), after.splitlines()) if d[0] in "+-"]
    assert len(delta) == 4  # two lines out, two lines in
    ends = []
    for source in LOOP, after:
        with jax.numpy_dtype_promotion("standard"):  # as a reader has it, and as optax needs it
            names = run(source)
        ends.append(names["values"])
        chex.assert_tree_all_finite((names["g"], names["d"], names["values"]))
    assert all(before != after for before, after in zip(*ends, strict=True))


def test_the_model_example_draws_images_after_an_update():
    names = run(MODEL)
    assert names["images"].shape == (16, 8, 8, 1)
    assert set(names["metrics"]) >= {"critic_loss", "generator_loss"}
    assert isinstance(names["images"], jax.Array)


ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in README.splitlines() if "| [`jaxgen." in line]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_each_row_of_the_table_has_a_picture_page_module_and_command_of_one_model(row):
    picture, model, paper, module, command = row
    (page,) = re.findall(r"\]\((docs/models/\w+\.md)\)", model)
    name, path = re.fullmatch(r"\[`([\w.]+)`\]\(([\w/.]+)\)", module).groups()
    (trained,) = re.findall(r"^`python -m experiments\.train (\w+)(?: --data-dir DIR| --data [\w:]+)?`$", command)
    assert path == f"{name.replace('.', '/')}.py" and paper
    assert f"::: {name}\n" in (ROOT / page).read_text(encoding="utf-8")
    assert type(experiment.load(trained).model).__module__ == name
    shown = re.findall(r'src="docs/figures/thumbnails/(\w+)\.png"', picture)
    assert shown in ([], [pathlib.Path(page).stem])


def test_the_table_names_every_model_once():
    listed = [row[3] for row in ROWS]
    assert len({*listed}) == len(listed)
    assert {re.search(r"docs/models/(\w+\.md)", row[1])[1] for row in ROWS} == {
        path.name for path in (ROOT / "docs" / "models").glob("*.md")
    }


def test_it_is_read_in_a_minute():
    assert len(README.splitlines()) - len(ROWS) <= 130  # besides a row for each model
    assert README.startswith("![") and "(docs/figures/strip.png)" in README.splitlines()[0]


def test_links_lead_to_files():
    for target in re.findall(r"\]\(([^)]+)\)", README) + re.findall(r'src="([^"]+)"', README):
        assert target.startswith("https://") or (ROOT / target.partition("#")[0]).exists(), target


def test_the_two_commands_are_one_line_each():
    lines = [line for line in README.splitlines() if line.startswith("python3 -m venv")]
    assert len(lines) == 2
    assert lines[0].endswith("python -m experiments.train wgan_gp_digits")
    assert lines[1].endswith("python -m pytest")
