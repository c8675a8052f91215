"""The style encoder: its loss by hand, an inverse that it may find, and the contract."""

import dataclasses

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.batches import Captioned
from jaxgen.gans.networks import generate
from jaxgen.mode import EVALUATION
from jaxgen.nets.conv import ConvCritic
from jaxgen.nets.gan_cls import TextGenerator
from jaxgen.nets.initializers import Normal as Gaussian
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.priors import Normal
from jaxgen.text_to_image import style_encoder
from jaxgen.text_to_image.embedding import embed
from jaxgen.train_state import training_mode
from tests import contract
from tests.text_to_image.words import Letters, captions

TINY = style_encoder.Config(
    image_shape=(16, 16, 3),
    caption_length=6,
    text_features=3,
    encoder=Letters(),
    prior=Normal(2),
    generator=TextGenerator(4, 3, initializer=Gaussian(0.4)),
    style_encoder=ConvCritic(2, norm="batch"),
)
BATCH = Captioned(
    jax.random.uniform(jax.random.key(1), (4, 16, 16, 3), minval=-1.0),
    captions("red", "green", "blue", "white", length=6),
)
init = jax.jit(style_encoder.init, static_argnums=0)
update = jax.jit(style_encoder.update, static_argnums=0)


class TestContract(contract.Suite):
    case = contract.Case(
        style_encoder,
        TINY,
        unreached=tuple(f"['style_encoder']['Conv_{n}']['bias']" for n in (1, 2)),  # the norm takes the mean away
        refused=("image_shape",),
    )


def test_the_loss_is_the_squared_distance_to_the_latents_of_fakes_of_the_captions():
    state, key = init(TINY, jax.random.key(0)), jax.random.key(2)
    _, metrics = update(TINY, state, BATCH, key)
    key_latents, key_style = jax.random.split(key)
    latents = TINY.prior.draw(key_latents, 4)
    texts = embed(TINY, state.encoder, BATCH.captions)
    fakes, _ = generate(TINY, state.generator.variables, latents, texts)
    mode = training_mode(state.style_encoder, key_style, 4, None)
    found, _ = style_encoder.encode(TINY, state.style_encoder.variables, fakes, mode)
    wanted = ((np.asarray(latents) - np.asarray(found)) ** 2).sum(axis=1)
    np.testing.assert_allclose(metrics["style_loss"], wanted.mean(), rtol=1e-4)
    share = 1 - wanted.mean() / (np.asarray(latents) ** 2).sum(axis=1).mean()
    np.testing.assert_allclose(metrics["recovered"], share, rtol=1e-4)


def test_what_is_frozen_stays_and_the_images_of_the_batch_do_not_count():
    state, key = init(TINY, jax.random.key(0)), jax.random.key(2)
    after, _ = update(TINY, state, BATCH, key)
    chex.assert_trees_all_equal((after.generator, after.encoder), (state.generator, state.encoder))
    other, _ = update(TINY, state, BATCH._replace(images=0 * BATCH.images), key)
    chex.assert_trees_all_equal(other, after)


class Rotated(nn.Module):
    """Pixels are the latents in an orthogonal basis, beside what the text adds to others."""

    @nn.compact
    def __call__(self, latents, embeddings, output_shape, *, mode=EVALUATION):
        turned = latents @ jnp.array([[0.6, 0.8], [-0.8, 0.6]])
        return jnp.concatenate([0.1 * turned, embeddings[:, :2]], axis=1).reshape(-1, *output_shape)


class Linear(nn.Module):
    """A matrix, which can be that of the inverse."""

    @nn.compact
    def __call__(self, images, output_shape, *, mode=EVALUATION):
        return nn.Dense(output_shape[0], use_bias=False)(images.reshape(images.shape[0], -1))


def test_the_inverse_of_a_linear_generator_has_no_loss_and_carries_the_style_to_other_texts():
    config = dataclasses.replace(
        TINY,
        image_shape=(2, 2, 1),
        value_range=None,
        generator=Rotated(),
        style_encoder=Linear(),
        optimizer=Optimizer(0.1, SGD()),
    )
    state = init(config, jax.random.key(0))
    inverse = 10 * np.array([[0.6, -0.8], [0.8, 0.6], [0, 0], [0, 0]], np.float32)
    player = state.style_encoder.replace(params={"Dense_0": {"kernel": jnp.asarray(inverse)}})
    state = state._replace(style_encoder=player)
    after, metrics = update(config, state, BATCH, jax.random.key(3))
    assert metrics["style_loss"] < 1e-8 and abs(metrics["recovered"] - 1) < 1e-6
    chex.assert_trees_all_close(after.style_encoder.params, player.params, atol=1e-4)
    latents = config.prior.draw(jax.random.key(4), 4)
    images = style_encoder.from_latents(config, state, latents, BATCH.captions)
    found = style_encoder.to_latents(config, state, images)
    np.testing.assert_allclose(found, latents, atol=1e-5)
    others = style_encoder.from_latents(config, state, found, BATCH.captions[::-1])
    np.testing.assert_allclose(others[:, 0], images[:, 0], atol=1e-5)  # of the latents
    np.testing.assert_allclose(others[:, 1], images[::-1, 1], atol=1e-5)  # of the text
