"""The library installs and imports with five packages; what the commands need is an extra, and they say so."""

import ast
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile

import pytest

import experiments
import jaxgen

ROOT = pathlib.Path(jaxgen.__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CORE = ("jax", "flax", "optax", "jaxtyping", "numpy")


def names(requirements):
    """The packages of a list of requirements, without versions."""
    return {re.match(r"[\w-]+", requirement)[0] for requirement in requirements}


def modules():
    """Every module of the library but those for tests of models, which need the extra `test`."""
    paths = (path.relative_to(ROOT).with_suffix("") for path in sorted((ROOT / "jaxgen").rglob("*.py")))
    found = [".".join(path.parts).removesuffix(".__init__") for path in paths]
    return [name for name in found if not name.startswith("jaxgen.testing")]


def python(program, *arguments, blocked=(), **options):
    """Run a program, for which `blocked` modules are not installed."""
    blocks = "".join(f"sys.modules[{name!r}] = None\n" for name in blocked)
    argv = [sys.executable, "-c", f"import sys\n{blocks}{program}", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, **options)


def imported(path):
    """The packages that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module.split(".")[0]
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)


def test_the_library_declares_the_packages_that_it_imports_and_no_other():
    assert names(PROJECT["dependencies"]) == set(CORE)
    files = [path for path in (ROOT / "jaxgen").rglob("*.py") if "testing" not in path.relative_to(ROOT).as_posix()]
    found = {name for path in files for name in imported(path)} - set(sys.stdlib_module_names) - {"jaxgen"}
    assert found == {*CORE, *names(PROJECT["optional-dependencies"]["adaptive"])}


WITH_COMMANDS = [
    "prepare",
    "heif",
    "parquet",
    "tokens",
    "video",
    "studio",
    "tensorboard",
    "wandb",
    "export",
    "test",
    "benchmark",
]


def test_the_extra_of_the_commands_is_what_they_ask_for_and_part_of_those_that_add_to_commands():
    extras = PROJECT["optional-dependencies"]
    assert names(extras["experiments"]) == set(experiments.PACKAGES.values())
    assert [name for name, wanted in extras.items() if "jaxgen[experiments]" in wanted] == WITH_COMMANDS
    assert "jaxgen[test]" in extras["dev"]
    assert "chex" in names(extras["test"])


def test_every_module_of_the_library_imports_without_the_packages_of_commands_and_tests():
    """orbax stays, since flax declares and imports it."""
    blocked = [*experiments.PACKAGES, "chex", "hypothesis", "beartype", "pytest", "tensorflow", "torch", "diffrax"]
    blocked.remove("orbax")
    done = python(
        "import importlib\nfor name in sys.argv[1:]: importlib.import_module(name)", *modules(), blocked=blocked
    )
    assert done.returncode == 0, done.stderr
    assert len(modules()) > 50


def test_no_module_of_the_library_loads_a_data_or_checkpoint_library():
    program = "import importlib\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint(*sys.modules)"
    loaded = set(python(program, *modules(), check=True).stdout.split())
    assert not loaded & {"tensorflow_datasets", "array_record", "PIL", "sklearn", "tqdm", "tyro", "chex"}


COMMANDS = sorted(path.stem for path in (ROOT / "experiments").glob("[!_]*.py"))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_without_its_packages_says_in_one_sentence_what_to_install(command):
    program = f"import runpy\nrunpy.run_module('experiments.{command}', run_name='__main__')"
    done = python(program, blocked=("tyro", "PIL"))
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr == "error: the commands need pillow, tyro: pip install -e '.[experiments]'\n"


def test_the_library_says_in_one_sentence_what_the_commands_need():
    done = subprocess.run([sys.executable, "-m", "jaxgen"], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(
        r"jaxgen is a library; .*python -m experiments\.train.*\[experiments\].* run from any folder\n", done.stderr
    )


FORMULA = """
import jax.numpy as jnp
from jaxgen.losses import gradient_penalty, wasserstein_critic
points = jnp.ones((3, 4))
assert wasserstein_critic(jnp.ones(3), jnp.zeros(3)).tolist() == [-1.0] * 3
assert gradient_penalty(lambda x: 3 * x[:, 0], points).tolist() == [4.0] * 3
"""

MODEL = """
import jax
from jaxgen.gans import wgan_gp
config = wgan_gp.Config(image_shape=(8, 8, 1))
state = wgan_gp.init(config, jax.random.key(0))
assert wgan_gp.sample(config, state, jax.random.key(1), 2).shape == (2, 8, 8, 1)
"""


EVERYWHERE = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info")


def no_part(folder, names):
    """What is not installed: also what building and training leave at the top of the tree."""
    at_top = {"build", "shared", "runs"} if pathlib.Path(folder) == ROOT else set()
    return EVERYWHERE(folder, names) | at_top.intersection(names)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The library's wheel, built from a copy of the tree: building leaves folders behind."""
    source, out = tmp_path_factory.mktemp("source") / "jaxgen", tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, source, ignore=no_part)
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", str(out), str(source))
    (built,) = out.glob("jaxgen-*.whl")
    return built


