"""LAPGAN: an exact pyramid, levels that learn apart, an update by hand, and the contract."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import lapgan
from jaxgen.moving_averages import Exponential
from jaxgen.nets.lapgan import BandDiscriminator, BandGenerator, DropoutMLP
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import example_keys
from jaxgen.priors import Uniform
from tests import contract
from tests.gans.games import assert_close, compiled, stepped, training

TINY = lapgan.Config(
    image_shape=(8, 8, 1),
    levels=2,
    prior=Uniform(3),
    generator=MLP((6,), norm="batch"),
    discriminator=DropoutMLP((6,), rate=0.3),
    band_generator=BandGenerator(3, layers=1, kernel_size=3),
    band_discriminator=BandDiscriminator(2, kernel_size=3, rate=0.3),
    generator_optimizer=Optimizer(1e-3, Adam()),
    discriminator_optimizer=Optimizer(1e-3, Adam()),
    average=Exponential(0.15),  # below the warm-up's (1 + t) / (10 + t), so that it shows in the first updates
)
REAL = jax.random.uniform(jax.random.key(1), (6, 8, 8, 1), minval=-1.0)
PLAYERS = [f"levels/{level}/{player}" for level in range(2) for player in ("generator", "discriminator")]


class TestContract(contract.Suite):
    case = contract.Case(
        lapgan,
        TINY,
        # A constant before batch normalisation is taken out by its mean.
        unreached=("['levels/0/generator']['Dense_0']['bias']",),
        refused=("image_shape",),  # a height of 9 has no half
        optimizers=tuple((player, f"{player.rpartition('/')[2]}_optimizer") for player in PLAYERS),
    )


@pytest.mark.parametrize(("height", "width", "levels"), [(32, 32, 3), (16, 24, 4), (8, 8, 1)])
def test_nothing_is_lost_in_the_pyramid(height, width, levels):
    config = dataclasses.replace(TINY, image_shape=(height, width, 3), levels=levels)
    images = jax.random.uniform(jax.random.key(2), (2, height, width, 3), minval=-1.0)
    found = lapgan.pyramid(config, images)
    assert [image.shape[1:] for _, image in found] == [lapgan.shape_at(config, level) for level in range(levels)]
    assert found[0][0] is None
    np.testing.assert_allclose(found[-1][1], images, atol=1e-6)


def test_bands_of_the_real_images_draw_them_exactly():
    """Generators that know what is missing."""
    config = dataclasses.replace(TINY, generator=Same(), band_generator=Same(), value_range=None)
    (_, coarsest), (low, image) = lapgan.pyramid(config, REAL)
    levels = tuple(level._replace(ema={}) for level in TestContract.init().levels)
    state = lapgan.State(levels)
    found = lapgan.from_noise(config, state, [coarsest, image - low])
    np.testing.assert_allclose(found[-1], REAL, atol=1e-6)


class Same(MLP):
    """Gives its noise."""

    def __call__(self, inputs, output_shape, *, mode=None):
        return inputs if inputs.shape[1:] == output_shape else inputs[..., -1:]


def by_hand(config, state, real, key):
    """Variables of each player after a step of D, then one of G, of each level."""
    found = []
    for level, (low, images) in enumerate(lapgan.pyramid(config, real)):
        keys = jax.random.split(jax.random.fold_in(key, level), 4)
        adversaries = state.levels[level]
        given = lapgan.Given(lapgan.draw_noise(config, level, keys[0], 6), low)
        mode = training(keys[1], 6)
        fake, _ = lapgan.generate(config, level, adversaries.generator.variables, given, mode)
        loss = functools.partial(lapgan.discriminator_loss, config, level)
        discriminator, *_ = stepped(adversaries.discriminator.variables, loss, 0.05, images, fake, mode)
        given = lapgan.Given(lapgan.draw_noise(config, level, keys[2], 6), low)
        loss = functools.partial(lapgan.generator_loss, config, level)
        inputs = discriminator, (images, given), training(keys[3], 6)
        found.append((stepped(adversaries.generator.variables, loss, 0.05, *inputs)[0], discriminator))
    return found


def test_update_is_a_step_of_each_player_of_each_level_written_out():
    config = contract.with_sgd(TINY, 0.05)
    state, key = TestContract.init(config), jax.random.key(2)
    found, metrics = compiled(lapgan.update, config)(state, REAL, key)
    wanted = compiled(by_hand, config)(state, REAL, key)
    assert_close([(level.generator.variables, level.discriminator.variables) for level in found.levels], wanted)
    names = {f"{name}/{side}" for side in (4, 8) for name in ("discriminator_loss", "generator_loss", "diversity")}
    assert names <= metrics.keys()


def test_a_level_learns_of_real_low_pass_images_whatever_the_coarser_ones_are():
    state, key = TestContract.init(), jax.random.key(2)
    zeros = jax.tree.map(jnp.zeros_like, state.levels[0])
    found, _ = compiled(lapgan.update, TINY)(state, REAL, key)
    other, _ = compiled(lapgan.update, TINY)(state._replace(levels=(zeros, state.levels[1])), REAL, key)
    assert_close(found.levels[1].generator.variables, other.levels[1].generator.variables)


def test_samples_are_made_from_the_coarsest_level_on():
    state, keys = TestContract.init(), example_keys(jax.random.key(3), 4)
    samples = lapgan.sample(TINY, state, keys, 4)
    split = jax.vmap(jax.random.split)(keys)
    noise = [lapgan.draw_noise(TINY, level, split[:, level], 4) for level in range(2)]
    small, large = lapgan.from_noise(TINY, state, noise)
    assert small.shape == (4, 4, 4, 1) and np.abs(small).max() <= 1
    np.testing.assert_allclose(samples, large.clip(-1.0, 1.0), rtol=1e-5, atol=1e-6)
    scores = lapgan.discriminate(TINY, state, samples)
    wanted = TINY.band_discriminator.apply(state.levels[1].discriminator.variables, samples, ())
    np.testing.assert_allclose(scores, wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"levels": 4}, r"image_shape of 4 levels is \(8, 8, 1\), but must be .* multiples of 8 from 16 on"),
        ({"image_shape": (6, 9, 1)}, r"image_shape of 2 levels is \(6, 9, 1\)"),
        ({"image_shape": (8,)}, r"is \(8,\), but must be height, width and channels"),
    ],
)
def test_images_that_cannot_be_halved_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        lapgan.init(dataclasses.replace(TINY, **changes), jax.random.key(0))
    with pytest.raises(ValueError, match="levels is 0, but must be at least 1"):
        dataclasses.replace(TINY, levels=0)
