import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import infogan
from jaxgen.gans.codes import Codes, CodeSettings
from jaxgen.gans.discrimination import Chance
from jaxgen.model import LatentModel
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Uniform
from tests import contract

TINY = infogan.Config(
    image_shape=(4, 4, 1),
    codes=CodeSettings((3, 2), 1, fixed_std=False),
    noise=Uniform(2),
    generator=MLP((8,), norm="batch"),
    discriminator=MLP((8,), norm="batch", negative_slope=0.2),
    categorical_weight=0.5,
    continuous_weight=0.25,
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    ema_decay=0.15,  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
REAL = jax.random.uniform(jax.random.key(1), (6, 4, 4, 1))
FAKE = jax.random.uniform(jax.random.key(2), (6, 4, 4, 1))
CODES = Codes(jnp.array([[0, 1], [1, 0], [2, 1], [0, 0], [1, 1], [2, 0]]), jnp.linspace(-1.0, 1.0, 6)[:, None])
NO_CHANCE = Chance(None, None, None, None, None)


class TestContract(contract.Suite):
    case = contract.Case(
        infogan,
        TINY,
        unreached=(
            # A constant before batch normalisation is taken out by its mean.
            "['discriminator']['Dense_0']['bias']",
            "['generator']['Dense_0']['bias']",
        ),
        inert=("view.noise.end",),  # without noise, as everywhere by default
    )


@functools.cache
def compiled(function, config):
    """One program in place of one for each operation."""
    return jax.jit(functools.partial(function, config))


def test_the_codes_bound_counts_in_both_players_losses_and_real_images_have_no_codes():
    """Each loss less the one without weights is -lambda_1 L_I of the categorical codes - lambda_2 of the others."""
    free = dataclasses.replace(TINY, categorical_weight=0.0, continuous_weight=0.0)
    state = TestContract.init()
    latents = TINY.codes.latents(CODES, jax.random.uniform(jax.random.key(3), (6, 2)))

    @functools.partial(jax.jit, static_argnums=0)
    def losses(config, real):
        parts = state.discriminator.params, state.discriminator.collections
        of_d, _ = infogan.discriminator_loss(config, *parts, real, FAKE, CODES, NO_CHANCE)
        generator = state.generator.params, state.generator.collections, state.discriminator
        of_g, (metrics, _) = infogan.generator_loss(config, *generator, latents, CODES, real, NO_CHANCE)
        (_, belief), _ = infogan.judge(config, *parts, FAKE)
        return jnp.stack([of_d, of_g]), metrics, infogan.information_loss(config, belief, CODES)

    with_codes, metrics, (_, of_fakes) = losses(TINY, REAL)
    without, *_ = losses(free, REAL)
    bounds = [
        0.5 * found["categorical_information"] + 0.25 * found["continuous_information"] for found in (of_fakes, metrics)
    ]
    np.testing.assert_allclose(with_codes - without, -jnp.stack(bounds), atol=1e-5)
    others, other_metrics, _ = losses(TINY, 1.0 - REAL)
    np.testing.assert_allclose(others - losses(free, 1.0 - REAL)[0], -jnp.stack(bounds), atol=1e-5)
    assert other_metrics["categorical_information"] == metrics["categorical_information"]


def test_the_bound_of_the_metrics_is_in_nats_and_is_not_weighted():
    state = TestContract.init()
    (_, belief), _ = compiled(infogan.judge, TINY)(state.discriminator.params, state.discriminator.collections, FAKE)
    _, metrics = infogan.information_loss(TINY, belief, CODES)
    q = [
        np.asarray(jax.nn.log_softmax(logits))[np.arange(6), CODES.categorical[:, i]]
        for i, logits in enumerate(belief.logits)
    ]
    assert metrics["categorical_information"] == pytest.approx(np.log(6.0) + (q[0] + q[1]).mean(), rel=1e-4)


def test_samples_have_the_first_code_in_turn_and_are_made_of_draw_latents():
    state = TestContract.init()
    latents = infogan.draw_latents(TINY, jax.random.key(0), 7)
    np.testing.assert_array_equal(latents[:, 1:4].argmax(axis=1), np.arange(7) % 3)
    assert latents.shape == (7, 1 + 3 + 2 + 2) and isinstance(infogan, LatentModel)
    sample = jax.jit(lambda state: infogan.sample(TINY, state, jax.random.key(0), 7))
    np.testing.assert_allclose(sample(state), compiled(infogan.from_latents, TINY)(state, latents), atol=1e-6)


def test_infer_is_q_at_rest():
    """An image's belief does not depend on what stands beside it."""
    state = TestContract.init()
    together = compiled(infogan.infer, TINY)(state, FAKE)
    alone = compiled(infogan.infer, TINY)(state, FAKE[:1])
    np.testing.assert_allclose(alone.logits[0], together.logits[0][:1], atol=1e-6)
    assert [logits.shape for logits in together.logits] == [(6, 3), (6, 2)]


def test_default_networks_have_the_papers_parameter_counts():
    """G; and the trunk, D's head and Q of 10 + 2 x 2 outputs."""
    state = jax.eval_shape(lambda: infogan.init(infogan.Config(), jax.random.key(0)))
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))  # noqa: E731
    assert count(state.generator.params) == 6_652_481
    assert count(state.discriminator.params) == 6_558_144 + 1_025 + 133_262


@pytest.mark.parametrize(
    ("setting", "value"), [("categorical_weight", -1.0), ("continuous_weight", -1.0), ("ema_decay", 1.0)]
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})