def pip(interpreter, *arguments):
    argv = [str(interpreter), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(argv, check=True, capture_output=True, text=True)


@pytest.mark.exhaustive
def test_commands_run_from_any_folder_after_an_editable_install(tmp_path):
    """Needs the network. Packages are missing there, which is what the command says: it was found."""
    source, environment, elsewhere = (tmp_path / name for name in ("jaxgen", "environment", "elsewhere"))
    shutil.copytree(ROOT, source, ignore=no_part)
    venv.create(environment, with_pip=True)
    pip(environment / "bin" / "python", "install", "--no-deps", "--editable", str(source))
    elsewhere.mkdir()
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    argv, options = [environment / "bin" / "python", "-m", "experiments.train"], {"cwd": elsewhere, "env": variables}
    done = subprocess.run(argv, capture_output=True, text=True, **options)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("error: the commands need ")


@pytest.mark.exhaustive
def test_the_wheel_holds_the_library_and_its_commands_alone(wheel):
    held = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in held} == {"jaxgen", "experiments", f"jaxgen-{jaxgen.__version__}.dist-info"}
    sources = {
        path.relative_to(ROOT).as_posix() for room in ("jaxgen", "experiments") for path in (ROOT / room).rglob("*.py")
    }
    assert {name for name in held if name.endswith(".py")} == sources
    assert "jaxgen/py.typed" in held


@pytest.mark.exhaustive
def test_the_wheel_runs_a_formula_and_a_model_where_nothing_else_is_installed(wheel, tmp_path, capsys):
    """Needs the network. Prints the sizes, and how long a new process takes to import JAX and, with it, the losses."""
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    interpreter = environment / "bin" / "python"
    pip(interpreter, "install", str(wheel))
    packages = pathlib.Path(sysconfig.get_path("purelib", "venv", {"base": str(environment)}))
    folders = {path.name for path in packages.iterdir()}
    assert not folders & {
        "tests",
        "tensorflow_datasets",
        "array_record",
        "PIL",
        "sklearn",
        "tyro",
        "chex",
    }

    def timed(program):
        clocked = f"import time\nstart = time.perf_counter()\n{program}\nprint(time.perf_counter() - start)"
        variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        argv, options = [str(interpreter), "-c", clocked], {"cwd": tmp_path, "env": variables}
        return float(subprocess.run(argv, check=True, capture_output=True, text=True, **options).stdout)

    command = [str(interpreter), "-m", "experiments.train"]
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=variables)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert re.fullmatch(r"error: the commands need .*: pip install .*\[experiments\]'\n", done.stderr)
    timed(FORMULA), timed(MODEL)  # they hold, and the bytecode is written
    alone, losses = (min(timed(program) for _ in range(3)) for program in ("import jax.numpy", "import jaxgen.losses"))
    size = lambda folder: sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6  # noqa: E731
    with capsys.disabled():
        print(
            f"\nwheel {wheel.stat().st_size / 1e3:.0f} kB; installed: the library {size(packages / 'jaxgen'):.1f} MB,"
        )
        print(
            f"with what it needs {size(packages):.0f} MB; import of jaxgen.losses {losses:.2f} s, of JAX {alone:.2f} s"
        )
