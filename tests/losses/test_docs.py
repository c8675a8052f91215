"""The page on losses: its example runs as it stands, its table is complete."""

import difflib
import pathlib
import re

import jax
import jax.numpy as jnp

from jaxgen import losses
from tests import pages
from tests.losses.cases import CASES

PAGE = (pathlib.Path(losses.__file__).parents[2] / "docs" / "losses.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (.+?) \| (.*?) \| (\w+) \|$", PAGE, re.MULTILINE)


def test_loop_runs_before_and_after_two_lines_have_changed():
    (before, *_), (diff,) = pages.blocks(PAGE, "python"), pages.blocks(PAGE, "diff")
    after = pages.changed(before, diff)
    delta = [d for d in difflib.ndiff(before.splitlines(), after.splitlines()) if d[0] in "+-"]
    assert len(delta) == 4  # two lines out, two lines in
    ends = []
    for source in before, after:
        names: dict = {}
        with jax.numpy_dtype_promotion("standard"):  # as a reader has it, and as optax needs it
            exec(compile(source, "losses.md", "exec"), names)
        ends.append(names)
        assert jnp.isfinite(names["d_loss"])
        assert jnp.isfinite(names["g_loss"])
        points = names["mlp"](names["params"][0], jnp.zeros((1, 2)))
        assert jnp.isfinite(points).all()
    assert ends[0]["d_loss"] != ends[1]["d_loss"]


def test_table_has_one_row_for_every_function():
    assert sorted(name for name, *_ in ROWS) == sorted(losses.__all__)


def test_table_says_what_needs_the_batch():
    of_table = {name: per for name, _, _, per in ROWS}
    for case in CASES:
        name = case.name.split()[0]
        if of_table[name] == "data":
            continue
        if not case.batch:
            assert of_table[name] == "weight", name
        elif name == "historical_averaging":
            assert of_table[name] == "weight"
        elif name == "polynomial_kernel":  # a kernel, in a case of the discrepancy
            continue
        else:
            assert of_table[name] == ("example" if case.separable else "batch"), name


def test_docstrings_name_the_papers_of_the_table():
    for name, _, source, _ in ROWS:
        docstring = getattr(losses, name).__doc__ or ""
        module = __import__(getattr(losses, name).__module__, fromlist=["_"]).__doc__ or ""
        for paper in re.findall(r"\[(\d{4}\.\d{4,5})\]", source):
            assert paper in docstring + module, (name, paper)


def test_the_losses_that_go_together_are_functions_of_the_library():
    section = PAGE.partition("## Which ones go together")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+)*)`", section))
    assert named <= {*losses.__all__} and len(named) >= 13


def test_the_other_examples_run_as_they_stand():
    _, patches, elbo, attacks = pages.blocks(PAGE, "python")
    found = []
    for source in patches, elbo, attacks:
        names: dict = {}
        exec(compile(source, "losses.md", "exec"), names)
        found.append(names)
    by_hand = ((found[0]["s"] - 1) ** 2 / 2 + found[0]["t"] ** 2 / 2).mean()
    assert jnp.allclose(found[0]["loss"], by_hand, rtol=1e-5)
    assert all((after > found[2]["loss"](found[2]["images"])).all() for after in found[2]["raised"])
    assert found[1]["nll"].shape == found[1]["kl"].shape == (16,) and jnp.isfinite(found[1]["elbo"])
