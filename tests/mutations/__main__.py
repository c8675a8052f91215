"""Run the tests of each mutant in a forked process and print the table."""

import argparse
import collections
import gc
import importlib
import json
import multiprocessing
import os
import pathlib
import shutil
import sys
import tempfile
import time
import types
from collections.abc import Iterator

from tests.mutations.equivalent import REASONS
from tests.mutations.mutants import Mutant, mutants_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
# As in tests/conftest.py, which comes too late here: JAX is loaded before the processes fork.
ENVIRONMENT = {
    "JAX_PLATFORMS": "cpu",
    "JAX_NUM_CPU_DEVICES": "4",
    "NPROC": "16",
    "JAX_COMPILATION_CACHE_DIR": str(ROOT / ".cache" / "jax"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
LOADED = """chex equinox flax.linen flax.nnx hypothesis jax jax.test_util jaxtyping optax ot pytest scipy.integrate
    scipy.optimize scipy.signal scipy.special scipy.stats skimage.metrics skimage.transform sklearn.metrics.pairwise"""
PYTEST = ["-x", "-q", "--assert=plain", "--tb=native", "-p", "no:cacheprovider", "-p", "no:unraisableexception"]
PYTEST += ["-o", "addopts=--import-mode=importlib"]  # no doctests: the tests must do it
SECONDS = 120  # for one mutant beyond the time of all tests unchanged: a longer run is a hang, not a slow machine
FIRST = 1800  # seconds for the tests unchanged, which may have everything to compile
MODULES = sorted(p for p in (ROOT / "jaxgen" / "losses").glob("*.py") if p.stem != "__init__")
COMMON = "tests/losses/test_common.py"
UNCHANGED = Mutant("_arrays", "", "", (ROOT / "jaxgen" / "losses" / "_arrays.py").read_text())


class FirstFailure:
    """A pytest plugin that keeps the name of the first test that fails; tests that name the function run first."""

    def __init__(self, function: str):
        self.name = ""
        self.function = function

    def pytest_collection(self):
        import hypothesis

        base = hypothesis.settings.get_profile("tests")
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)  # no smaller examples
        hypothesis.settings.register_profile("mutations", base, phases=phases)
        hypothesis.settings.load_profile("mutations")

    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: not names(test_of(item).__code__, self.function))

    def pytest_runtest_logreport(self, report):
        if report.failed and not self.name:
            self.name = report.nodeid.split("::")[-1]

    def pytest_collectreport(self, report):
        if report.failed and not self.name:
            self.name = f"import of {pathlib.Path(report.nodeid).name}"


def test_of(item) -> types.FunctionType:
    """The function as it is written, without hypothesis around it."""
    wrapper = getattr(item.function, "hypothesis", None)
    return wrapper.inner_test if wrapper else item.function


def names(code: types.CodeType, function: str) -> bool:
    """Whether a function, or one inside it, uses a name."""
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return function in code.co_names or any(names(constant, function) for constant in inner)


def suites(mutant: Mutant) -> list[list[str]]:
    """Arguments of pytest: the tests of the module, the common laws; first those likely to fail."""
    if mutant is UNCHANGED:
        return [[f"tests/losses/test_{path.stem.lstrip('_')}.py" for path in MODULES] + [COMMON]]
    own = [f"tests/losses/test_{mutant.module.lstrip('_')}.py"]
    common = [COMMON]
    if not mutant.function.startswith("_") and mutant.module != "_arrays":
        common += ["-k", mutant.function]
    return [common, own] if mutant.change.startswith(("drop the check", "drop the call")) else [own, common]


def run(mutant: Mutant, report: str) -> None:
    """In a forked process: the tests, with the mutated copy of the package first on the path."""
    import jaxtyping
    import pytest

    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    failure = FirstFailure(mutant.function)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "jaxgen", f"{folder}/jaxgen", ignore=shutil.ignore_patterns("__pycache__"))
        pathlib.Path(folder, "jaxgen", "losses", f"{mutant.module}.py").write_text(mutant.source)
        sys.path.insert(0, folder)
        jaxtyping.install_import_hook = lambda *_: None  # values must give a mutant away, not types
        sys.dont_write_bytecode = True
        os.chdir(ROOT)
        for suite in suites(mutant):
            status = pytest.main([*PYTEST, *suite], plugins=[failure])
            if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                failure.name = failure.name or f"pytest {status!r}"
                break
        import jaxgen.losses

        assert jaxgen.losses.__file__.startswith(folder)
    pathlib.Path(report).write_text(json.dumps(failure.name))
    os._exit(0)


class Pool:
    """At most `workers` mutants at a time, each in its own process."""

    def __init__(self, workers: int):
        self.context = multiprocessing.get_context("fork")
        self.workers = workers

    def run(self, mutants: list[Mutant], seconds: float) -> Iterator[tuple[Mutant, str]]:
        """(mutant, name of the first failing test) for each, in the order in which they end; `seconds` for one."""
        waiting, running = list(reversed(mutants)), []
        with tempfile.TemporaryDirectory() as folder:
            while waiting or running:
                while waiting and len(running) < self.workers:
                    mutant = waiting.pop()
                    report = f"{folder}/{len(waiting)}"
                    process = self.context.Process(target=run, args=(mutant, report))
                    process.start()
                    running.append((process, mutant, report, time.monotonic()))
                for job in list(running):
                    process, mutant, report, started = job
                    late = time.monotonic() - started > seconds
                    if late:
                        process.kill()
                    elif process.is_alive():
                        continue
                    process.join()
                    running.remove(job)
                    yield mutant, failing(report, late)
                time.sleep(0.01)


def failing(report: str, late: bool) -> str:
    if late:
        return "(hangs)"
    path = pathlib.Path(report)
    return json.loads(path.read_text()) if path.exists() else "(crashes)"


def selected(only: str | None) -> list[Mutant]:
    everything = [m for path in MODULES for m in mutants_of(path.stem, path.read_text())]
    return [m for m in everything if only is None or only in m.formula]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("--only", help="part of the name of a formula or a module")
    parser.add_argument("--list", action="store_true", help="print the mutations, run nothing")
    parser.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 8))
    options = parser.parse_args()
    mutants = selected(options.only)
    if options.list:
        for mutant in mutants:
            print(f"{mutant.formula} | {mutant.change}")
        return 0
    os.environ.update(ENVIRONMENT)
    for name in LOADED.split():
        importlib.import_module(name)
    gc.freeze()  # the processes share what is loaded: no collection writes to it
    pool, started = Pool(options.workers), time.monotonic()
    [(_, test)] = pool.run([UNCHANGED], FIRST)
    if test:
        print(f"{test} fails without any mutation")
        return 2
    limit = SECONDS + time.monotonic() - started
    verdicts = collections.Counter()
    print("formula | mutation | failing test, or reason | verdict", flush=True)
    tried = []
    for mutant in mutants:
        reason = REASONS.get((mutant.formula, mutant.change))
        if reason:
            verdicts["equivalent"] += 1
            print(f"{mutant.formula} | {mutant.change} | {reason} | equivalent")
        else:
            tried.append(mutant)
    for mutant, test in pool.run(tried, limit):
        verdict = "killed" if test else "SURVIVED"
        verdicts[verdict] += 1
        print(f"{mutant.formula} | {mutant.change} | {test} | {verdict}", flush=True)
    counts = ", ".join(f"{number} {name}" for name, number in sorted(verdicts.items()))
    print(f"{len(mutants)} mutations: {counts}; {time.monotonic() - started:.0f} s")
    return 1 if "SURVIVED" in verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
