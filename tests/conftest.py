"""Four virtual CPU devices, strict promotion, checked shapes, a compilation cache: set before JAX starts."""

import contextlib
import ctypes
import functools
import gc
import os
import pathlib
import sys
import threading

from tests.environment import compiler_flags

_CACHE = pathlib.Path(__file__).resolve().parent.parent / ".cache" / "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "4")
os.environ.setdefault("NPROC", "16")  # XLA's thread pool: with too few threads collectives on virtual devices starve
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # most of the tests' time is the compiler's
os.environ["XLA_FLAGS"] = f"{compiler_flags()} {os.environ.get('XLA_FLAGS', '')}"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_CACHE))
if "PYTEST_XDIST_WORKER" in os.environ:  # JAX writes entries in place; others might read half of one
    os.environ["JAX_COMPILATION_CACHE_DIR"] += os.sep + os.environ["PYTEST_XDIST_WORKER"]
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

import hypothesis
import jax
import jaxtyping
import pytest
from jax._src.interpreters import mlir

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
pytest.register_assert_rewrite("tests.contract")
jaxtyping.install_import_hook("jaxgen", "beartype.beartype")
hypothesis.settings.register_profile("tests", deadline=None, max_examples=25, derandomize=True, database=None)
hypothesis.settings.load_profile("tests")
gc.set_threshold(100_000, 10, 20)  # tracing makes many objects and few cycles: searching them is a tenth of the time

_make_context = mlir.make_ir_context


@functools.cache
def _context_of(thread: int):
    return _make_context()


# JAX lowers programs in MLIR contexts: each takes 3 ms, and 1.2 MB for as long as one of its programs is cached.
# JAX 0.10 makes one for each program, later versions one for ten: here it is one for each thread.
mlir.make_ir_context = lambda: _context_of(threading.get_ident())

LARGE = 3 * 2**30
"""Bytes of a process from which on compiled programs are dropped between modules: each keeps those that it has made."""


def _bytes_held() -> int:
    """Of memory by this process; 0 where the system does not say."""
    try:
        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Tests and the modules that they import stay to the end: no search for cycles goes through them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def _drop_programs() -> None:
    """The freed memory goes back to the system, else the process stays large, and drops them after every module."""
    jax.clear_caches()
    _context_of.cache_clear()
    gc.collect()
    with contextlib.suppress(AttributeError, OSError, TypeError):  # glibc has it, other systems do not
        ctypes.CDLL(None).malloc_trim(0)


def pytest_runtest_teardown(item, nextitem):
    """Between modules, so that no class loses what its fixtures have compiled."""
    if (nextitem is None or item.path != nextitem.path) and _bytes_held() > LARGE:
        _drop_programs()


@pytest.hookimpl(trylast=True)
def pytest_configure():
    """Pass over what orbax's tasks complain of when they are collected after a failed restore, some time later."""
    before = sys.unraisablehook

    def hook(unraisable):
        if "Event loop is closed" not in str(unraisable.exc_value):
            before(unraisable)

    sys.unraisablehook = hook


@pytest.fixture
def key() -> jax.Array:
    return jax.random.key(0)


def pytest_terminal_summary(terminalreporter):
    """What the contract costs a model, which is a budget: the durations of the classes that derive from `Suite`."""
    seconds: dict[str, float] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and ("contract_suite", True) in report.user_properties:
                name = report.nodeid.rpartition("::")[0]
                seconds[name] = seconds.get(name, 0.0) + report.duration
    if seconds:
        dearest = max(seconds, key=lambda name: seconds[name])
        mean = sum(seconds.values()) / len(seconds)
        terminalreporter.write_line(
            f"contract suite: {len(seconds)} models, mean {mean:.1f} s, dearest {dearest} {seconds[dearest]:.1f} s"
        )


def pytest_runtest_setup(item):
    """Mark the tests of the contract suite for the summary, over processes too."""
    from jaxgen.testing import Suite  # after the import hook

    if isinstance(item, pytest.Function) and item.cls is not None and issubclass(item.cls, Suite):
        item.user_properties.append(("contract_suite", True))
