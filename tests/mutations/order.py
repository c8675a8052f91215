"""A plugin of pytest: the order in which tests are tried, the first failure, and what each test takes."""

import collections
import pathlib
import re
import types
from collections.abc import Collection

DEVICES = {"axis_name", "pmap", "shard_map", "wrap", "Mode"}  # what a test names that runs on several devices


class Order:
    """Tests that name what is mutated come first, then quick ones; a class stays together, with its fixtures.

    Where times are expected, tests that have none failed without any mutation, or are no tests of this mutation: they
    are left out. Without times classes come late: theirs are the dear laws. Without names all tests are run, in their
    own order.
    """

    def __init__(
        self, names: set[str], seconds: dict[str, float] | None = None, without: Collection[str] = frozenset()
    ):
        self.names, self.expected, self.without = names, seconds or {}, without
        self.timed = seconds is not None
        self.only: str | None = None  # a name that tests must bear or use
        self.row: str | None = None  # or the row of a table
        self.failures: list[str] = []
        self.seconds = collections.Counter()

    def pytest_collection(self):
        import hypothesis
        import jax

        # Programs of a mutant serve nobody else: the compilation cache is only read, by any number of processes.
        if self.expected:
            jax.config.update("jax_persistent_cache_min_entry_size_bytes", 1 << 40)
        base = hypothesis.settings.get_profile("tests")
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)  # no smaller examples
        hypothesis.settings.register_profile("mutations", base, phases=phases)
        hypothesis.settings.load_profile("mutations")

    def pytest_collection_modifyitems(self, items):
        if not self.names:
            return
        items[:] = [item for item in items if self._is_known(item) and self._is_of(item)]
        units, relevant = collections.Counter(), collections.Counter()
        for item in items:
            units[_unit(item)] += self.expected.get(item.nodeid, 0.0)
            relevant[_unit(item)] += self._names_it(item)

        def rank(item):
            unit, seconds = _unit(item), self.expected.get(item.nodeid, 0.0)
            late = not self.timed and item.cls is not None
            return relevant[unit] == 0, late, units[unit], unit, not self._names_it(item), seconds

        items.sort(key=rank)

    def _is_known(self, item) -> bool:
        return item.nodeid not in self.without and (not self.timed or item.nodeid in self.expected)

    def _is_of(self, item) -> bool:
        row = re.split(r"[\[\]-]", item.nodeid.rpartition("::")[2])[1:]
        named = self.only is None or self.only in item.nodeid or uses(test_of(item).__code__, self.only)
        return named or self.row in row

    def _names_it(self, item) -> bool:
        return any(uses(test_of(item).__code__, name) for name in self.names)

    def pytest_runtest_logreport(self, report):
        self.seconds[report.nodeid] += report.duration
        if report.failed:
            self.failures.append(report.nodeid)

    def pytest_collectreport(self, report):
        if report.failed:
            self.failures.append(f"import of {pathlib.Path(report.nodeid).name}")


def names_of(function: str, change: str) -> set[str]:
    """What a test is likely to name that sees a mutation."""
    if any(word in change for word in ("axis_name", "devices", "mode")):
        return DEVICES
    owner, _, method = function.rpartition(".")
    return {owner or function} if method.startswith("_") and owner else {name for name in (owner, method) if name}


def _unit(item) -> str:
    """A class, or a function with all its parameters."""
    return item.nodeid.rpartition("::")[0] if item.cls else item.nodeid.partition("[")[0]


def test_of(item) -> types.FunctionType:
    """The function as it is written, without hypothesis around it."""
    wrapper = getattr(item.function, "hypothesis", None)
    return wrapper.inner_test if wrapper else item.function


def uses(code: types.CodeType, name: str) -> bool:
    """Whether a function, or one inside it, uses a name."""
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    keywords = [constant for constant in code.co_consts if isinstance(constant, tuple)]
    here = name in code.co_names or name in code.co_varnames or any(name in names for names in keywords)
    return here or any(uses(constant, name) for constant in inner)
