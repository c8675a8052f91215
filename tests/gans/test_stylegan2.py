import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Labelled
from jaxgen.conditions import one_hot
from jaxgen.gans import augmented_game, stylegan2, styles
from jaxgen.gans.ada import NoAugmentation
from jaxgen.gans.lazy_regularization import lazy
from jaxgen.gans.regularization import Slope
from jaxgen.gans.stylegan2 import PathLength
from jaxgen.gans.styles import Drawing
from jaxgen.mode import EVALUATION
from jaxgen.moving_averages import HalfLife
from jaxgen.nets.conditioning import ConcatCondition, InnerCondition
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.mlp import MLP
from jaxgen.nets.stylegan2 import StyleGAN2Discriminator, StyleGAN2Synthesis
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from tests import contract
from tests.gans.games import assert_close, compiled, count, training

TINY = stylegan2.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    prior=Normal(3),
    mapping=InnerCondition(Mapping(1, 4, lr_multiplier=0.5, scaled_activation=True)),
    synthesis=StyleGAN2Synthesis(16, 2),
    discriminator=InnerCondition(StyleGAN2Discriminator(16, 2, mapping_layers=1)),
    r1=Slope(1.0, every=2),
    path_length=PathLength(every=2, shrink=1),
    average=HalfLife(2.0, ramp_up=None),
)


class TestContract(contract.Suite):
    case = contract.Case(
        stylegan2,
        TINY,
        inert=(  # maxima hold, a 4x4 map has no block, groups of four, no blur
            "synthesis.channel_base",
            *(f"discriminator.net.{name}" for name in ("channel_base", "residual", "group")),
            "blur.end",
        ),
    )


class Linear(nn.Module):
    """The image is the sum over the layers of linear maps of their styles: W_0 w_0 + W_1 w_1."""

    @nn.nowrap
    def num_styles(self, output_shape):
        return 2

    @nn.compact
    def __call__(self, ws, output_shape, *, mode=EVALUATION):
        kernel = self.param("kernel", nn.initializers.normal(1.0), (2, ws.shape[-1], math.prod(output_shape)))
        return jnp.einsum("blf,lfp->bp", ws, kernel).reshape(-1, *output_shape)


@dataclass(frozen=True)
class Brighter(NoAugmentation):
    """An augmentation whose state is a number that is added; it follows the signs."""

    def init(self) -> Any:
        return jnp.float32(0.5)

    def transform(self, images: Any, state: Any, keys: Any) -> Any:
        return images + state

    def update(self, state: Any, sign: Any, step: Any, batch_size: int) -> Any:
        return state + sign * batch_size + 1000.0 * step.astype(jnp.float32)


PLAIN = dataclasses.replace(  # linear networks; nothing lazy, nothing random but the latents
    TINY,
    num_classes=0,
    mapping=Mapping(1, 4, lr_multiplier=1.0, scaled_activation=True),
    synthesis=Linear(),
    discriminator=MLP(()),
    mixing=0.0,
    r1=Slope(1.0, every=1),
    path_length=PathLength(every=1, shrink=1),
)
IMAGES = jax.random.uniform(jax.random.key(1), (8, 4, 4, 1), minval=-1.0)
LATENTS = jax.random.normal(jax.random.key(2), (8, 3)), jax.random.normal(jax.random.key(3), (8, 3))
MODE = training(jax.random.key(4), 8)


@pytest.fixture(scope="module")
def plain():
    return jax.jit(lambda: stylegan2.init(PLAIN, jax.random.key(0)))()


@pytest.fixture(scope="module")
def tiny():
    return jax.jit(lambda: stylegan2.init(TINY, jax.random.key(0)))()


def kernel_of(state):
    return np.asarray(state.discriminator.params["Dense_0"]["kernel"])[:, 0]


def test_losses_are_non_saturating_and_logistic(plain):
    scores = [np.asarray(stylegan2.discriminate(PLAIN, plain, points)) for points in (IMAGES, IMAGES[::-1] / 2)]
    loss, (metrics, _) = compiled(stylegan2.discriminator_loss, PLAIN)(
        plain.discriminator.variables, IMAGES, IMAGES[::-1] / 2, (), MODE
    )
    wanted = np.log1p(np.exp(-scores[0])).mean() + np.log1p(np.exp(scores[1])).mean()
    assert float(loss) == pytest.approx(wanted, rel=1e-5)
    assert metrics["real_sign"] == pytest.approx(np.sign(scores[0]).mean())
    variables, opponent = plain.generator.variables, plain.discriminator.variables
    loss, _ = compiled(stylegan2.generator_loss, PLAIN)(variables, opponent, LATENTS, (), MODE)
    fake, _ = stylegan2.generate(PLAIN, variables, LATENTS, (), MODE)
    scores = np.asarray(stylegan2.discriminate(PLAIN, plain, fake))
    assert float(loss) == pytest.approx(np.log1p(np.exp(-scores)).mean(), rel=1e-5)


