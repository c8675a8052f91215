import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.abilities import CodePredictor
from jaxgen.gans import infogan
from jaxgen.gans.codes import Codes, CodeSettings
from jaxgen.moving_averages import Exponential
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Uniform
from tests import contract
from tests.gans.games import UNREGULARIZED, WITH_BATCH_STATISTICS, assert_close, compiled, count, stepped, training

TINY = infogan.Config(
    image_shape=(4, 4, 1),
    codes=CodeSettings((3, 2), 1, fixed_std=False),
    noise=Uniform(2),
    generator=MLP((6,), norm="batch"),
    discriminator=MLP((6,), norm="batch", negative_slope=0.2),
    categorical_weight=0.5,
    continuous_weight=0.25,
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
REAL = jax.random.uniform(jax.random.key(1), (6, 4, 4, 1))
FAKE = jax.random.uniform(jax.random.key(2), (6, 4, 4, 1))
CODES = Codes(jnp.array([[0, 1], [1, 0], [2, 1], [0, 0], [1, 1], [2, 0]]), jnp.linspace(-1.0, 1.0, 6)[:, None])
MODE = training(jax.random.key(7), 6)


class TestContract(contract.Suite):
    case = contract.Case(
        infogan,
        TINY,
        unreached=(
            # A constant before batch normalisation is taken out by its mean.
            "['discriminator']['Dense_0']['bias']",
            "['generator']['Dense_0']['bias']",
        ),
        inert=UNREGULARIZED,
        refused=WITH_BATCH_STATISTICS,
    )


def test_the_codes_bound_counts_in_both_players_losses_and_real_images_have_no_codes():
    """Each loss less the one without weights is -lambda_1 L_I of the categorical codes - lambda_2 of the others."""
    free = dataclasses.replace(TINY, categorical_weight=0.0, continuous_weight=0.0)
    state = TestContract.init()
    latents = TINY.codes.latents(CODES, jax.random.uniform(jax.random.key(3), (6, 2)))

    @functools.partial(jax.jit, static_argnums=0)
    def losses(config, real):
        opponent = state.discriminator.variables
        of_d, _ = infogan.discriminator_loss(config, opponent, real, FAKE, CODES, MODE)
        of_g, (metrics, _) = infogan.generator_loss(config, state.generator.variables, opponent, real, latents, MODE)
        (_, outputs), _ = infogan.two_headed(config.discriminator, config.codes.outputs)(opponent, FAKE, MODE)
        _, bounds = infogan.information_loss(config, config.codes.predicted(outputs), CODES)
        return jnp.stack([of_d, of_g]), metrics, bounds

    with_codes, metrics, of_fakes = losses(TINY, REAL)
    without, *_ = losses(free, REAL)
    bounds = [
        0.5 * found["categorical_information"] + 0.25 * found["continuous_information"] for found in (of_fakes, metrics)
    ]
    np.testing.assert_allclose(with_codes - without, -jnp.stack(bounds), atol=1e-5)
    others, other_metrics, _ = losses(TINY, 1.0 - REAL)
    np.testing.assert_allclose(others - losses(free, 1.0 - REAL)[0], -jnp.stack(bounds), atol=1e-5)
    assert other_metrics["categorical_information"] == metrics["categorical_information"]


def test_the_bound_of_the_metrics_is_in_nats_and_is_not_weighted():
    predicted = compiled(infogan.predict_codes, TINY)(TestContract.init(), FAKE)
    _, metrics = infogan.information_loss(TINY, predicted, CODES)
    q = [
        np.asarray(jax.nn.log_softmax(logits))[np.arange(6), CODES.categorical[:, i]]
        for i, logits in enumerate(predicted.logits)
    ]
    assert metrics["categorical_information"] == pytest.approx(np.log(6.0) + (q[0] + q[1]).mean(), rel=1e-4)


def by_hand(config, state, batch, key):
    """The discriminator's and the generator's variables after an update."""
    key_fake, key_latents, key_pass, key_generator_pass = jax.random.split(key, 4)
    latents, mode = config.prior.draw(key_fake, 6), training(key_pass, 6)
    fake, _ = infogan.generate(config, state.generator.variables, latents, mode=mode)
    inputs = batch, fake, config.codes.codes_of(latents), mode
    loss = functools.partial(infogan.discriminator_loss, config)
    discriminator, *_ = stepped(state.discriminator.variables, loss, 0.05, *inputs)
    inputs = discriminator, batch, config.prior.draw(key_latents, 6), training(key_generator_pass, 6)
    loss = functools.partial(infogan.generator_loss, config)
    return discriminator, stepped(state.generator.variables, loss, 0.05, *inputs)[0]


def test_update_is_a_step_of_each_player_done_by_hand():
    """Each step has codes of its own, and those of which the images at hand were made."""
    config = contract.with_sgd(TINY, 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    found, _ = compiled(infogan.update, config)(state, REAL, key)
    wanted = compiled(by_hand, config)(state, REAL, key)
    assert_close((found.discriminator.variables, found.generator.variables), wanted)


def test_samples_are_of_latents_of_the_prior_with_the_first_code_in_turn_or_as_told():
    state, key = TestContract.init(), jax.random.key(0)
    latents, wanted = TINY.prior.draw(key, 7), jnp.arange(7, dtype=jnp.int32) % 3
    assert latents.shape == (7, 1 + 3 + 2 + 2) and isinstance(infogan, CodePredictor)
    sample = jax.jit(lambda state, condition: infogan.sample(TINY, state, key, 7, condition))
    for told, classes in ((None, wanted), (2 - wanted, 2 - wanted)):
        units = np.array(latents)
        units[:, 1:4] = np.eye(3)[classes]
        found = compiled(infogan.from_latents, TINY)(state, jnp.asarray(units))
        np.testing.assert_allclose(sample(state, told), found, atol=1e-6)


def test_predicted_codes_are_qs_with_running_statistics():
    """What Q says of an image does not depend on what stands beside it."""
    state = TestContract.init()
    together = compiled(infogan.predict_codes, TINY)(state, FAKE)
    alone = compiled(infogan.predict_codes, TINY)(state, FAKE[:1])
    np.testing.assert_allclose(alone.logits[0], together.logits[0][:1], atol=1e-6)
    assert [logits.shape for logits in together.logits] == [(6, 3), (6, 2)]


def test_default_networks_have_the_papers_parameter_counts():
    """G; and the trunk, D's head and Q of 10 + 2 x 2 outputs."""
    state = jax.eval_shape(lambda: infogan.init(infogan.Config(), jax.random.key(0)))
    assert count(state.generator.params) == 6_652_481
    assert count(state.discriminator.params) == 6_558_144 + 1_025 + 133_262


@pytest.mark.parametrize(("setting", "value"), [("categorical_weight", -1.0), ("continuous_weight", -1.0)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})
