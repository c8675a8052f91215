"""The house rules: who may import whom, and what may stand only in one room. Read from the syntax trees."""

import ast
import functools
import importlib
import pathlib
import subprocess
import sys

import pytest

import jaxgen

ROOT = pathlib.Path(__file__).parent.parent
LIBRARY = sorted((ROOT / "jaxgen").rglob("*.py"))
EXPERIMENTS = sorted((ROOT / "experiments").rglob("*.py"))

SHELVES = {
    "typing",
    "checks",
    "mode",
    "images",
    "batches",
    "losses",
    "nets",
    "metrics",
    "parallel",
    "ramps",
    "optimizers",
    "gradient_transformations",
    "train_state",
    "minimization",
    "priors",
    "moving_averages",
    "post_hoc_averages",
    "conditions",
    "sampling",
    "stages",
    "model",
    "attacks",
    "augmentations",
    "affine_augmentations",
    "color_augmentations",
    "band_filters",
}
FAMILIES = {"autoencoders", "gans", "translation", "text_to_image", "diffusion", "latents"}

SHELVES_OF = {
    "translation": {"gans"},
    "text_to_image": {"autoencoders", "diffusion", "gans", "translation"},
    "autoencoders": {"translation"},  # errors and features of a perceptual loss
    "latents": {"gans", "translation"},  # styles and their maps; masks of holes
}
"""Families whose shelf another family uses; their models it does not."""

MAY_IMPORT = {
    "__init__": set(),
    "typing": set(),
    "checks": set(),
    "mode": set(),
    "images": {"typing", "checks"},
    "batches": {"typing"},
    "losses": {"typing", "losses"},
    "nets": {  # spectral normalisation is a formula of losses.spectral; a statistic of a batch is of all devices
        "typing",
        "checks",
        "mode",
        "losses",
        "nets",
        "augmentations",
        "parallel",
    },
    "augmentations": {"typing", "checks"},
    "affine_augmentations": {"typing", "checks"},
    "color_augmentations": {"typing", "checks"},
    "band_filters": {"typing", "checks", "affine_augmentations"},
    "metrics": {"typing", "checks", "images", "batches", "losses", "parallel", "metrics"},
    "parallel": {"typing", "checks", "parallel"},
    "ramps": {"checks"},
    "optimizers": {"checks", "ramps"},
    "gradient_transformations": {  # what they do to weights are formulas of losses.spectral, nets.magnitude_preserving
        "optimizers",
        "losses",
        "nets",
    },
    "train_state": {
        "typing",
        "parallel",
        "optimizers",
        "gradient_transformations",
        "mode",
        "nets",
    },  # what a network must take stands in nets.plain
    "minimization": {"typing", "checks", "optimizers", "train_state"},
    "priors": {"typing", "checks", "parallel"},
    "moving_averages": {"checks", "ramps"},
    "post_hoc_averages": {"checks", "moving_averages"},
    "conditions": {"typing", "parallel"},
    "attacks": {"typing", "checks", "images", "losses"},  # a slope is a formula of losses.penalties
    "sampling": {"typing"},
    "stages": set(),
    "model": {"checks", "typing", "images", "batches", "stages"},
    "abilities": {"typing", "model"},
    "__main__": set(),
    "testing": SHELVES | {"abilities", "testing"},
}
"""Rooms of `jaxgen` that a room may import; a family may import every shelf and its own room."""

WITHIN_PARALLEL = {
    "__init__": {"inside", "drivers", "layout", "side_by_side"},
    "inside": {"layout"},
    "drivers": {"layout"},
    "side_by_side": {"drivers", "layout"},
    "layout": set(),
}
"""Files of `jaxgen.parallel` that each of them may import: an update does not know what drives it."""

ONLY_IN_PARALLEL = {"pmean", "psum", "all_gather", "axis_index", "pmap", "shard_map", "jit"}


