import dataclasses
import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import stylegan, styles
from jaxgen.gans.growing import Growth, Resolution
from jaxgen.gans.styles import AVERAGES, Drawing
from jaxgen.mode import EVALUATION
from jaxgen.moving_averages import Constant, HalfLife
from jaxgen.nets.convolution import mean_pool, upsample_nearest
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.mlp import MLP
from jaxgen.nets.noise_maps import STRENGTH
from jaxgen.nets.progan import ProGANDiscriminator
from jaxgen.nets.stylegan import StyleGANSynthesis
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from tests import contract
from tests.gans.games import assert_close, compiled, count, stepped, training

NETS = {"base": 8, "maximum": 3, "smallest": 4}
TINY = stylegan.Config(  # 8x8 fades in from the first update on
    image_shape=(8, 8, 1),
    prior=Normal(3),
    mapping=Mapping(layers=1, features=3),
    synthesis=StyleGANSynthesis(**NETS),
    discriminator=ProGANDiscriminator(**NETS, blurred=True),
    growth=Growth(first=4, stabilise=0, fade=6, batch_sizes=(2,)),
    resolution=Resolution(0, fading=True),
    average=Constant(0.15),
    drawing=Drawing(psi=0.7, cutoff=3, random_noise=True),
)


def uneven(state):
    """The state with constants that vary from place to place, and noise that counts.

    The fresh constant is 1: its instance norm has a deviation of 0, and enlarges rounding errors of gradients to 1e4.
    """

    def moved(path, leaf):
        name = path[-1].key if isinstance(path[-1], jax.tree_util.DictKey) else None
        return leaf + jax.random.normal(jax.random.key(1), leaf.shape) if name in ("constant", STRENGTH) else leaf

    generator = jax.tree_util.tree_map_with_path(moved, state.generator)
    return state._replace(generator=generator, ema=generator.variables)


class TestContract(contract.Suite):
    case = contract.Case(
        stylegan,
        TINY,
        inert=("synthesis.base", "discriminator.base", "discriminator.group"),  # the maximum holds; groups of four
        refused=("image_shape", "growth.first", "resolution.halvings", "synthesis.smallest", "discriminator.smallest"),
    )

    @classmethod
    def init(cls, config=None):
        return uneven(super().init(config))


SMALL = dataclasses.replace(  # 4x4 for two updates, fades in until the fifth, full size
    TINY,
    growth=Growth(first=4, stabilise=4, fade=6, batch_sizes=(2,)),
    resolution=Resolution(),
    drawing=Drawing(),
)
IMAGES = jax.random.uniform(jax.random.key(7), (8, 8, 8, 1), minval=-1.0)
LATENTS = jax.random.normal(jax.random.key(2), (4, 3))


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


@pytest.mark.parametrize(
    ("step", "share"), [(0, 0.25), pytest.param(5, 1.0, marks=pytest.mark.exhaustive)], ids=["small", "full"]
)
def test_losses_are_equations_1_and_2_written_out_with_the_slope_in_images_of_full_size(step, share):
    """D(x) = |x|^2 / 2 has slope x; at half the size a pixel is a block of four, and |slope|^2 a quarter."""
    config, state = at(step, dataclasses.replace(SMALL, discriminator=Bowl(), gamma=3.0))
    images = mean_pool(IMAGES) if step == 0 else IMAGES
    squares = (np.asarray(images, np.float64).reshape(8, -1) ** 2).sum(1)
    real, fake = squares[:4], squares[4:]
    variables, mode = state.discriminator.variables, training(jax.random.key(3), 4, step)
    inputs = variables, images[:4], images[4:], mode
    loss, (metrics, _) = compiled(stylegan.discriminator_loss, config)(*inputs)
    adversarial = (np.log1p(np.exp(fake / 2)) + np.log1p(np.exp(-real / 2))).mean()
    assert metrics["r1"] == pytest.approx(share * real.mean(), rel=1e-5)
    assert loss == pytest.approx(adversarial + 1.5 * share * real.mean(), rel=1e-5)
    generator, pair = state.generator.variables, (LATENTS, LATENTS[::-1])
    loss, _ = compiled(stylegan.generator_loss, config)(generator, variables, pair, mode)
    fake, _ = compiled(stylegan.generate, config)(generator, pair, mode)
    scores = (np.asarray(fake, np.float64).reshape(4, -1) ** 2).sum(1) / 2
    assert loss == pytest.approx(np.log1p(np.exp(-scores)).mean(), rel=1e-4)


