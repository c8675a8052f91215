"""The suite passes for a model that keeps the contract, and is red for models that break one law each."""

import dataclasses

from jaxgen.optimizers import SGD, Optimizer
from jaxgen.testing import Suite, players, variations, with_sgd
from jaxgen.testing.settings import distinct_sgd, optimizer_fields, optimizer_of
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
    laws = [f"{path}::Test_{name}::test_{law}" for name, (_, law) in BROKEN.items()]
    found = pytester.inline_run("-p", "no:cacheprovider", "-m", "not exhaustive", *laws)
    passed, skipped, failed = found.listoutcomes()
    assert not passed and not skipped, [report.nodeid for report in passed]
    red = {report.nodeid.split("::")[1].removeprefix("Test_") for report in failed}
    assert red == set(BROKEN)
    for report in failed:
        assert "AssertionError" in report.longreprtext or "ValueError" in report.longreprtext, report.longreprtext


def test_players_are_found_wherever_they_stand_and_have_their_optimisers():
    config = distinct_sgd(KEPT.config)
    found = players(TestContract.init(config))
    assert {name: optimizer_of(config, player) for name, player in found.items()} == {
        "levels/0": ["generator_optimizer"],
        "levels/1": ["fine_optimizer"],
        "generator_ab": ["generator_ab_optimizer"],
    }


def test_settings_are_varied_one_at_a_time():
    varied = dict(variations(KEPT.config))
    assert {"weight", "prior.dim", "coarse.features", "fine_optimizer.learning_rate", "value_range"} <= set(varied)
    assert varied["weight"] == dataclasses.replace(KEPT.config, weight=0.25)
    assert "coarse.features" not in dict(variations(KEPT.config, networks=False))


def test_sgd_is_given_to_every_optimizer_or_a_rate_of_its_own():
    config = with_sgd(KEPT.config, 0.5, fine_optimizer=0.25)
    assert config.fine_optimizer == Optimizer(0.25, SGD()) and config.generator_optimizer == Optimizer(0.5, SGD())
    rates = [getattr(distinct_sgd(config), name).learning_rate for name in optimizer_fields(config)]
    assert len(set(rates)) == 3
