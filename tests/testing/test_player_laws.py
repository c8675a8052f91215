"""Which answers a case has, and the disturbance by which the law finds them."""

import jax
import numpy as np
import optax

from jaxgen.testing import Case, differs
from jaxgen.testing.probes import with_other_moments
from jaxgen.train_state import players
from tests.testing import levels
from tests.testing.broken import KEPT


def test_a_generator_answers_to_the_opponent_beside_it_unless_the_case_says_else():
    names = ["a/generator", "a/discriminator", "b/generator", "b/critic", "encoder", "discriminator"]
    assert KEPT.answers_of(names) == {("a/generator", "a/discriminator"), ("b/generator", "b/critic")}
    assert KEPT.answers_of(["generator", "encoder"]) == set()
    assert Case(levels, levels.Config(), answers=(("encoder", "prior"),)).answers_of(names) == {("encoder", "prior")}


def test_other_moments_are_of_one_player_and_leave_its_weights_and_its_count():
    config = levels.Config()
    state = levels.init(config, jax.random.key(0))
    moments = optax.adam(0.1).init(state.levels[0].params)
    state = state._replace(levels=(state.levels[0].replace(opt_state=moments), *state.levels[1:]))
    before, after = players(state), players(with_other_moments(state, "levels/0"))
    (adam, *_), (disturbed, *_) = (one["levels/0"].opt_state for one in (before, after))
    assert disturbed.count == adam.count
    for old, new in zip(jax.tree.leaves(adam.mu), jax.tree.leaves(disturbed.mu), strict=True):
        np.testing.assert_allclose(new - old, 10.0, rtol=1e-6)
    assert not differs(before["levels/0"].params, after["levels/0"].params)
    for name in ("levels/1", "generator_ab"):
        assert not differs((before[name].params, before[name].opt_state), (after[name].params, after[name].opt_state))
