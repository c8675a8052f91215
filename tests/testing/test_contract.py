"""The suite passes for a model that keeps the contract, and is red for models that break one law each."""

from jaxgen.testing import Suite
from tests.testing.broken import BROKEN, KEPT

pytest_plugins = ["pytester"]


class TestContract(Suite):
    """Of a model whose players stand in a tuple."""

    case = KEPT


MODULE = """
from jaxgen.testing import Suite
from tests.testing.broken import BROKEN

for name, (case, _) in BROKEN.items():
    globals()["Test_" + name] = type("Test_" + name, (Suite,), {"case": case})
del name, case
"""


def test_each_broken_model_fails_the_law_that_it_breaks(pytester):
    path = pytester.makepyfile(test_broken=MODULE)
    driver = "[shard_map]"  # one of those that have the law
    laws = [
        f"{path}::Test_{name}::test_{law}" + driver * law.startswith("every_driver")
        for name, (_, law) in BROKEN.items()
    ]
    found = pytester.inline_run("-p", "no:cacheprovider", "-m", "exhaustive or not exhaustive", *laws)
    passed, skipped, failed = found.listoutcomes()
    assert not passed and not skipped, [report.nodeid for report in passed]
    red = {report.nodeid.split("::")[1].removeprefix("Test_") for report in failed}
    assert red == set(BROKEN)
    for report in failed:
        assert "AssertionError" in report.longreprtext or "ValueError" in report.longreprtext, report.longreprtext
