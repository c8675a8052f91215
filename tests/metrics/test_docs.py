"""The page on metrics: its example runs as it stands, its table is complete and names the docstrings' papers."""

import pathlib
import re

import jax
import pytest

from jaxgen import metrics

PAGE = (pathlib.Path(metrics.__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (.+?) \| (.*?) \| (\w+) \| (.*?) ?\|$", PAGE, re.MULTILINE)


def test_example_runs_as_it_stands():
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    with jax.numpy_dtype_promotion("standard"):  # as a reader has it
        exec(compile(source, "metrics.md", "exec"), {})


def test_table_has_one_row_for_every_function():
    functions = [name for name in metrics.__all__ if name[0].islower()]
    assert sorted(name for name, *_ in ROWS) == sorted(functions)
    assert {per for _, _, _, per, _ in ROWS} == {"example", "set", "data"}


@pytest.mark.parametrize(("name", "source"), [(name, source) for name, _, source, _, _ in ROWS if source])
def test_docstrings_name_the_papers_of_the_table(name, source):
    function = getattr(metrics, name)
    module = __import__(function.__module__, fromlist=["_"]).__doc__ or ""
    for paper in re.findall(r"\[(\d{4}\.\d{4,5})\]", source):
        assert paper in (function.__doc__ or "") + module
