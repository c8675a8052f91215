import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import ebgan
from jaxgen.losses import pull_away
from jaxgen.moving_averages import Exponential
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from tests import contract
from tests.gans.games import assert_close, compiled, stepped, training

TINY = ebgan.Config(
    image_shape=(4, 4, 1),
    prior=Normal(3),
    code_dim=3,
    generator=MLP((6,), norm="batch"),
    encoder=MLP((6,), negative_slope=0.2),
    decoder=MLP((5,), negative_slope=0.2),
    margin=4.0,
    pull_away_weight=0.5,
    generator_optimizer=Optimizer(1e-3, Adam()),
    discriminator_optimizer=Optimizer(1e-3, Adam()),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
REAL = jax.random.uniform(jax.random.key(1), (6, 4, 4, 1))


class TestContract(contract.Suite):
    case = contract.Case(
        ebgan,
        TINY,
        # A constant before batch normalisation is taken out by its mean.
        unreached=("['generator']['Dense_0']['bias']",),
    )


def constant_autoencoder(state):
    """Its outputs are 0 before the sigmoid: every reconstruction is grey, 0.5."""
    return jax.tree.map(jnp.zeros_like, state.discriminator.variables)


def test_the_energy_is_the_length_of_the_error_of_each_image():
    variables = constant_autoencoder(TestContract.init())
    (found, codes), _ = ebgan.energies(TINY, variables, REAL)
    wanted = np.linalg.norm((np.asarray(REAL) - 0.5).reshape(6, -1), axis=1)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    np.testing.assert_array_equal(codes, np.zeros((6, 3)))


def test_the_margin_counts_for_each_fake_and_not_for_their_mean():
    """Fakes of energies 1 and 40 with a margin of 4: (3 + 0) / 2."""
    config = dataclasses.replace(TINY, image_shape=(1,), value_range=None)
    variables = jax.tree.map(jnp.zeros_like, ebgan.init(config, jax.random.key(0)).discriminator.variables)
    real, fake = jnp.array([[0.5], [1.5]]), jnp.array([[1.0], [-40.0]])
    loss, (metrics, _) = ebgan.discriminator_loss(config, variables, real, fake, training(jax.random.key(0), 2))
    assert loss == pytest.approx(1.0 + 1.5)
    assert metrics["real_energy"] == pytest.approx(1.0) and metrics["fake_energy"] == pytest.approx(20.5)


def test_the_generators_gradient_flows_through_the_target_of_the_reconstruction():
    """Where the autoencoder is constant, the energy has the slope of a distance: of length 1 in each image."""
    variables = constant_autoencoder(TestContract.init())
    slope = jax.grad(lambda images: ebgan.energies(TINY, variables, images)[0][0].sum())(REAL)
    np.testing.assert_allclose(np.linalg.norm(slope.reshape(6, -1), axis=1), np.ones(6), rtol=1e-5)


def test_the_generator_pays_for_codes_of_one_direction():
    state, mode = TestContract.init(), training(jax.random.key(3), 6)
    latents = TINY.prior.draw(jax.random.key(2), 6)
    inputs = state.generator.variables, state.discriminator.variables, latents, mode
    loss, (metrics, _) = ebgan.generator_loss(TINY, *inputs)
    plain, (logged, _) = ebgan.generator_loss(dataclasses.replace(TINY, pull_away_weight=0.0), *inputs)
    fake, _ = ebgan.generate(TINY, state.generator.variables, latents, mode=mode)
    (found, codes), _ = ebgan.energies(TINY, state.discriminator.variables, fake)
    assert plain == pytest.approx(float(found.mean()), rel=1e-5) and "pull_away" not in logged
    assert metrics["pull_away"] == pytest.approx(float(pull_away(codes)), rel=1e-5)
    assert loss - plain == pytest.approx(0.5 * float(metrics["pull_away"]), rel=1e-4)


def by_hand(config, state, real, key):
    """Both players' variables after a step of D, then one of G, each with latents of its own."""
    key_latents, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    latents, mode = config.prior.draw(key_latents, 6), training(key_pass, 6)
    fake, _ = ebgan.generate(config, state.generator.variables, latents, mode=mode)
    loss = functools.partial(ebgan.discriminator_loss, config)
    discriminator, *_ = stepped(state.discriminator.variables, loss, 0.05, real, fake, mode)
    inputs = discriminator, config.prior.draw(key_generator, 6), training(key_generator_pass, 6)
    loss = functools.partial(ebgan.generator_loss, config)
    return discriminator, stepped(state.generator.variables, loss, 0.05, *inputs)[0]


def test_update_is_a_step_of_each_player_written_out():
    config = contract.with_sgd(TINY, 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    found, metrics = compiled(ebgan.update, config)(state, REAL, key)
    wanted = compiled(by_hand, config)(state, REAL, key)
    assert_close((found.discriminator.variables, found.generator.variables), wanted)
    assert {"discriminator_loss", "generator_loss", "pull_away", "diversity", "real_certainty"} <= metrics.keys()


def test_the_term_sees_the_codes_of_all_devices():
    state = TestContract.init()
    generator, discriminator = state.generator.variables, state.discriminator.variables
    latents, mode = TINY.prior.draw(jax.random.key(2), 8), training(jax.random.key(3), 8)
    wanted = ebgan.generator_loss(TINY, generator, discriminator, latents, mode)[1][0]["pull_away"]

    def of_share(latents, keys):
        shared = mode.with_keys(keys).replace(axis_name="i")
        return ebgan.generator_loss(TINY, generator, discriminator, latents, shared)[1][0]["pull_away"]

    keys = mode.keys.reshape(4, 2)
    found = jax.jit(jax.vmap(of_share, axis_name="i"))(latents.reshape(4, 2, -1), keys)
    np.testing.assert_allclose(found, np.full(4, wanted), rtol=1e-4)


def test_scores_are_energies():
    state = TestContract.init()
    np.testing.assert_allclose(
        ebgan.discriminate(TINY, state, REAL), ebgan.energies(TINY, state.discriminator.variables, REAL)[0][0]
    )


@pytest.mark.parametrize(("setting", "value"), [("margin", 0.0), ("pull_away_weight", -1.0), ("code_dim", 0)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        dataclasses.replace(TINY, **{setting: value})


def test_one_fake_on_all_devices_has_no_neighbour():
    with pytest.raises(ValueError, match="two examples"):
        jax.eval_shape(functools.partial(ebgan.update, TINY), TestContract.init(), REAL[:1], jax.random.key(0))


def test_usual_networks_are_mlps_of_the_papers_search():
    config = ebgan.Config()
    found = [net.features for net in (config.generator, config.encoder, config.decoder)]  # pyright: ignore[reportAttributeAccessIssue]
    assert found == [(800, 800), (512,), (512,)]
