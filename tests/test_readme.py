"""What README shows is run as it stands there."""

import difflib
import pathlib
import re

import chex
import jax

from experiments.runs import experiment
from tests import pages

README = (pathlib.Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


PENALTY, LOOP, MODEL = pages.blocks(README, "python")


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


def test_the_table_names_every_experiment():
    rows = [line for line in README.splitlines() if line.startswith("| ") and "`jaxgen." in line]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.rsplit("|", 2)[1])}
    assert named == set(experiment.names())


def test_links_lead_to_files():
    root = pathlib.Path(__file__).parent.parent
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert target.startswith("https://") or (root / target).exists(), target


def test_the_two_commands_are_one_line_each():
    lines = [line for line in README.splitlines() if line.startswith("python3 -m venv")]
    assert len(lines) == 2
    assert lines[0].endswith("python -m experiments.train wgan_gp_digits")
    assert lines[1].endswith("python -m pytest")


def test_the_measured_section_has_its_figures():
    measured = README.partition("### Measured")[2].partition("\n## ")[0]
    assert len(re.findall(r"\d+\.\d+ %", measured)) >= 2
    assert "experiments.evaluate" in measured
    assert "experiments.benchmark" in measured
