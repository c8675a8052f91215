"""DiscoGAN: its losses by hand, its order of steps, and the contract."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Unpaired
from jaxgen.mode import Mode
from jaxgen.nets.discogan import DiscoGANDiscriminator, DiscoGANTranslator
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.ramps import Jump
from jaxgen.train_state import apply
from jaxgen.translation import discogan
from jaxgen.translation.cycles import Both, forth
from tests import contract

ADAM = Optimizer(1e-3, Adam(b1=0.5))
TINY = discogan.Config(
    image_shape=(16, 16, 1),
    generator=DiscoGANTranslator(channels=2, downs=2),
    discriminator=DiscoGANDiscriminator(channels=2, downs=2),
    rate=Jump(0.25, 0.5, 1),
    generator_steps=1,
    generator_optimizer=ADAM,
    discriminator_optimizer=ADAM,
)
IMAGES = Both(*(jax.random.uniform(jax.random.key(seed), (4, 16, 16, 1)) for seed in (1, 2)))
MODE = Mode(keys=jax.random.split(jax.random.key(3), 4), step=jnp.int32(0), train=True)


NOISY = dataclasses.replace(TINY, discriminator=InstanceNoise(TINY.discriminator, std=0.1))
"""The contract wants an update that depends on its key; DiscoGAN itself has no noise."""


class TestContract(contract.Suite):
    case = contract.Case(
        discogan, NOISY, without_noise=True, refused=("image_shape", "discriminator.discriminator.downs")
    )


@pytest.fixture(scope="module")
def state():
    return jax.jit(discogan.init, static_argnums=0)(TINY, jax.random.key(0))


def test_matching_is_zero_where_the_means_of_the_batch_agree():
    """A permuted batch has the same means, and so have other maps of the same mean."""
    maps = jax.random.normal(jax.random.key(4), (4, 3, 3, 2))
    np.testing.assert_allclose(discogan.matching((maps,), (maps[::-1],)), 0.0, atol=1e-12)
    spread = maps.mean(axis=0)[None] + jnp.array([2.0, -2.0, 5.0, -5.0])[:, None, None, None]
    np.testing.assert_allclose(discogan.matching((maps,), (spread,)), 0.0, atol=1e-12)
    assert discogan.matching((maps,), (maps + 1.0,)) > 0.5


def test_matching_is_the_mean_square_of_differences_of_means_summed_over_layers():
    real = tuple(jax.random.normal(jax.random.key(seed), (4, side, side, 2)) for seed, side in ((5, 3), (6, 2)))
    fake = tuple(2.0 * maps + 1.0 for maps in real)
    pairs = [
        (np.asarray(one, np.float64), np.asarray(other, np.float64)) for one, other in zip(real, fake, strict=True)
    ]
    wanted = sum(((one.mean(0) - other.mean(0)) ** 2).mean() for one, other in pairs)
    np.testing.assert_allclose(discogan.matching(real, fake), wanted, rtol=1e-5)


def test_devices_match_the_means_of_the_whole_batch():
    real, fake = jax.random.normal(jax.random.key(7), (2, 4, 3, 3, 2))
    shared = jax.vmap(lambda *each: discogan.matching(*each, "i"), axis_name="i")
    found = shared(real.reshape(2, 2, 3, 3, 2), fake.reshape(2, 2, 3, 3, 2))
    np.testing.assert_allclose(found, [discogan.matching(real, fake)] * 2, rtol=1e-5)


def outputs(state, part, images):
    return apply(TINY.discriminator, state.discriminator.variables, images, (), mode=MODE, part=part)[0]


def test_the_discriminators_pay_half_of_both_cross_entropies(state):
    fakes = Both(1.0 - IMAGES.b, IMAGES.a**2)
    loss, _ = discogan.discriminator_loss(TINY, state.discriminator.variables, IMAGES, fakes, MODE)
    wanted = 0.0
    for part, real, fake in zip(Both._fields, IMAGES, fakes, strict=True):
        (real, _), (fake, _) = outputs(state, part, real), outputs(state, part, fake)
        wanted += (jax.nn.softplus(-real).mean() + jax.nn.softplus(fake).mean()) / 2
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)


def test_the_generators_weigh_fakes_and_matching_against_the_cycle_by_the_rate_of_the_step(state):
    variables = state.generator.variables, state.discriminator.variables
    loss = jax.jit(lambda step: discogan.generator_loss(TINY, *variables, IMAGES, MODE.replace(step=step)))
    for step, rate in ((0, 0.25), (1, 0.5), (7, 0.5)):
        value, (metrics, _) = loss(jnp.int32(step))
        assert metrics["rate"] == rate
        won = 0.1 * metrics["generator_loss"] + 0.9 * metrics["feature_matching"]
        np.testing.assert_allclose(value, (1 - rate) * won + rate * metrics["cycle"], rtol=1e-5)


@pytest.mark.exhaustive
def test_the_discriminators_take_the_first_minibatch_and_the_generators_the_others(state):
    config = dataclasses.replace(TINY, generator_steps=2)
    factors = jnp.tile(jnp.array([1.0, 0.5, 0.25]), 4)[:, None, None, None]  # of the three minibatches
    batch = Unpaired(*(jnp.repeat(images, 3, axis=0) * factors for images in IMAGES))
    after, metrics = jax.jit(discogan.update, static_argnums=0)(config, state, batch, jax.random.key(0))
    assert after.discriminator.step == 1 and after.generator.step == 2
    fakes, _ = forth(config, state.generator.variables, IMAGES, MODE)
    loss, _ = discogan.discriminator_loss(config, state.discriminator.variables, IMAGES, fakes, MODE)
    np.testing.assert_allclose(metrics["discriminator_loss"], loss, rtol=1e-4)
    assert config.minibatches == 3
