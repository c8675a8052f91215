"""The tutorials are notebooks to jupytext, and run as scripts from beginning to end, assertions included."""

import ast
import os
import pathlib
import re
import resource
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "tutorials"
TUTORIALS = sorted(FOLDER.glob("*.py"))
each_tutorial = pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)

SECONDS = 180
"""Of processor time that a tutorial may take: on an idle machine it waits for nothing else."""


def cells(path):
    """(whether it is Markdown, its text) of each cell, in order."""
    _, *parts = re.split(r"^# %%(.*)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [(kind.strip() == "[markdown]", text) for kind, text in zip(parts[::2], parts[1::2], strict=True)]


@each_tutorial
def test_cells_are_markdown_in_comments_or_python_that_stands_alone(path):
    assert path.read_text(encoding="utf-8").startswith("# ---\n# jupyter:\n")
    for markdown, text in cells(path):
        if markdown:
            assert all(line.startswith("#") for line in text.strip().splitlines()), text
        else:
            ast.parse(text)


@each_tutorial
def test_a_tutorial_asks_shows_claims_and_ends_with_exercises(path):
    markdown = "".join(text for is_markdown, text in cells(path) if is_markdown)
    code = "".join(text for is_markdown, text in cells(path) if not is_markdown)
    assert "**Question.**" in markdown and "## Exercises" in cells(path)[-1][1]
    assert code.count("assert ") >= 4 and "plt.subplots" in code
    for target in re.findall(r"\]\(([^)]+)\)", markdown):
        assert (FOLDER / target).exists(), target


def test_the_page_lists_every_tutorial():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\d\w+\.py)\)", page) == [path.name for path in TUTORIALS]


@pytest.mark.exhaustive
@each_tutorial
def test_a_tutorial_runs_as_a_reader_runs_it_in_under_three_minutes(path, tmp_path):
    """In a process of its own, without the settings under which the tests run, and leaves no file behind."""
    settings = ("JAX_", "XLA_", "NPROC", "MPLBACKEND")
    env = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    env |= {"JAX_PLATFORMS": "cpu", "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, path], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=1_000)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(tmp_path.iterdir())
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < SECONDS
