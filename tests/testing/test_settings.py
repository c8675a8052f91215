import dataclasses

import jax

from jaxgen.optimizers import SGD, Optimizer
from jaxgen.testing import players, variations, with_sgd
from jaxgen.testing.settings import distinct_sgd, optimizer_fields, optimizer_of
from tests.testing import levels
from tests.testing.broken import KEPT


def test_players_are_found_wherever_they_stand_and_have_their_optimisers():
    config = distinct_sgd(KEPT.config)
    found = players(levels.init(config, jax.random.key(0)))
    assert {name: optimizer_of(config, player) for name, player in found.items()} == {
        "levels/0": ["generator_optimizer"],
        "levels/1": ["fine_optimizer"],
        "generator_ab": ["generator_ab_optimizer"],
    }


def test_settings_are_varied_one_at_a_time():
    varied = dict(variations(KEPT.config))
    assert {"weight", "prior.dim", "coarse.features", "fine_optimizer.learning_rate", "value_range"} <= set(varied)
    assert varied["weight"] == dataclasses.replace(KEPT.config, weight=0.25)


def test_sgd_is_given_to_every_optimizer_or_a_rate_of_its_own():
    config = with_sgd(KEPT.config, 0.5, fine_optimizer=0.25)
    assert config.fine_optimizer == Optimizer(0.25, SGD()) and config.generator_optimizer == Optimizer(0.5, SGD())
    rates = [getattr(distinct_sgd(config), name).learning_rate for name in optimizer_fields(config)]
    assert len(set(rates)) == 3
