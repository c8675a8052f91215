import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import ali
from jaxgen.losses.divergences import jensen_shannon_divergence
from jaxgen.mode import EVALUATION
from jaxgen.moving_averages import Exponential
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal, Uniform
from tests import contract
from tests.gans.games import assert_close, compiled, count, stepped, training

TINY = ali.Config(
    image_shape=(4, 4, 1),
    prior=Normal(3),
    generator=MLP((6,), norm="batch", affine=False),
    encoder=MLP((6,), norm="batch", affine=False),
    discriminator=ConcatCondition(MLP((6,), negative_slope=0.2)),
    generator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    discriminator_optimizer=Optimizer(1e-3, Adam(b1=0.5)),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
REAL = jax.random.uniform(jax.random.key(1), (6, 4, 4, 1))
LATENTS, NOISE = jax.random.normal(jax.random.key(2), (2, 6, 3))
DRAWS = ali.Draws(LATENTS, NOISE)


class TestContract(contract.Suite):
    case = contract.Case(ali, TINY, answers=())  # both step at once


def bigan_mlp(**settings):
    return MLP((1024, 1024), norm="batch", affine=False, **settings)


def test_parameter_counts_of_bigan_for_mnist_are_those_of_the_reference():
    config = ali.Config(
        image_shape=(28, 28, 1),
        prior=Uniform(50),
        stochastic=False,
        generator=bigan_mlp(),
        encoder=bigan_mlp(negative_slope=0.2),
        discriminator=ConcatCondition(bigan_mlp(negative_slope=0.2)),
    )
    state = jax.eval_shape(functools.partial(ali.init, config), jax.random.key(0))
    assert {name: count(tree) for name, tree in state.generator.params.items()} == dict.fromkeys(
        ("generator", "encoder"), 1_902_592
    )
    assert count(state.discriminator.params) == 1_903_616


@pytest.mark.parametrize("joint", [False, True])
def test_an_offset_of_all_fakes_shows_in_one_batch_with_real_images_alone(joint):
    """Batch norm of fakes alone takes away what all of them have in common: edges of digits could have any shade."""
    critic = ConcatCondition(MLP((6,), norm="batch", affine=False))
    config = dataclasses.replace(TINY, discriminator=critic, joint=joint)
    state = ali.init(config, jax.random.key(0))
    of_data, of_prior = ali.Pairs(REAL, LATENTS), ali.Pairs(0.5 * REAL, LATENTS)

    def loss(shift):
        fakes = of_prior._replace(images=of_prior.images + shift)
        return ali.discriminator_loss(
            config, state.discriminator.variables, of_data, fakes, training(jax.random.key(5), 6)
        )[0]

    assert (abs(float(loss(0.2) - loss(0.0))) > 1e-3) == joint


class Table(nn.Module):
    """A logit for each pair of an image and a latent, both rows of the unit matrix."""

    @nn.compact
    def __call__(self, images, latents, output_shape=(), *, mode=EVALUATION):
        table = self.param("table", nn.initializers.zeros, (3, 3))
        return jnp.einsum("bi,ij,bj->b", images, table, latents)


OF_DATA, OF_PRIOR = np.array([[4, 1, 1], [0, 3, 1], [2, 0, 0]]), np.array([[1, 1, 4], [2, 2, 0], [0, 1, 1]])


def of_table(counts):
    """Pairs in the shares of a table, as a batch."""
    places = np.repeat(np.argwhere(counts > 0), counts[counts > 0], axis=0)
    images, latents = (jnp.eye(3)[column] for column in places.T)
    return ali.Pairs(images, latents)


def test_the_best_discriminators_value_is_twice_the_divergence_of_the_joint_distributions_less_log_4():
    config = dataclasses.replace(TINY, image_shape=(3,), value_range=None, discriminator=Table())
    q, p = (jnp.asarray(table / 12, jnp.float32) for table in (OF_DATA, OF_PRIOR))
    best = jnp.log(jnp.maximum(q, 1e-30)) - jnp.log(jnp.maximum(p, 1e-30))
    inputs = of_table(OF_DATA), of_table(OF_PRIOR), training(jax.random.key(0), 12)

    def value(table):
        return -ali.discriminator_loss(config, {"params": {"table": table}}, *inputs)[0]

    found, slope = jax.value_and_grad(value)(best)
    divergence = float(jensen_shannon_divergence(q.ravel(), p.ravel()))
    assert found == pytest.approx(2 * divergence - np.log(4), abs=1e-5)
    np.testing.assert_allclose(slope, np.zeros((3, 3)), atol=1e-6)
    assert value(0.9 * best) < found and value(best + 0.1) < found
    assert value(jnp.zeros((3, 3))) == pytest.approx(-np.log(4))


def test_generator_and_encoder_pay_for_both_kinds_of_pairs_with_exchanged_labels():
    state, mode = TestContract.init(), training(jax.random.key(3), 6)
    inputs = state.generator.variables, state.discriminator.variables, REAL, DRAWS, mode
    loss, _ = ali.generator_loss(TINY, *inputs)
    pairs, _ = ali.pairs_of_both(TINY, state.generator.variables, REAL, DRAWS, mode)
    l_q, l_p = (
        TINY.discriminator.apply(state.discriminator.variables, *pair, (), mode=mode) for pair in pairs
    )  # without batch statistics or dropout
    wanted = -np.log(jax.nn.sigmoid(l_p)) - np.log(1 - jax.nn.sigmoid(l_q))
    assert loss == pytest.approx(wanted.mean(), rel=1e-5)


def test_the_encoder_draws_from_its_gaussian_and_gives_the_mean_without_noise():
    variables = TestContract.init().generator.variables
    outputs, _ = ali.apply(TINY.encoder, variables, REAL, (6,), part="encoder")
    found, _ = ali.encode(TINY, variables, REAL, NOISE)
    np.testing.assert_allclose(found, outputs[:, :3] + np.exp(outputs[:, 3:] / 2) * NOISE, rtol=1e-5)
    np.testing.assert_array_equal(ali.encode(TINY, variables, REAL)[0], outputs[:, :3])


def test_a_bidirectional_gan_has_an_encoder_without_noise():
    config = dataclasses.replace(TINY, stochastic=False)
    variables = TestContract.init(config).generator.variables
    found = [ali.encode(config, variables, REAL, noise)[0] for noise in (None, NOISE)]
    np.testing.assert_array_equal(*found)
    assert found[0].shape == (6, 3)


def by_hand(config, state, real, key):
    """Both players' variables after steps from the same state, with the same latents, noise and keys."""
    key_latents, key_noise, key_pass = jax.random.split(key, 3)
    noise = jax.vmap(lambda one: jax.random.normal(one, (3,)))(training(key_noise, 6).keys)
    draws = ali.Draws(config.prior.draw(key_latents, 6), noise)
    mode = training(key_pass, 6)
    pairs, _ = ali.pairs_of_both(config, state.generator.variables, real, draws, mode)
    loss = functools.partial(ali.discriminator_loss, config)
    discriminator, *_ = stepped(state.discriminator.variables, loss, 0.05, *pairs, mode)
    loss, inputs = functools.partial(ali.generator_loss, config), (state.discriminator.variables, real, draws, mode)
    return discriminator, stepped(state.generator.variables, loss, 0.05, *inputs)[0]


def test_update_is_a_step_of_both_players_from_the_state_before():
    config = contract.with_sgd(TINY, 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    found, metrics = compiled(ali.update, config)(state, REAL, key)
    wanted = compiled(by_hand, config)(state, REAL, key)
    assert_close((found.discriminator.variables, found.generator.variables), wanted)
    assert {"discriminator_loss", "generator_loss", "diversity", "real_certainty"} <= metrics.keys()


def test_an_image_is_scored_with_its_own_latent():
    state = TestContract.init()
    latents = ali.to_latents(TINY, state, REAL)  # nothing has moved: the average is the encoder
    wanted = TINY.discriminator.apply(state.discriminator.variables, REAL, latents, ())
    np.testing.assert_allclose(ali.discriminate(TINY, state, REAL), wanted, rtol=1e-5)


def test_samples_and_codes_come_from_the_moving_average():
    state = TestContract.init()
    zeros = state._replace(ema=jax.tree.map(jnp.zeros_like, state.ema))
    np.testing.assert_allclose(ali.sample(TINY, zeros, jax.random.key(0), 3), np.full((3, 4, 4, 1), 0.5))
    np.testing.assert_array_equal(ali.to_latents(TINY, zeros, REAL), np.zeros((6, 3)))