@pytest.mark.parametrize("every", [1, 16])
def test_the_slope_of_a_linear_discriminator_in_closed_form(plain, every):
    """gamma / 2 |w|^2, as many times as updates lie between two such steps."""
    config = dataclasses.replace(PLAIN, r1=Slope(10.0, every))
    loss, (metrics, _) = compiled(stylegan2.slope_loss, config)(plain.discriminator.variables, IMAGES, (), MODE)
    squared = (kernel_of(plain) ** 2).sum()
    assert float(loss) == pytest.approx(every * 10.0 / 2 * squared, rel=1e-5)
    assert metrics["r1"] == pytest.approx(every * squared, rel=1e-5)


@pytest.mark.parametrize("every", [1, 4])
def test_path_lengths_of_a_linear_generator_in_closed_form(plain, every):
    """|J^T y|^2 averages to |J|_F^2 / (H W L); a moves by its decay first, then counts in the penalty."""
    num = 2000
    config = dataclasses.replace(PLAIN, path_length=PathLength(2.0, every, decay=0.25, shrink=1))
    kernel = np.asarray(plain.generator.params["synthesis"]["kernel"])
    latents, mode = tuple(jnp.zeros((num, 3)) for _ in range(2)), training(jax.random.key(5), num)
    variables = plain.generator.variables | {"averages": {"w": jnp.zeros(4), "path_length": jnp.float32(0.5)}}
    loss, (metrics, after) = compiled(stylegan2.path_loss, config)(variables, latents, (), mode)
    found = (float(after["averages"]["path_length"]) - 0.5) / 0.25 + 0.5  # mean length
    penalty = float(metrics["path_length_penalty"]) / every
    average = 0.5 + 0.25 * (found - 0.5)
    mean_square = penalty + 2 * average * found - average**2
    assert mean_square == pytest.approx((kernel**2).sum() / (16 * 2), rel=0.02)
    assert float(loss) == pytest.approx(2.0 * every * penalty, rel=1e-5)


def test_update_is_four_steps_done_by_hand(plain):
    """D, its penalty at the weights after, G against that D, and its penalty; averages and augmentation follow."""
    config = contract.with_sgd(dataclasses.replace(PLAIN, augmentation=Brighter()), 0.05)
    state, key = jax.jit(lambda: stylegan2.init(config, jax.random.key(0)))(), jax.random.key(6)
    found, metrics = compiled(stylegan2.update, config)(state, IMAGES, key)
    keys = jax.random.split(key, 6)
    z_d, z_g = (config.prior.draw(keys[number], 8) for number in (0, 2))

    @jax.jit
    def by_hand(state):
        def image(params, latents):
            w = config.mapping.apply({"params": params["mapping"]}, latents)
            return jnp.einsum("bf,lfp->bp", w, params["synthesis"]["kernel"]).reshape(-1, 4, 4, 1), w

        def score(params, images):
            return (images + 0.5).reshape(len(images), -1) @ params["Dense_0"]["kernel"] + params["Dense_0"]["bias"][
                None
            ]

        def of_d(params):
            fake, _ = image(state.generator.params, z_d)
            return jnp.log1p(jnp.exp(-score(params, IMAGES))).mean() + jnp.log1p(jnp.exp(score(params, fake))).mean()

        def of_g(params, opponent):
            return jnp.log1p(jnp.exp(-score(opponent, image(params, z_g)[0]))).mean()

        def stepped(params, loss, *others):
            grads = jax.grad(loss)(params, *others)
            return jax.tree.map(lambda param, grad: param - 0.05 * grad, params, grads)

        d = stepped(state.discriminator.params, of_d)
        d = stepped(d, lambda params: 0.5 * (params["Dense_0"]["kernel"] ** 2).sum())
        sign = jnp.sign(score(state.discriminator.params, IMAGES)).mean()
        return stepped(state.generator.params, of_g, d), d, sign

    generator, discriminator, sign = by_hand(state)
    assert_close(found.discriminator.params, discriminator)
    assert float(found.discriminator.collections["augmentation"]["state"]) == pytest.approx(0.5 + 8 * float(sign))
    mode = training(keys[5], 8)
    middle = state.generator.replace(params=generator)

    def loss(params):
        return stylegan2.path_loss(config, {**middle.variables, "params": params}, (z_g, z_g), (), mode)[0]

    wanted = jax.tree.map(lambda param, grad: param - 0.05 * grad, generator, jax.jit(jax.grad(loss))(generator))
    assert_close(found.generator.params, wanted, atol=1e-5)
    assert (found.generator.step, found.discriminator.step) == (1, 1)
    assert metrics["path_length"] == found.generator.collections["averages"]["path_length"] > 0
    share = 1 - 0.5 ** (1 / 2.0)
    before, after, ema = (each["synthesis"]["kernel"] for each in (state.ema["params"], wanted, found.ema["params"]))
    np.testing.assert_allclose(ema, before + share * (after - before), atol=1e-5)
    assert not contract.differs(found.ema["averages"], found.generator.collections["averages"])


