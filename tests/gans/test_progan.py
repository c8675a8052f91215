import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import progan
from jaxgen.gans.growing import Growth, Resolution
from jaxgen.mode import EVALUATION, Mode
from jaxgen.moving_averages import Constant
from jaxgen.nets.convolution import mean_pool, upsample_nearest
from jaxgen.nets.mlp import MLP
from jaxgen.nets.progan import ProGANDiscriminator, ProGANGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from tests import contract
from tests.gans.games import assert_close, compiled, count, stepped, training

NETS = {"base": 8, "maximum": 3, "smallest": 4}
TINY = progan.Config(  # 8x8 fades in from the first update on
    image_shape=(8, 8, 1),
    prior=Normal(3),
    generator=ProGANGenerator(**NETS),
    discriminator=ProGANDiscriminator(**NETS),
    growth=Growth(first=4, stabilise=0, fade=6, batch_sizes=(2,)),
    resolution=Resolution(0, fading=True),
    average=Constant(0.15),
)


INERT = ("generator.base", "discriminator.base", "discriminator.group")
"""The maximum holds at every size; eight examples are in groups of four, of five as well."""


class TestContract(contract.Suite):
    case = contract.Case(
        progan,
        TINY,
        inert=INERT,
        refused=("image_shape", "growth.first", "resolution.halvings", "generator.smallest", "discriminator.smallest"),
    )


@pytest.mark.exhaustive
class TestGrownContract(contract.Suite):
    """At full size, nothing fading."""

    case = contract.Case(
        progan,
        dataclasses.replace(TINY, resolution=Resolution()),
        unreached=(  # used at the smaller size alone
            "['discriminator']['from_rgb_0']['bias']",
            "['discriminator']['from_rgb_0']['kernel']",
            "['generator']['to_rgb_0']['bias']",
            "['generator']['to_rgb_0']['kernel']",
        ),
        inert=INERT,
        refused=("image_shape", "growth.first", "generator.smallest", "discriminator.smallest"),
    )


SMALL = dataclasses.replace(  # 4x4 for two updates, fades in until the fifth, full size
    TINY, growth=Growth(first=4, stabilise=4, fade=6, batch_sizes=(2,)), resolution=Resolution()
)
IMAGES = jax.random.uniform(jax.random.key(7), (8, 8, 8, 1), minval=-1.0)


class Bowl(nn.Module):
    """|x|^2 / 2, whose slope is x."""

    @nn.compact
    def __call__(self, images, output_shape, alpha=None, *, mode=EVALUATION):
        scale = self.param("scale", nn.initializers.ones, ())
        return scale * 0.5 * (images**2).reshape(len(images), -1).sum(1)


def at(step, config=SMALL):
    """The config of the stage at a step, and the fresh state with that count of updates."""
    state, steps = TestContract.init(config), jnp.int32(step)
    players = {name: getattr(state, name).replace(step=steps) for name in ("generator", "discriminator")}
    return config.stage(step).config, state._replace(**players)


def test_losses_are_equations_1_and_2_written_out():
    """D(x) = |x|^2 / 2 has slope |x|: with u = 1 that of the real image, with u = 0 that of the fake."""
    config = dataclasses.replace(SMALL, discriminator=Bowl(), slope=2.0, penalty_weight=3.0, drift=0.5)
    real, fake = IMAGES[:4], IMAGES[4:]
    squares = [(np.asarray(x, np.float64).reshape(4, -1) ** 2).sum(1) for x in (real, fake)]
    state = TestContract.init(config)
    for mix, ends in ((1.0, squares[0]), (0.0, squares[1])):
        inputs = real, fake, jnp.full(4, mix), Mode(train=True)
        loss, (metrics, _) = compiled(progan.discriminator_loss, config)(state.discriminator.variables, *inputs)
        penalty = ((np.sqrt(ends) - 2) ** 2).mean() / 2**2
        difference, drift = (squares[1] - squares[0]).mean() / 2, (squares[0] ** 2).mean() / 4
        assert loss == pytest.approx(difference + 3 * penalty + 0.5 * drift, rel=1e-5)
        assert metrics["gradient_penalty"] == pytest.approx(penalty, rel=1e-5)
        assert metrics["wasserstein_estimate"] == pytest.approx(-difference, rel=1e-5)
        assert metrics["drift"] == pytest.approx(drift, rel=1e-5)
    latents = jax.random.normal(jax.random.key(1), (4, 3))
    inputs = state.generator.variables, state.discriminator.variables, latents, Mode(train=True)
    loss, _ = compiled(progan.generator_loss, config)(*inputs)
    images, _ = progan.generate(config, state.generator.variables, latents)
    assert loss == pytest.approx(-(np.asarray(images) ** 2).sum() / 8, rel=1e-5)


@pytest.mark.exhaustive
def test_the_slope_is_that_in_images_of_full_size():
    """D of the mean over blocks, differentiated in the full image, as the authors' networks are built."""
    config, state = at(0)
    real, fake = (mean_pool(images) for images in (IMAGES[:4], IMAGES[4:]))
    inputs = real, fake, jnp.ones(4), Mode(train=True)
    variables = state.discriminator.variables
    _, (metrics, _) = compiled(progan.discriminator_loss, config)(variables, *inputs)

    def total(images):
        return config.discriminator.apply(variables, mean_pool(images), ()).sum()

    slopes = np.asarray(jax.grad(total)(upsample_nearest(real))).reshape(4, -1)
    assert metrics["gradient_penalty"] == pytest.approx(((np.linalg.norm(slopes, axis=1) - 1) ** 2).mean(), rel=1e-4)