@pytest.mark.exhaustive
def test_update_is_a_step_of_each_player_done_by_hand_in_the_middle_of_a_fade():
    config, state = at(3, contract.with_sgd(SMALL, 0.01))
    state = state._replace(ema=jax.tree.map(jnp.zeros_like, state.ema))
    key = jax.random.key(2)
    found, _ = compiled(stylegan.update, config)(state, IMAGES, key)
    *of_latents, of_pass, of_generator_pass = jax.random.split(key, 6)
    real = IMAGES / 3 + upsample_nearest(mean_pool(IMAGES)) * (2 / 3)  # one of three updates of the fade is over
    latents = [config.prior.draw(each, 8) for each in of_latents]
    modes = [training(each, 8, step=3) for each in (of_pass, of_generator_pass)]

    @jax.jit
    def by_hand(state):
        fake, _ = stylegan.generate(config, state.generator.variables, (latents[0], latents[1]), modes[0])
        loss = functools.partial(stylegan.discriminator_loss, config)
        discriminator, *_ = stepped(state.discriminator.variables, loss, 0.01, real, fake, modes[0])
        loss = functools.partial(stylegan.generator_loss, config)
        inputs = discriminator, (latents[2], latents[3]), modes[1]
        return stepped(state.generator.variables, loss, 0.01, *inputs)[0], discriminator

    generator, discriminator = by_hand(state)
    assert_close((found.generator.variables, found.discriminator.variables), (generator, discriminator), atol=1e-5)
    assert_close(found.ema["params"], jax.tree.map(lambda leaf: 0.85 * leaf, generator["params"]), atol=1e-5)
    assert_close(found.ema[AVERAGES], generator[AVERAGES], atol=1e-6)  # the average of w is the generator's own
    w, _ = styles.to_styles(config, state.generator.variables, latents[2])
    np.testing.assert_allclose(generator[AVERAGES]["w"], 0.005 * w.mean(0), atol=1e-6)


@pytest.mark.exhaustive
def test_styles_are_mixed_at_the_layers_of_the_stage_alone():
    """Two layers at 4x4: the crossover is the second one; at 8x8 one of three."""
    for step, layers in ((0, 2), (5, 4)):
        config, state = at(step, dataclasses.replace(SMALL, mixing=1.0))
        pair = jnp.tile(LATENTS[:1], (64, 1)), jnp.tile(LATENTS[1:2], (64, 1))
        mode = training(jax.random.key(4), 64, step)

        def mixed(config, variables, mode, pair=pair, layers=layers):
            return styles.mixed_styles(config, variables, pair, layers, mode=mode)[0]

        ws = compiled(mixed, config)(state.generator.variables, mode)
        first, second = (styles.to_w(config, state, latents[:1]) for latents in pair)
        own = np.isclose(ws, first[:, None], atol=1e-6).all(2)
        assert ws.shape == (64, layers, 3)
        assert (own | np.isclose(ws, second[:, None], atol=1e-6).all(2)).all()
        assert set(own.sum(1).tolist()) == set(range(1, layers))
        assert (np.diff(own.astype(int), axis=1) <= 0).all()  # the first latent's, then the other's


