"""Runs of tests, each in a forked process in which one module of the library has another text."""

import importlib.machinery
import importlib.util
import json
import multiprocessing
import os
import pathlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.mutations.library import ROOT, Suite, library
from tests.mutations.mutants import Mutant
from tests.mutations.order import Order, names_of

CACHES = ROOT / ".cache" / "mutations"  # of compiled programs, one for each worker
PYTEST = ["-x", "-q", "--assert=plain", "--tb=native", "-p", "no:cacheprovider", "-p", "no:unraisableexception"]
PYTEST += ["-o", "addopts=--import-mode=importlib"]  # no doctests: the tests must do it


@dataclass(frozen=True)
class Job:
    """Suites of tests to run one after the other, up to the first failure; all tests where nothing is mutated."""

    suites: list[Suite]
    mutant: Mutant | None = None
    expected: dict[str, float] | None = None  # seconds of each test, where nothing is mutated
    without: frozenset[str] = frozenset()  # tests that fail even there
    limit: float = 1800.0  # seconds


@dataclass(frozen=True)
class Result:
    """What a run gives."""

    failures: list[str]
    tests: dict[str, float]  # seconds of each
    seconds: float


class Mutated(importlib.machinery.SourceFileLoader):
    """Loads a module from another text than its file's."""

    def __init__(self, name: str, path: str, source: str):
        super().__init__(name, path)
        self.source = source

    def get_code(self, fullname):
        return compile(self.source, self.path, "exec", dont_inherit=True)


class Finder:
    """Finds the mutated module first."""

    def __init__(self, mutant: Mutant):
        self.name, self.mutant = f"jaxgen.{mutant.module}", mutant

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.name:
            return None
        file = str(library()[self.mutant.module])
        return importlib.util.spec_from_file_location(
            fullname, file, loader=Mutated(fullname, file, self.mutant.source)
        )


def run(job: Job, report: str, cache: pathlib.Path) -> None:
    """In a forked process: run the suites, write the result and end."""
    import jax
    import jaxtyping
    import pytest

    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    started = time.monotonic()
    jax.config.update("jax_compilation_cache_dir", str(cache))
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(cache)
    jaxtyping.install_import_hook = lambda *_: None  # values must give a mutant away, not types
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    assert not any(name.partition(".")[0] == "jaxgen" for name in sys.modules), "the library is loaded already"
    if job.mutant:
        sys.meta_path.insert(0, Finder(job.mutant))
    names = names_of(job.mutant.function, job.mutant.change) if job.mutant else set()
    order = Order(names, job.expected, job.without)
    options = PYTEST if job.mutant else PYTEST[1:]
    for suite in job.suites:
        order.only, order.row = suite.only, suite.row
        status = pytest.main([*options, *suite.files], plugins=[order])
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            order.failures = order.failures or [f"pytest {status!r}"]
            break
    result = [order.failures, order.seconds, time.monotonic() - started]
    pathlib.Path(f"{report}.part").write_text(json.dumps(result))
    os.replace(f"{report}.part", report)
    os._exit(0)


class Pool:
    """At most `workers` jobs at a time, each in its own process."""

    def __init__(self, workers: int):
        self.context = multiprocessing.get_context("fork")
        self.workers = workers

    def run(self, jobs: Sequence[Job], deadline: float = float("inf")) -> Iterator[tuple[Job, Result]]:
        """(job, result) in the order in which they end; what has not ended by the deadline is left out."""
        waiting, running = list(reversed(jobs)), {}
        with tempfile.TemporaryDirectory() as folder:
            try:
                while waiting or running:
                    for worker in set(range(self.workers)) - set(running):
                        if waiting and time.monotonic() < deadline:
                            job = waiting.pop()
                            report = f"{folder}/{len(waiting)}"
                            process = self.context.Process(target=run, args=(job, report, CACHES / str(worker)))
                            process.start()
                            running[worker] = process, job, report, time.monotonic()
                    for worker, (process, job, report, started) in list(running.items()):
                        seconds = time.monotonic() - started
                        if not process.is_alive():
                            del running[worker]
                            process.join()
                            yield job, _result(report, seconds)
                        elif seconds > job.limit:
                            del running[worker]
                            _kill(process)
                            yield job, Result(["(hangs)"], {}, seconds)
                    if time.monotonic() >= deadline:
                        return
                    time.sleep(0.01)
            finally:
                for process, *_ in running.values():
                    _kill(process)


def _kill(process) -> None:
    process.kill()
    process.join()


def _result(report: str, seconds: float) -> Result:
    path = pathlib.Path(report)
    return Result(*json.loads(path.read_text())) if path.exists() else Result(["(crashes)"], {}, seconds)


def share_caches(workers: int) -> None:
    """Each worker's cache gets what the others have compiled: two processes must not write to one."""
    folders = [CACHES / str(worker) for worker in range(workers)]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    known = {file.name: file for folder in folders for file in folder.iterdir()}
    for folder in folders:
        for name in known.keys() - set(os.listdir(folder)):
            shutil.copy(known[name], folder / name)
