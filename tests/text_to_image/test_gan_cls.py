"""GAN-CLS and GAN-INT: the losses by hand, what a text changes, and the contract."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Captioned
from jaxgen.gans.objectives import Relativistic
from jaxgen.gans.regularization import Slope
from jaxgen.mode import Mode
from jaxgen.moving_averages import Exponential
from jaxgen.nets.gan_cls import TextDiscriminator, TextGenerator
from jaxgen.nets.initializers import Normal as Gaussian
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from jaxgen.text_to_image import gan_cls
from jaxgen.text_to_image.embedding import embed
from jaxgen.train_state import apply, descend
from tests import contract
from tests.text_to_image.words import Letters, captions

TINY = gan_cls.Config(
    image_shape=(16, 16, 3),
    caption_length=6,
    text_features=3,
    encoder=Letters(),
    prior=Normal(2),
    generator=TextGenerator(4, 3, initializer=Gaussian(0.4)),
    discriminator=TextDiscriminator(3, 3, initializer=Gaussian(0.4)),
    mismatch=0.25,
    interpolation=0.8,
    average=Exponential(0.15),
)
TEXTS = captions("red", "green", "blue", "white", length=6)
IMAGES = jax.random.uniform(jax.random.key(1), (3, 4, 16, 16, 3), minval=-1.0)
MODE = Mode(keys=jax.random.split(jax.random.key(3), 4), step=jnp.int32(0), train=True)
init = jax.jit(gan_cls.init, static_argnums=0)


class TestContract(contract.Suite):
    case = contract.Case(gan_cls, TINY, refused=("image_shape", "r1.weight"), inert=("r1.every",))


def scores(config, variables, images, texts):
    return apply(config.discriminator, variables, images, texts, (), mode=MODE)


def test_the_discriminators_loss_is_equation_1():
    state, (real, other, fake) = init(TINY, jax.random.key(0)), IMAGES
    texts = embed(TINY, state.encoder, TEXTS)
    loss, (metrics, after) = jax.jit(gan_cls.discriminator_loss, static_argnums=0)(
        TINY, state.discriminator.variables, (real, other, fake), texts, MODE
    )
    variables, found = state.discriminator.variables, []
    for images in (real, other, fake):
        score, variables = scores(TINY, variables, images, texts)
        found.append(score)
    own, wrong, drawn = found
    by_hand = -jnp.log(jax.nn.sigmoid(own)) - 0.25 * jnp.log(1 - jax.nn.sigmoid(wrong))
    by_hand += -0.75 * jnp.log(1 - jax.nn.sigmoid(drawn))
    np.testing.assert_allclose(loss, by_hand.mean(), rtol=1e-5)
    np.testing.assert_allclose(metrics["matching"], (own > wrong).mean())
    chex.assert_trees_all_close(after, variables, rtol=1e-4, atol=1e-5)


def test_the_generators_loss_is_equation_2_and_equal_texts_have_nothing_between_them():
    state, key = init(TINY, jax.random.key(0)), jax.random.key(4)
    texts, latents = embed(TINY, state.encoder, TEXTS), jax.random.normal(key, (6, 2))
    whole = gan_cls.Asked(latents[:4], texts)
    between = gan_cls.Asked(latents[4:], jnp.stack([texts[0] + texts[1], texts[2] + texts[3]]) / 2)
    given = state.generator.variables, state.discriminator.variables, IMAGES[0]
    loss = jax.jit(gan_cls.generator_loss, static_argnums=0)
    value, after = loss(TINY, *given, (whole, between), MODE)

    def by_hand(variables, asked):
        images, variables = apply(TINY.generator, variables, *asked, TINY.image_shape, mode=MODE)
        score, _ = scores(TINY, state.discriminator.variables, jnp.tanh(images), asked.texts)
        return -jnp.log(jax.nn.sigmoid(score)).mean(), variables

    first, variables = by_hand(state.generator.variables, whole)
    second, variables = by_hand(variables, between)
    np.testing.assert_allclose(value, (first + 0.4 * second) / 1.4, rtol=1e-5)
    chex.assert_trees_all_close(after[1], variables, rtol=1e-4, atol=1e-5)
    equal = jnp.broadcast_to(texts[:1], (4, 3))
    same = gan_cls.Asked(latents[:4], equal), gan_cls.Asked(latents[:2], equal[:2])
    alone = loss(TINY, *given, (same[0], None), MODE)[0]
    half = loss(TINY, *given[:2], IMAGES[0, :2], (same[1], None), MODE)[0]
    np.testing.assert_allclose(loss(TINY, *given, same, MODE)[0], (alone + 0.4 * half) / 1.4, rtol=1e-5)
    np.testing.assert_array_equal(gan_cls.halfway(equal), equal[:2])
    np.testing.assert_allclose(gan_cls.halfway(texts), between.texts, rtol=1e-6)


def test_without_a_weight_neither_other_images_nor_texts_between_count():
    state = init(TINY, jax.random.key(0))
    texts = embed(TINY, state.encoder, TEXTS)
    plain = dataclasses.replace(TINY, mismatch=0.0, discriminator=TextDiscriminator(3, 3, "none", Gaussian(0.4)))
    loss = jax.jit(
        jax.grad(
            lambda others, variables: gan_cls.discriminator_loss(
                plain, variables, (IMAGES[0], others, IMAGES[2]), texts, MODE
            )[0]
        )
    )
    variables = init(plain, jax.random.key(0)).discriminator.variables
    assert not np.asarray(loss(IMAGES[1], variables)).any()


def test_an_update_takes_texts_and_images_of_one_minibatch_and_other_images_of_the_second():
    """What is written for the images of the second minibatch changes nothing; everything else does."""
    step = jax.jit(gan_cls.update, static_argnums=0)
    images, texts = np.asarray(IMAGES[:2]).reshape(8, 16, 16, 3), np.concatenate([np.asarray(TEXTS)] * 2)
    state, key = init(TINY, jax.random.key(0)), jax.random.key(1)

    def after(images, texts):
        return jax.device_get(step(TINY, state, Captioned(images, texts), key)[0].discriminator.params)

    usual = after(images, texts)
    other_text, own_text = texts.copy(), texts.copy()
    other_text[1::2], own_text[::2] = texts[::-2], texts[::-2]
    chex.assert_trees_all_equal(after(images, other_text), usual)
    assert contract.differs(after(images, own_text), usual)
    for first in (0, 1):
        changed = images.copy()
        changed[first::2] *= -1
        assert contract.differs(after(changed, texts), usual)


def test_a_text_changes_images_and_a_weight_of_zero_takes_that_away():
    config = dataclasses.replace(TINY, average=dataclasses.replace(TINY.average))
    state = init(config, jax.random.key(0))
    draw = jax.jit(lambda state, texts: gan_cls.sample(config, state, jax.random.key(2), 4, texts))
    images = draw(state, TEXTS)
    assert contract.differs(images, draw(state, TEXTS[::-1]))
    params = state.ema["params"] | {"text": jax.tree.map(jnp.zeros_like, state.ema["params"]["text"])}
    deaf = state._replace(ema=state.ema | {"params": params})
    chex.assert_trees_all_equal(draw(deaf, TEXTS), draw(deaf, TEXTS[::-1]))
    empty = jax.jit(lambda state: gan_cls.sample(config, state, jax.random.key(2), 4))(state)
    chex.assert_trees_all_equal(empty, draw(state, jnp.zeros_like(TEXTS)))
    with pytest.raises(ValueError, match="bytes of a caption is 5, but must be 6"):
        gan_cls.sample(config, state, jax.random.key(2), 4, TEXTS[:, :5])


def test_the_discriminator_learns_which_text_an_image_fits():
    """On a set where it can be known, it scores right pairs above wrong ones far more often than chance."""
    config = dataclasses.replace(TINY, mismatch=1.0, discriminator=TextDiscriminator(4, 6, norm="none"))
    config = dataclasses.replace(config, discriminator_optimizer=Optimizer(3e-3, Adam(b1=0.5)))
    state = init(config, jax.random.key(0))
    texts = jnp.tile(captions("white", "black", length=6), (8, 1))
    images = jnp.broadcast_to(jnp.tile(jnp.array([0.9, -0.9]), 8)[:, None, None, None], (16, 16, 16, 3))
    embedded, others = embed(config, state.encoder, texts), images[::-1]

    @jax.jit
    def learn(player, _):
        def loss(variables):
            mode = Mode(keys=jax.random.split(jax.random.key(0), 16), step=player.step, train=True)
            return gan_cls.discriminator_loss(config, variables, (images, others, others), embedded, mode)

        return descend(player, loss, ())

    _, metrics = jax.lax.scan(learn, state.discriminator, None, 60)
    assert metrics["matching"][-1] == 1.0


def test_a_relativistic_objective_sees_real_images_with_their_texts():
    config = dataclasses.replace(TINY, objective=Relativistic(), interpolation=0.0)
    state = init(config, jax.random.key(0))
    asked = gan_cls.Asked(jax.random.normal(jax.random.key(4), (4, 2)), embed(config, state.encoder, TEXTS))
    slope = jax.jit(
        jax.grad(
            lambda images: gan_cls.generator_loss(
                config, state.generator.variables, state.discriminator.variables, images, (asked, None), MODE
            )[0]
        )
    )
    assert np.abs(slope(IMAGES[0])).max() > 0


STEEP = dataclasses.replace(
    TINY, discriminator=TextDiscriminator(3, 3, "layer", Gaussian(0.4)), r1=Slope(3.0), mismatch=0.5
)


class TestRegularizedContract(contract.Suite):
    case = contract.Case(gan_cls, STEEP, refused=("image_shape",))


def test_the_slope_in_real_images_with_their_own_texts_is_paid_for():
    state = init(STEEP, jax.random.key(0))
    texts, variables = embed(STEEP, state.encoder, TEXTS), state.discriminator.variables
    loss = jax.jit(gan_cls.discriminator_loss, static_argnums=0)
    found, (metrics, _) = loss(STEEP, variables, tuple(IMAGES), texts, MODE)
    without, (plain, _) = loss(dataclasses.replace(STEEP, r1=Slope()), variables, tuple(IMAGES), texts, MODE)
    slopes = jax.grad(lambda images: scores(STEEP, variables, images, texts)[0].sum())(IMAGES[0])
    by_hand = 1.5 * (slopes**2).sum((1, 2, 3)).mean()
    np.testing.assert_allclose(found - without, by_hand, rtol=1e-3)
    np.testing.assert_allclose(metrics["r1"], by_hand, rtol=1e-4)
    assert "r1" not in plain


def test_a_slope_is_refused_where_a_score_depends_on_the_batch():
    with pytest.raises(ValueError, match="the gradient penalty needs a critic that scores each example on its own"):
        gan_cls.init(dataclasses.replace(TINY, r1=Slope(1.0)), jax.random.key(0))