def test_samples_have_the_full_size_at_each_stage_and_are_clipped():
    images = {}
    for step, block in ((1, 2), (2, 1), (3, 1), (5, 1)):
        config, state = at(step)
        images[step] = compiled(stylegan.from_latents, config)(state, LATENTS)
        assert images[step].shape == (4, 8, 8, 1) and np.abs(images[step]).max() <= 1.0
        np.testing.assert_allclose(upsample_nearest(mean_pool(images[step], block), block), images[step], atol=1e-6)
    np.testing.assert_allclose(images[2], images[1], atol=1e-6)
    inner = (np.abs(images[5]) < 1) & (np.abs(images[1]) < 1)
    wanted = np.asarray(images[5]) / 3 + np.asarray(images[1]) * (2 / 3)
    np.testing.assert_allclose(np.asarray(images[3])[inner], wanted[inner], atol=1e-5)
    assert inner.mean() > 0.1 and np.abs(images[5] - images[1]).max() > 0.01


def test_truncation_and_noise_of_samples():
    """psi 0 gives one image; the noise is fixed, off, or drawn with the key of each image."""
    config, state = at(0)

    def draw(**settings):
        own = dataclasses.replace(config, drawing=Drawing(**settings))
        return np.asarray(compiled(sample_of_four, own)(state, jax.random.key(5)))

    alike = draw(psi=0.0)
    np.testing.assert_allclose(alike[1:], np.tile(alike[:1], (3, 1, 1, 1)), atol=1e-5)
    silent = draw(psi=0.0, noise=0.0)
    assert np.abs(silent - alike).max() > 0.01
    noisy = draw(psi=0.0, random_noise=True)
    assert np.abs(noisy[0] - noisy[1]).max() > 0.01  # of one style


def sample_of_four(config, state, key):
    return stylegan.sample(config, state, key, 4)


def test_scores_of_full_images_are_those_of_what_the_stage_shows_of_them():
    config, state = at(1)
    wanted = config.discriminator.apply(state.discriminator.variables, mean_pool(IMAGES), ())
    np.testing.assert_allclose(compiled(stylegan.discriminate, config)(state, IMAGES), wanted, atol=1e-5)


def test_the_default_is_the_papers_for_ffhq():
    """26.2 and 23.1 million parameters; from 8x8, 600,000 images a stage; 10,000 images of half-life."""
    config = stylegan.Config()
    state = jax.eval_shape(lambda: stylegan.init(config, jax.random.key(0)))
    assert (count(state.generator.params), count(state.discriminator.params)) == (26_219_627, 23_087_249)
    assert count(state.generator.params["mapping"]) == 2_101_248
    assert (config.gamma, config.mixing, config.style_decay, config.drawing) == (10.0, 0.9, 0.995, Drawing())
    assert config.generator_optimizer == config.discriminator_optimizer == Optimizer(1e-3, Adam(0.0, 0.99, 1e-8))
    assert config.average == HalfLife(312.5, ramp_up=None) and config.prior == Normal(512)
    assert math.isclose(0.5 ** (1 / 312.5), 0.99778439, rel_tol=1e-8)
    found = {8: (256, 1.0), 16: (128, 1.0), 32: (64, 1.0), 64: (32, 1.0), 128: (32, 1.5), 256: (32, 2.0)}
    found |= {512: (32, 3.0), 1024: (32, 3.0)}
    sizes, rates = config.growth.batch_sizes, config.growth.rates
    for place, wanted in enumerate(found.values()):
        assert (sizes[min(place, 3)], rates[min(place, 6)]) == wanted
    assert (config.growth.first, config.growth.stabilise, config.growth.fade) == (8, 600_000, 600_000)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mixing": 1.5}, r"mixing is 1.5, but must be in \[0, 1\]"),
        ({"style_decay": 1.0}, r"style_decay is 1.0, but must be in \[0, 1\)"),
        ({"gamma": -1.0}, "gamma is -1.0, but must be at least 0"),
        ({"growth": Growth(first=3)}, "height of images is 8, but must be 3"),
        ({"discriminator": MLP((4,), norm="batch")}, "scores each example on its own"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: stylegan.init(dataclasses.replace(SMALL, **changes), jax.random.key(0)))
