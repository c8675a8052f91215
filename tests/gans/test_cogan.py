import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import parallel
from jaxgen.batches import Coupled
from jaxgen.gans import cogan
from jaxgen.gans.objectives import LeastSquares, Relativistic
from jaxgen.losses import minimax_discriminator, non_saturating_generator
from jaxgen.mode import EVALUATION
from jaxgen.moving_averages import Exponential
from jaxgen.nets.mlp import MLP
from jaxgen.nets.norm import Norm, normalize
from jaxgen.optimizers import SGD, Adam, Optimizer, RMSProp
from jaxgen.priors import Normal
from tests import contract
from tests.gans.games import assert_close, compiled, count, stepped, training


class Hidden(nn.Module):
    """Six numbers, whatever shape is asked for."""

    norm: Norm = "none"

    @nn.compact
    def __call__(self, inputs, output_shape=(), *, mode=EVALUATION):
        hidden = nn.Dense(6, use_bias=self.norm == "none")(inputs.reshape(inputs.shape[0], -1))
        return nn.leaky_relu(normalize(hidden, self.norm, mode), 0.2)


TINY = cogan.Config(
    image_shape=(4, 4, 1),
    prior=Normal(3),
    shared_generator=Hidden("batch"),
    generator=MLP(()),
    discriminator=Hidden(),
    shared_discriminator=MLP((5,), negative_slope=0.2),
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
REAL = Coupled(*jax.random.uniform(jax.random.key(1), (2, 8, 4, 4, 1)))
LATENTS = TINY.prior.draw(jax.random.key(2), 8)
MODE = training(jax.random.key(3), 8)


class TestContract(contract.Suite):
    case = contract.Case(
        cogan, TINY, inert=("generator.activation", "generator.negative_slope", "generator.norm")
    )  # a layer without hidden ones


def test_parameter_counts_are_those_of_the_reference_with_both_domains_own_layers():
    state = jax.eval_shape(functools.partial(cogan.init, cogan.Config()), jax.random.key(0))
    assert count(state.generator.params) == 7_842_694
    assert count(state.discriminator.params) == 427_593
    assert state.generator.params.keys() == state.discriminator.params.keys() == {"a", "b", "shared"}


def scores_by_hand(variables, domain, images):
    hidden = TINY.discriminator.apply({"params": variables["params"][domain]}, images)
    return TINY.shared_discriminator.apply({"params": variables["params"]["shared"]}, hidden, ())


def test_the_players_pay_the_sums_of_two_gans():
    state = TestContract.init()
    generator, discriminator = state.generator.variables, state.discriminator.variables
    fake, _ = cogan.generate(TINY, generator, LATENTS, MODE)
    loss, (metrics, _) = cogan.discriminator_loss(TINY, discriminator, REAL, fake, MODE)
    scores = {
        domain: [scores_by_hand(discriminator, domain, getattr(one, domain)) for one in (REAL, fake)] for domain in "ab"
    }
    for domain in "ab":
        wanted = minimax_discriminator(*scores[domain]).mean()
        assert metrics[f"discriminator_loss/{domain}"] == pytest.approx(float(wanted), rel=1e-5)
    assert loss == pytest.approx(float(metrics["discriminator_loss/a"] + metrics["discriminator_loss/b"]), rel=1e-5)
    loss, _ = cogan.generator_loss(TINY, generator, discriminator, REAL, LATENTS, MODE)
    wanted = sum(non_saturating_generator(scores[domain][1]).mean() for domain in "ab")
    assert loss == pytest.approx(float(wanted), rel=1e-5)


def test_an_objective_that_compares_sees_the_real_images_of_each_domain():
    state = TestContract.init()

    def loss(objective, real):
        config = dataclasses.replace(TINY, objective=objective)
        inputs = state.generator.variables, state.discriminator.variables, real, LATENTS, MODE
        return cogan.generator_loss(config, *inputs)[0]

    for real in (REAL._replace(a=1 - REAL.a), REAL._replace(b=1 - REAL.b)):
        assert loss(Relativistic(), REAL) != loss(Relativistic(), real)
        assert loss(LeastSquares(), REAL) == loss(LeastSquares(), real)


def test_the_gradient_of_a_shared_layer_is_the_sum_of_both_domains():
    state = TestContract.init()
    fake = Coupled(1 - REAL.a, 1 - REAL.b)

    def shared(name):
        def loss(params):
            metrics = cogan.discriminator_loss(TINY, {"params": params}, REAL, fake, MODE)[1][0]
            return metrics[name]

        return jax.grad(loss)(state.discriminator.params)["shared"]

    parts = [shared(f"discriminator_loss/{domain}") for domain in "ab"]
    assert_close(shared("discriminator_loss"), jax.tree.map(jnp.add, *parts))
    assert all(contract.differs(part, jax.tree.map(jnp.zeros_like, part)) for part in parts)


def twins(state):
    """The state with domain b's own layers those of domain a."""

    def twin(tree):
        return {**tree, "b": tree["a"]} if "a" in tree else tree

    players = {
        name: getattr(state, name).replace(params=twin(getattr(state, name).params))
        for name in ("generator", "discriminator")
    }
    return state._replace(**players, ema={**state.ema, "params": twin(state.ema["params"])})


def test_with_equal_layers_of_their_own_both_domains_have_one_image():
    images = cogan.pairs_from_latents(TINY, twins(TestContract.init()), LATENTS)
    np.testing.assert_array_equal(images.a, images.b)
    apart = cogan.pairs_from_latents(TINY, TestContract.init(), LATENTS)
    assert np.abs(apart.a - apart.b).max() > 0.01


@pytest.mark.parametrize(
    ("rule", "wrap"),
    [(Adam(), parallel.shard_map), (SGD(momentum=0.5), parallel.pmap), (RMSProp(), parallel.jit)],
    ids=["Adam", "momentum", "RMSProp"],
)
def test_shared_layers_stay_one_under_every_optimiser_and_on_all_devices(rule, wrap):
    """Domains that are alike in data and layers stay alike after updates, and what they share is held once."""
    optimizers = dict.fromkeys(("generator_optimizer", "discriminator_optimizer"), Optimizer(1e-2, rule))
    config = dataclasses.replace(TINY, **optimizers)
    before = twins(TestContract.init(config))
    kept = jax.device_get(before.generator.params)
    state, _ = wrap(cogan.update, config, steps=2)(
        before, Coupled(*(jnp.stack([REAL.a, 1 - REAL.a]),) * 2), jax.random.split(jax.random.key(4), 2)
    )
    for player in (state.generator, state.discriminator):
        assert_close(player.params["a"], player.params["b"], atol=1e-5)
    assert contract.differs(state.generator.params["shared"], kept["shared"])
    images = cogan.pairs_from_latents(config, jax.device_get(state), LATENTS)
    np.testing.assert_allclose(images.a, images.b, atol=1e-5)


def by_hand(config, state, real, key):
    """Both players' variables after a step of D, then one of G, each with latents of its own."""
    key_latents, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    mode = training(key_pass, 8)
    fake, _ = cogan.generate(config, state.generator.variables, config.prior.draw(key_latents, 8), mode)
    loss = functools.partial(cogan.discriminator_loss, config)
    discriminator, *_ = stepped(state.discriminator.variables, loss, 0.05, real, fake, mode)
    inputs = discriminator, real, config.prior.draw(key_generator, 8), training(key_generator_pass, 8)
    return discriminator, stepped(
        state.generator.variables, functools.partial(cogan.generator_loss, config), 0.05, *inputs
    )[0]


def test_update_is_a_step_of_each_player_written_out():
    config = contract.with_sgd(TINY, 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    found, metrics = compiled(cogan.update, config)(state, REAL, key)
    wanted = compiled(by_hand, config)(state, REAL, key)
    assert_close((found.discriminator.variables, found.generator.variables), wanted)
    assert {"discriminator_loss", "generator_loss", "diversity", "real_certainty"} <= metrics.keys()


def test_samples_and_scores_are_of_domain_a():
    state = TestContract.init()
    images = cogan.pairs_from_latents(TINY, state, LATENTS).a
    np.testing.assert_array_equal(cogan.from_latents(TINY, state, LATENTS), images)
    scores = cogan.discriminate(TINY, state, REAL.a)
    np.testing.assert_allclose(scores, scores_by_hand(state.discriminator.variables, "a", REAL.a), rtol=1e-5)