@functools.cache
def tree_of(path: pathlib.Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def nodes_of(path: pathlib.Path) -> tuple[ast.AST, ...]:
    """All nodes of a file's syntax tree."""
    return tuple(ast.walk(tree_of(path)))


def named(path: pathlib.Path) -> str:
    return str(path.relative_to(ROOT))


def room(path: pathlib.Path) -> str:
    return path.relative_to(ROOT / "jaxgen").parts[0].removesuffix(".py")


@functools.cache
def imported(path: pathlib.Path) -> frozenset[str]:
    """Full names of all modules that a file imports, at its top or in a function."""
    names = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def test_a_room_imports_only_the_rooms_below_it():
    for path in LIBRARY:
        here = room(path)
        allowed = SHELVES | {here} | SHELVES_OF.get(here, set()) if here in FAMILIES else MAY_IMPORT[here]
        found = {name.split(".")[1] for name in imported(path) if name.startswith("jaxgen.")}
        assert found <= allowed, f"{named(path)} must not import {sorted(found - allowed)}"
        assert not any(name.split(".")[0] in ("experiments", "tests") for name in imported(path)), named(path)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_models_do_not_import_each_other(family):
    """A model has a Config; what a family shares has none."""
    models = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in LIBRARY
        if room(path) in FAMILIES and "class Config" in path.read_text(encoding="utf-8")
    }
    for path in (path for path in LIBRARY if room(path) == family):
        here = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        others = {name for name in models - {here} if here in models or f".{family}." not in name}
        used = {name for name in imported(path) if any(f"{name}.".startswith(f"{other}.") for other in others)}
        assert not used, f"{path.name} imports {used}"


def test_devices_are_known_in_parallel_alone():
    for path in (path for path in LIBRARY if room(path) not in ("parallel", "testing")):
        attributes = [node for node in nodes_of(path) if isinstance(node, ast.Attribute)]
        used = {
            node.attr for node in attributes if not (isinstance(node.value, ast.Name) and node.value.id == "parallel")
        }
        used |= {name.rpartition(".")[2] for name in imported(path) if name.startswith("jax.")}
        assert not used & ONLY_IN_PARALLEL, named(path)


@pytest.mark.parametrize("path", [path for path in LIBRARY if room(path) == "parallel"], ids=lambda path: path.stem)
def test_what_an_update_uses_and_what_drives_it_stand_apart(path):
    names = {name for name in imported(path) if name.startswith("jaxgen.parallel")}
    assert all(name.count(".") == 3 for name in names), f"not from a file: {names}"
    assert {name.split(".")[2] for name in names} <= WITHIN_PARALLEL[path.stem]


def test_optimizer_steps_are_taken_in_train_state_alone():
    """Those of weights; the points of a quasi-Newton method, which are no player's, move in `minimization`."""
    for path in (path for path in LIBRARY if path.name not in ("train_state.py", "minimization.py")):
        text = path.read_text(encoding="utf-8")
        assert "apply_gradients" not in text and "apply_updates" not in text, named(path)
        optax = {name for name in imported(path) if name.split(".")[0] == "optax"}
        assert optax <= {"optax.assignment"} or path.name == "gradient_transformations.py", named(path)


def test_functions_take_at_most_six_arguments():
    for path in LIBRARY:
        for node in (node for node in nodes_of(path) if isinstance(node, ast.FunctionDef)):
            taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
            names = [each.arg for each in taken if each is not None and each.arg not in ("self", "cls")]
            assert len(names) <= 6, f"{path}:{node.lineno} {node.name} takes {len(names)}"


def test_the_library_has_no_effects_and_no_asserts():
    for path in LIBRARY:
        called = [node.func for node in nodes_of(path) if isinstance(node, ast.Call)]
        calls = {function.id for function in called if isinstance(function, ast.Name)}
        assert not calls & {"print", "open", "input", "exec", "eval"}, named(path)
        never = ast.Global if room(path) == "testing" else ast.Global | ast.Assert
        assert not [node.lineno for node in nodes_of(path) if isinstance(node, never)], named(path)
        modules = {name.split(".")[0] for name in imported(path)}
        assert not modules & {"os", "pathlib", "time", "random", "logging", "tyro", "orbax", "sklearn"}, named(path)


