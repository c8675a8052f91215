"""What README shows is run as it stands there."""

import pathlib
import re

import jax

from experiments import experiment

README = (pathlib.Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_each_python_example_runs_by_itself():
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    penalty, model = ({}, {})
    for example, names in zip(examples, (penalty, model), strict=True):
        exec(compile(example, "README.md", "exec"), names)
    assert penalty["penalty"].shape == (16,)
    names = model
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
    assert "experiments.benchmarks" in measured