def test_an_augmentation_is_of_training_alone_and_of_every_image(plain):
    """Of real images and fakes, in both players' losses; without one the images are as they are."""
    config = dataclasses.replace(PLAIN, augmentation=Brighter())
    variables = plain.discriminator.variables | {"augmentation": {"state": jnp.float32(0.5)}}
    shift = 0.5 * kernel_of(plain).sum()
    clean, _ = augmented_game.score(PLAIN, variables, (IMAGES, ()), MODE)
    np.testing.assert_allclose(augmented_game.score(config, variables, (IMAGES, ()))[0], clean, atol=1e-6)
    np.testing.assert_allclose(augmented_game.score(config, variables, (IMAGES, ()), MODE)[0], clean + shift, atol=1e-5)
    given = variables, IMAGES, IMAGES[::-1] / 2, (), MODE
    moved = compiled(stylegan2.discriminator_loss, config)(*given)[0]
    images = IMAGES + 0.5, IMAGES[::-1] / 2 + 0.5
    wanted = compiled(stylegan2.discriminator_loss, PLAIN)(variables, *images, (), MODE)[0]
    assert float(moved) == pytest.approx(float(wanted), rel=1e-5)
    given = plain.generator.variables, variables, LATENTS, (), MODE
    losses = [float(compiled(stylegan2.generator_loss, each)(*given)[0]) for each in (config, PLAIN)]
    assert abs(losses[0] - losses[1]) > 1e-3
    assert plain.discriminator.collections["augmentation"] == {"state": ()}


def test_styles_of_training_are_mixed_of_two_latents(tiny):
    given = one_hot(jnp.arange(8, dtype=jnp.int32) % 3, 3)

    def found(mixing, others):
        config = dataclasses.replace(TINY, mixing=mixing)

        def ws(config, variables, mode):
            return styles.mixed_styles(config, variables, (LATENTS[0], others), 2, (given,), mode=mode)[0]

        return compiled(ws, config)(tiny.generator.variables, MODE)

    plain = found(0.0, LATENTS[1])
    np.testing.assert_array_equal(plain, found(0.0, LATENTS[0]))
    np.testing.assert_allclose(plain[:, 0], plain[:, 1], atol=1e-6)
    mixed = found(1.0, LATENTS[1])  # of two layers, always at the second
    np.testing.assert_allclose(mixed[:, 0], plain[:, 0], atol=1e-6)
    assert (np.abs(mixed[:, 1] - plain[:, 1]).max(1) > 1e-4).all()


def test_images_take_the_direction_of_a_latent_alone_and_psi_0_gives_one_image(tiny):
    tiny = tiny._replace(ema=jax.tree.map(lambda leaf: leaf + 0.1, tiny.ema))
    labels = jnp.zeros(8, jnp.int32)
    images = compiled(stylegan2.from_latents, TINY)(tiny, LATENTS[0], labels)
    np.testing.assert_allclose(compiled(stylegan2.from_latents, TINY)(tiny, 5 * LATENTS[0], labels), images, atol=1e-5)
    assert images.std(0).max() > 1e-3 and np.abs(images).max() <= 1.0
    config = dataclasses.replace(TINY, drawing=Drawing(psi=0.0))
    images = compiled(stylegan2.from_latents, config)(tiny, LATENTS[0], labels)
    np.testing.assert_allclose(images, jnp.tile(images[:1], (8, 1, 1, 1)), atol=1e-6)
    ws = stylegan2.to_w_plus(config, tiny, LATENTS[0], labels)
    np.testing.assert_allclose(ws, jnp.tile(tiny.ema["averages"]["w"], (8, 2, 1)), atol=1e-6)


