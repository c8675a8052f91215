"""Losses can be imported into any JAX code: they load JAX, NumPy and the array annotations alone."""

import ast
import pathlib
import subprocess
import sys

from jaxgen import losses

PACKAGE = pathlib.Path(losses.__file__).parent
FORBIDDEN = (
    "flax",
    "optax",
    "orbax",
    "chex",
    "tensorflow",
    "tensorflow_datasets",
    "sklearn",
    "PIL",
    "jaxgen.nets",
    "jaxgen.gans",
    "experiments",
)


def test_importing_losses_loads_no_network_library():
    program = "import sys, jaxgen.losses; print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE.parent.parent,
    )
    loaded = set(found.stdout.split())
    assert "jaxgen.losses.penalties" in loaded
    assert not loaded & set(FORBIDDEN)


def test_losses_import_nothing_but_jax_and_the_array_types():
    allowed = {"jax", "numpy", "jaxtyping", "jaxgen"} | set(sys.stdlib_module_names)
    for file in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.module is not None, file
                assert node.module.split(".")[0] in allowed, file
                if node.module.startswith("jaxgen"):
                    assert node.module.startswith(("jaxgen.losses", "jaxgen.typing")), file
            if isinstance(node, ast.Import):
                assert all(alias.name.split(".")[0] in allowed for alias in node.names), file


def test_every_public_function_is_offered_by_the_package():
    public = {
        node.name
        for file in PACKAGE.glob("[!_]*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }
    assert public == set(losses.__all__)
    assert all(callable(getattr(losses, name)) for name in public)


def test_no_function_is_longer_than_thirty_statement_lines():
    for file in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                start = node.body[1 if ast.get_docstring(node) and len(node.body) > 1 else 0]
                assert (node.end_lineno or 0) - start.lineno < 30, (file, node.name)