def test_every_library_file_has_its_test_file():
    paths = [path for path in LIBRARY if path.name not in ("__init__.py", "__main__.py", "typing.py", "model.py")]
    wanted = [
        ROOT / "tests" / path.relative_to(ROOT / "jaxgen").parent / f"test_{path.stem.lstrip('_')}.py" for path in paths
    ]
    assert not [named(path) for path in wanted if not path.exists()]


def test_importing_the_losses_loads_no_network_or_optimiser_library():
    program = (
        "import sys, jaxgen.losses; "
        "print([m for m in ('flax', 'optax', 'orbax', 'tensorflow_datasets', 'tyro') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_listing_the_experiments_imports_no_jax():
    program = (
        "import sys; from experiments import train; train.main([]); "
        "print([m for m in ('jax', 'flax', 'orbax', 'sklearn', 'tyro') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip().endswith("[]")
    assert "wgan_gp_digits" in done.stdout


COMMANDS = {path.stem for path in (ROOT / "experiments").glob("*.py")} - {"__init__"}


def module_of(path: pathlib.Path) -> str:
    """`experiments.data.images`; a package by its own name."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def links(paths: list[pathlib.Path]) -> dict[str, set[str]]:
    """Each module with those of the others that it imports, at its top or in a function."""
    modules = {module_of(path): path for path in paths}

    def module(name: str) -> str:
        return name if name in modules else name.rpartition(".")[0]

    return {name: {module(one) for one in imported(path)} & modules.keys() for name, path in modules.items()}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle of the graph, its first node again at the end; empty if there is none."""
    done: set[str] = set()

    def walk(node: str, above: list[str]) -> list[str]:
        if node in above:
            return [*above[above.index(node) :], node]
        if node not in done:
            for other in sorted(graph[node]):
                if found := walk(other, [*above, node]):
                    return found
            done.add(node)
        return []

    return next(filter(None, (walk(node, []) for node in sorted(graph))), [])


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_top_of_the_experiments_holds_commands_only(name):
    tree = tree_of(ROOT / "experiments" / f"{name}.py")
    public = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert {one for one in public if not one.startswith("_")} <= {"main", "Options"}
    assert "main" in public
    assert "cli.run(main)" in ast.unparse(tree.body[-1])


def test_nobody_imports_a_command():
    for path in EXPERIMENTS:
        used = {name.split(".")[1] for name in imported(path) if name.startswith("experiments.")}
        assert not used & COMMANDS, named(path)


def test_no_command_has_the_name_of_a_room():
    assert not COMMANDS & {path.name for path in (ROOT / "experiments").iterdir() if path.is_dir()}


def test_a_circle_is_found_where_there_is_one():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert circle({"a": {"a"}}) == ["a", "a"]


@pytest.mark.parametrize("package", ["jaxgen", "experiments"])
def test_modules_do_not_import_each_other_in_a_circle(package):
    found = circle(links(sorted((ROOT / package).rglob("*.py"))))
    assert not found, " -> ".join(found)


def test_commands_need_no_package_of_the_tests():
    """`jaxgen.testing` needs chex and pytest, which `pip install '.[experiments]'` does not bring."""
    for path in EXPERIMENTS:
        names = imported(path)
        assert not {name for name in names if name.split(".")[0] in ("chex", "pytest", "tests")}, named(path)
        assert not {name for name in names if name.startswith("jaxgen.testing")}, named(path)


def test_packages_are_there_when_they_are_asked_for():
    code = "import jaxgen, sys; assert 'jaxgen.losses' not in sys.modules; jaxgen.losses.hinge_generator; jaxgen.nets"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="module 'jaxgen' has no attribute 'loses'"):
        importlib.import_module("jaxgen").__getattr__("loses")
    assert set(jaxgen.PACKAGES) == {path.parent.name for path in ROOT.glob("jaxgen/*/__init__.py")} - {"testing"}