@pytest.mark.exhaustive
def test_update_is_a_step_of_each_player_done_by_hand_in_the_middle_of_a_fade():
    config, state = at(3, contract.with_sgd(SMALL, 0.05))
    state = state._replace(ema=jax.tree.map(jnp.zeros_like, state.ema))
    assert config.resolution == Resolution(0, fading=True)
    key = jax.random.key(2)
    found, _ = compiled(progan.update, config)(state, IMAGES, key)
    key_latents, key_mix, key_generator, *key_passes = jax.random.split(key, 5)
    alpha = 1 / 3  # one of three updates of the fade is over
    real = alpha * IMAGES + (1 - alpha) * upsample_nearest(mean_pool(IMAGES))
    mix = jax.vmap(lambda i: jax.random.uniform(jax.random.fold_in(key_mix, i)))(jnp.arange(8))
    modes = [training(key, 8, step=3) for key in key_passes]

    @jax.jit
    def by_hand(state):
        fake, _ = progan.generate(config, state.generator.variables, config.prior.draw(key_latents, 8), modes[0])
        loss = functools.partial(progan.discriminator_loss, config)
        inputs = real, fake, mix, modes[0]
        discriminator, *_ = stepped(state.discriminator.variables, loss, 0.05, *inputs)
        loss = functools.partial(progan.generator_loss, config)
        inputs = discriminator, config.prior.draw(key_generator, 8), modes[1]
        return stepped(state.generator.variables, loss, 0.05, *inputs)[0], discriminator

    generator, discriminator = by_hand(state)
    assert_close((found.generator.variables, found.discriminator.variables), (generator, discriminator))
    assert_close(found.ema, jax.tree.map(lambda leaf: 0.85 * leaf, generator))


def test_images_are_functions_of_the_direction_of_their_latent_at_full_size_and_clipped():
    latents = 50 * jax.random.normal(jax.random.key(2), (4, 3))
    for step, block in ((0, 2), (3, 1), (5, 1)):
        config, state = at(step)
        state = state._replace(ema=jax.tree.map(lambda leaf: 5 * leaf, state.ema))
        draw = compiled(progan.from_latents, config)
        images = draw(state, latents)
        assert images.shape == (4, 8, 8, 1) and images.min() == -1.0 and images.max() == 1.0
        np.testing.assert_allclose(draw(state, 0.1 * latents), images, atol=1e-4)
        np.testing.assert_allclose(upsample_nearest(mean_pool(images, block), block), images, atol=1e-6)


def test_the_first_image_of_a_fade_is_the_last_one_of_the_smaller_size_and_the_last_one_is_nearly_the_larger():
    latents = jax.random.normal(jax.random.key(2), (4, 3))
    images = {step: compiled(progan.from_latents, (made := at(step))[0])(made[1], latents) for step in (1, 2, 3, 4, 5)}
    np.testing.assert_allclose(images[2], images[1], atol=1e-6)
    for step, alpha in ((3, 1 / 3), (4, 2 / 3)):
        wanted = alpha * np.asarray(images[5]) + (1 - alpha) * np.asarray(images[1])
        np.testing.assert_allclose(images[step], wanted, atol=1e-5)
    assert np.abs(images[5] - images[1]).max() > 0.01


def test_scores_of_full_images_are_those_of_what_the_stage_shows_of_them():
    for step, alpha in ((1, 0.0), (3, 1 / 3), (5, 1.0)):
        config, state = at(step)
        small = upsample_nearest(mean_pool(IMAGES))
        shown = mean_pool(IMAGES) if step == 1 else alpha * IMAGES + (1 - alpha) * small
        share = jnp.float32(alpha) if step == 3 else None
        wanted = config.discriminator.apply(state.discriminator.variables, shown, (), share)
        np.testing.assert_allclose(progan.discriminate(config, state, IMAGES), wanted, atol=1e-5)


def test_the_default_is_the_papers_at_1024x1024():
    """23.1 million parameters each, colour layers of all sizes; 800,000 images a stage."""
    config = progan.Config()
    state = jax.eval_shape(lambda: progan.init(config, jax.random.key(0)))
    assert (count(state.generator.params), count(state.discriminator.params)) == (23_079_115, 23_087_249)
    assert (config.penalty_weight, config.slope, config.drift) == (10.0, 1.0, 0.001)
    assert config.generator_optimizer == config.discriminator_optimizer == Optimizer(1e-3, Adam(0.0, 0.99, 1e-8))
    assert config.average == Constant(0.999) and config.prior == Normal(512)
    assert config.growth == Growth(4, 800_000, 800_000, (16,), (1.0,)) and config.minibatches == 1
    assert config.stage(0).config.resolution == Resolution(8) and config.stage(10**9).config == config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"growth": Growth(first=3)}, "height of images is 8, but must be 3"),
        ({"resolution": Resolution(1, fading=True)}, "resolution.halvings is 1, but must be at most 0"),
        ({"resolution": Resolution(2)}, "resolution.halvings is 2, but must be at most 1"),
        ({"image_shape": (8, 9, 1)}, r"image shape is \(8, 9, 1\), but must be of sides that halve 1 times"),
        ({"discriminator": MLP((4,), norm="batch")}, "scores each example on its own"),
        ({"growth": Growth(first=2)}, "height of images is 2, but must be 4, the smallest map's, doubled some times"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, message):
    config = dataclasses.replace(SMALL, **changes)
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: progan.sample(config.stage(0).config, progan.init(config, KEY), KEY, 2))


KEY = jax.random.key(0)
