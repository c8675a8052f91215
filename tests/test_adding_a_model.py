"""What docs/adding_a_model.md shows is so: its files make a model, here and in a repository of anyone's."""

import ast
import importlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from tests import pages

ROOT = pathlib.Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "adding_a_model.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w/]+\.py)`:\n\n```python\n(.*?)```$", PAGE, re.DOTALL | re.MULTILINE))
((MODEL_PAGE, DESCRIPTION),) = re.findall(
    r"^`(docs/[\w/]+\.md)`:\n\n````markdown\n(.*?)````$", PAGE, re.DOTALL | re.MULTILINE
)
(ROW,) = re.findall(r"^```markdown\n(.*?)```$", PAGE, re.DOTALL | re.MULTILINE)
BLOCKS = pages.blocks(PAGE, "python")
FRAGMENTS = [block for block in BLOCKS if block not in FILES.values()]
MODEL, EXPERIMENT, TEST, OWN_TEST = FILES


def written(files, folder):
    for name, source in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source, encoding="utf-8")


def python(folder, *arguments, **environment):
    """Run Python in a folder, this library before any that is installed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), **environment}
    argv = [sys.executable, *arguments]
    return subprocess.run(argv, capture_output=True, text=True, cwd=folder, env=environment)


def missing(name):
    """The first part of a dotted name that is not there, or None."""
    parts, module = name.split("."), None
    for place, part in enumerate(parts):
        if module is not None and hasattr(module, part):
            module = getattr(module, part)
            continue
        try:
            module = importlib.import_module(".".join(parts[: place + 1]))
        except ImportError:
            return part
    return None


def test_names_that_are_missing_are_found():
    assert missing("jaxgen.train_state.descend") is None and missing("jaxgen.parallel.split") is None
    assert missing("jaxgen.train_state.ascend") == "ascend" and missing("jaxgen.nothing.at_all") == "nothing"


def test_the_page_names_modules_and_functions_that_exist():
    imports = [node for block in BLOCKS for node in ast.walk(ast.parse(block)) if isinstance(node, ast.ImportFrom)]
    names = {f"{node.module}.{alias.name}" for node in imports for alias in node.names}
    names |= set(re.findall(r"`(jaxgen(?:\.\w+)+)", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))
    names = {name for name in names if not re.search(r"\bgmmn\b", name)}  # the model of the page itself
    assert len(names) > 40
    assert {name: missing(name) for name in names if missing(name)} == {}


def test_paths_of_the_page_are_files():
    paths = set(re.findall(r"`((?:jaxgen|experiments|tests)/[\w/]+\.py)`", PAGE)) - FILES.keys()
    assert paths
    assert {path for path in paths if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda fragment: fragment.splitlines()[-1][:20])
def test_the_short_examples_run(fragment):
    exec(compile(fragment, "docs/adding_a_model.md", "exec"), {})


def test_a_test_file_of_about_ten_lines_holds_a_model_to_the_contract():
    assert len(FILES[OWN_TEST].splitlines()) <= 12


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A copy of this repository with the guide's four files and its row."""
    folder = tmp_path_factory.mktemp("copy") / "jaxgen"
    for name in ("jaxgen", "experiments", "tests", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (
        "pyproject.toml",
        "mkdocs.yml",
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "CITATION.cff",
        "LICENSE",
    ):
        shutil.copy(ROOT / name, folder)
    written({name: FILES[name] for name in (MODEL, EXPERIMENT, TEST)} | {MODEL_PAGE: DESCRIPTION}, folder)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    last = [line for line in readme.splitlines() if line.startswith("| ") and "`jaxgen." in line][-1]
    (folder / "README.md").write_text(readme.replace(f"{last}\n", f"{last}\n{ROW}"), encoding="utf-8")
    return folder


@pytest.mark.exhaustive
def test_the_four_files_and_the_row_pass_the_contract_and_the_house_rules(repository):
    rules = "tests/test_readme.py", "tests/test_site.py", "tests/test_architecture.py"
    arguments = ("-m", "pytest", "-n", "0", "-q", "-k", "gmmn or table or page or link or circle", TEST, *rules)
    done = python(repository, *arguments)
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 20


@pytest.mark.exhaustive
def test_the_experiment_trains_on_the_bundled_digits_and_is_sampled(repository, tmp_path):
    name, out = pathlib.Path(EXPERIMENT).stem, tmp_path / "run"
    done = python(repository, "-m", "experiments.train", name, "--steps", "20", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert (out / "metrics.jsonl").read_text().count("generator_loss") == 1
    picture = tmp_path / "digits.png"
    done = python(repository, "-m", "experiments.sample", str(out), "--num", "4", "--out", str(picture))
    assert done.returncode == 0, done.stderr
    assert picture.stat().st_size > 100


BREAKS = {
    "each_device_for_itself": ("gather(fake, mode.axis_name)", "fake"),
    "average_forgotten": ("return State(generator, ema), metrics", "return State(generator, state.ema), metrics"),
    "bandwidths_ignored": ("bandwidths=config.bandwidths", "bandwidths=(1.0,)"),
}


@pytest.mark.exhaustive
def test_a_repository_of_ones_own_holds_a_model_to_the_contract(tmp_path):
    """All laws hold for the page's model; each broken variant of it fails one at least."""
    files = {"mine/__init__.py": "", "mine/gmmn.py": FILES[MODEL], OWN_TEST: FILES[OWN_TEST]}
    for name, (old, new) in BREAKS.items():
        assert FILES[MODEL].count(old) == 1
        files[f"mine/{name}.py"] = FILES[MODEL].replace(old, new)
        files[f"tests/test_{name}.py"] = FILES[OWN_TEST].replace("import gmmn", f"import {name} as gmmn")
    written(files, tmp_path)
    report = tmp_path / "report.xml"
    devices = {"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "4"}
    chosen = "test_mine or not exhaustive or every_setting"  # of the broken ones the quick laws and that of settings
    done = python(tmp_path, "-m", "pytest", "-q", "-k", chosen, f"--junit-xml={report}", **devices)
    cases = list(xml.etree.ElementTree.parse(report).iter("testcase"))
    red = {case.get("classname").split(".")[1] for case in cases if case.find("failure") is not None}
    assert red == {f"test_{name}" for name in BREAKS}, done.stdout
    assert sum(case.get("classname").startswith("tests.test_mine") for case in cases) >= 15
