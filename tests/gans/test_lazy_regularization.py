"""Lazy regularisation: corrections of Adam, and steps that come now and then."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans.lazy_regularization import lazy, regularize_now_and_then
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Adam, Cosine, Optimizer
from jaxgen.train_state import blank, create, descend

ADAM = Optimizer(0.002, Adam(b1=0.0, b2=0.99, eps=1e-8))


@pytest.mark.parametrize(("every", "rate", "b2"), [(4, 0.0016, 0.991992), (16, 0.00188235, 0.990585)])
def test_rates_and_betas_are_those_of_the_authors(every, rate, b2):
    found = lazy(ADAM, every)
    assert found.learning_rate == pytest.approx(rate, abs=5e-9) and isinstance(found.rule, Adam)
    assert found.rule.b2 == pytest.approx(b2, abs=5e-7) and (found.rule.b1, found.rule.eps) == (0.0, 1e-8)


def test_a_step_more_at_every_update_halves_the_rate_and_takes_the_root_of_the_betas():
    """Whatever else an optimiser has stays."""
    found = lazy(Optimizer(0.1, Adam(0.25, 0.81), Cosine(7), clip_norm=2.0), 1)
    assert found == Optimizer(0.05, Adam(0.5, 0.9), Cosine(7), clip_norm=2.0)
    with pytest.raises(ValueError, match=r"rule is SGD\(momentum=0.0\), but must be Adam"):
        lazy(Optimizer(0.1, SGD()), 4)
    with pytest.raises(ValueError, match="every is 0, but must be at least 1"):
        lazy(ADAM, 0)


def linear_loss(variables, factor):
    """Of gradient `factor` in each weight."""
    loss = factor * sum(leaf.sum() for leaf in jax.tree.leaves(variables["params"]))
    return loss, ({"penalty": loss}, variables)


@pytest.mark.parametrize("every", [1, 3])
def test_k_updates_with_a_lazy_penalty_move_as_far_as_k_with_the_penalty_in_each(every):
    """At updates 0, k, 2k, ..., k times as much; between them nothing moves and the metric is 0."""
    net = MLP(())
    start = create(net, Optimizer(0.1, SGD()), jax.random.key(0), blank((2,)), ())

    @jax.jit
    def updated(player):
        player = player.replace(step=player.step + 1)  # of the player's own step
        return regularize_now_and_then(every, player, linear_loss, (jnp.float32(every),))

    player, logged = start, []
    for update in range(2 * every):
        before = player
        player, metrics = updated(player)
        logged.append(float(metrics["penalty"]) != 0.0)
        assert player.step == update + 1
        moved = np.asarray(before.params["Dense_0"]["kernel"] - player.params["Dense_0"]["kernel"])
        np.testing.assert_allclose(moved, 0.1 * every * (update % every == 0) * np.ones_like(moved), atol=1e-6)
    assert logged == [update % every == 0 for update in range(2 * every)]
    plain = start
    for _ in range(2 * every):
        plain, _ = descend(plain, linear_loss, (jnp.float32(1.0),))
    for one, other in zip(jax.tree.leaves(player.params), jax.tree.leaves(plain.params), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