def test_the_class_changes_image_and_score(tiny):
    labels = jnp.arange(8, dtype=jnp.int32) % 3
    ws = [compiled(stylegan2.to_w, TINY)(tiny, LATENTS[0], given) for given in (labels, (labels + 1) % 3)]
    assert (np.abs(ws[0] - ws[1]).max(1) > 1e-5).all()
    scores = [stylegan2.discriminate(TINY, tiny, IMAGES, given) for given in (labels, (labels + 1) % 3)]
    assert (np.abs(scores[0] - scores[1]) > 1e-5).all()
    np.testing.assert_array_equal(scores[0], stylegan2.discriminate(TINY, tiny, IMAGES))  # in turn


def test_penalties_of_weight_0_cost_nothing():
    """The update has neither their passes nor their metrics: CIFAR-10 has no path lengths."""
    changes = {"r1": Slope(0.0), "path_length": PathLength(weight=0.0)}
    config, state = dataclasses.replace(PLAIN, **changes), jax.eval_shape(lambda: stylegan2.init(PLAIN, KEY))
    _, metrics = jax.eval_shape(lambda state: stylegan2.update(config, state, IMAGES, KEY), state)
    assert not metrics.keys() & {"r1", "path_length", "path_length_penalty"}
    _, metrics = jax.eval_shape(lambda state: stylegan2.update(PLAIN, state, IMAGES, KEY), state)
    assert metrics.keys() >= {"r1", "path_length", "path_length_penalty"}


KEY = jax.random.key(7)


def test_the_default_is_the_papers_configuration_f():
    config = stylegan2.Config()
    state = jax.eval_shape(lambda: stylegan2.init(config, KEY))
    assert (count(state.generator.params), count(state.discriminator.params)) == (30_370_060, 29_012_513)
    assert config.r1 == Slope(10.0, 16) and config.path_length == PathLength(2.0, 4, 0.01, 2)
    adam = Optimizer(0.002, Adam(0.0, 0.99, 1e-8))
    assert config.generator_optimizer == lazy(adam, 4) and config.discriminator_optimizer == lazy(adam, 16)
    assert config.mixing == 0.9 and config.style_decay == 0.995 and config.augmentation == NoAugmentation()
    half_lives = config.average.update(jnp.float32(0.0), jnp.float32(1.0), jnp.int32(1))
    assert 1 - float(half_lives) == pytest.approx(0.99778439, abs=1e-7)  # 32 of 10,000 images
    assert config.batch_type is None and config.minibatches == 1


@pytest.mark.parametrize(
    ("settings", "changes", "message"),
    [
        (TINY, {"num_classes": -1}, "num_classes is -1, but must be at least 0"),
        (TINY, {"mixing": 1.5}, r"mixing is 1.5, but must be in \[0, 1\]"),
        (TINY, {"mixing": -0.5}, "mixing is -0.5, but must be at least 0"),
        (TINY, {"style_decay": 1.0}, r"style_decay is 1.0, but must be in \[0, 1\)"),
        (PathLength(), {"decay": 0.0}, r"decay is 0.0, but must be in \(0, 1\]"),
        (PathLength(), {"decay": 1.5}, r"decay is 1.5, but must be in \(0, 1\]"),
        (PathLength(), {"shrink": 0}, "shrink is 0, but must be at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(settings, **changes)


def test_a_discriminator_with_batch_statistics_is_refused():
    config = dataclasses.replace(TINY, discriminator=ConcatCondition(MLP((4,), norm="batch")))
    with pytest.raises(ValueError, match="needs a critic that scores each example on its own"):
        jax.eval_shape(lambda: stylegan2.init(config, KEY))


@pytest.mark.exhaustive
def test_gradients_reach_every_parameter_of_larger_maps_too():
    """With doubling layers and residual blocks, after two updates: of a rate that moves a mapping's weights of 100."""
    sizes = {"synthesis": StyleGAN2Synthesis(16, 2), "discriminator": InnerCondition(StyleGAN2Discriminator(16, 2))}
    config = contract.with_sgd(dataclasses.replace(TINY, image_shape=(8, 8, 1), **sizes), 10.0)
    before = state = jax.jit(lambda: stylegan2.init(config, KEY))()
    batch = Labelled(jax.random.uniform(KEY, (8, 8, 8, 1)), jnp.arange(8, dtype=jnp.int32) % 3)
    for number in range(2):
        state, _ = compiled(stylegan2.update, config)(state, batch, jax.random.key(number))
    for one, other in ((before.generator, state.generator), (before.discriminator, state.discriminator)):
        others = contract.leaves(other.params)
        for path, leaf in contract.leaves(one.params).items():
            assert np.abs(others[path] - leaf).max() > 1e-7, path
