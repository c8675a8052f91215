"""Metrics load JAX alone; the package offers every public function; functions stay short."""

import ast
import pathlib
import subprocess
import sys

from jaxgen import metrics

PACKAGE = pathlib.Path(metrics.__file__).parent


def definitions(*kinds):
    for file in sorted(PACKAGE.glob("[!_]*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, kinds) and not node.name.startswith("_"):
                yield node


def test_importing_metrics_loads_no_network_library():
    program = (
        "import sys, jaxgen.metrics; "
        "print([m for m in ('flax', 'optax', 'orbax', 'tensorflow_datasets', 'jaxgen.nets') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PACKAGE.parents[1]
    )
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_offered_by_the_package():
    public = {node.name for node in definitions(ast.FunctionDef, ast.ClassDef)} - {"squared_distances"}
    assert public == set(metrics.__all__)


def test_every_function_has_a_doctest():
    for node in definitions(ast.FunctionDef):
        assert ">>>" in (ast.get_docstring(node) or ""), node.name


def test_no_function_is_longer_than_thirty_statement_lines():
    for node in definitions(ast.FunctionDef):
        start = node.body[1 if ast.get_docstring(node) and len(node.body) > 1 else 0]
        assert (node.end_lineno or 0) - start.lineno < 30, node.name
