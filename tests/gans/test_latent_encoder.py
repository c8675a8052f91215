"""The latent encoder: both terms of its loss by hand, an inverse that it may find, and the contract."""

import dataclasses

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Labelled
from jaxgen.conditions import one_hot
from jaxgen.gans import latent_encoder
from jaxgen.gans.networks import generate
from jaxgen.mode import EVALUATION
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.priors import Normal
from jaxgen.train_state import training_mode
from tests import contract

TINY = latent_encoder.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    prior=Normal(2),
    generator=ConcatCondition(MLP((5,))),
    encoder=MLP((4,), norm="batch"),
    latent_weight=0.5,
    image_weight=2.0,
)
PLAIN = dataclasses.replace(TINY, num_classes=0, generator=MLP((5,), norm="batch"), image_weight=0.0)
BATCH = Labelled(jax.random.uniform(jax.random.key(1), (6, 4, 4, 1), minval=-1.0), jnp.array([0, 2, 1, 1, 0, 2]))
init = jax.jit(latent_encoder.init, static_argnums=0)
update = jax.jit(latent_encoder.update, static_argnums=0)


class TestContract(contract.Suite):
    case = contract.Case(
        latent_encoder,
        TINY,
        unreached=("['encoder']['Dense_0']['bias']",),  # the norm takes the mean away
    )


def test_the_loss_is_the_distance_of_the_latents_of_fakes_and_of_real_images_from_what_comes_out_again():
    state, key = init(TINY, jax.random.key(0)), jax.random.key(2)
    _, metrics = update(TINY, state, BATCH, key)
    key_latents, key_pass = jax.random.split(key)
    latents, classes = TINY.prior.draw(key_latents, 6), one_hot(BATCH.labels, 3)
    fakes, _ = generate(TINY, state.generator.variables, latents, classes)
    mode = training_mode(state.encoder, key_pass, 6, None)
    found, variables = latent_encoder.encode(TINY, state.encoder.variables, fakes, mode)
    wanted = ((np.asarray(latents) - np.asarray(found)) ** 2).sum(axis=1).mean()
    np.testing.assert_allclose(metrics["latent_error"], wanted, rtol=1e-4)
    share = 1 - wanted / (np.asarray(latents) ** 2).sum(axis=1).mean()
    np.testing.assert_allclose(metrics["recovered"], share, rtol=1e-4)
    codes, _ = latent_encoder.encode(TINY, variables, BATCH.images, mode)
    again, _ = generate(TINY, state.generator.variables, codes, classes)
    error = ((np.asarray(again) - np.asarray(BATCH.images)) ** 2).mean()
    np.testing.assert_allclose(metrics["image_error"], error, rtol=1e-4)
    shown = latent_encoder.Shown(BATCH.images, fakes, latents, classes)
    loss, _ = latent_encoder.encoder_loss(TINY, state.encoder.variables, state.generator.variables, shown, mode)
    np.testing.assert_allclose(loss, 0.5 * wanted + 2.0 * error, rtol=1e-4)


def test_a_term_without_weight_needs_nothing_and_says_nothing():
    for config, batch, logged, unused in (
        (PLAIN, BATCH.images, {"latent_error", "recovered"}, True),
        (dataclasses.replace(PLAIN, latent_weight=0.0, image_weight=1.0), BATCH.images, {"image_error"}, False),
    ):
        state, key = init(config, jax.random.key(0)), jax.random.key(2)
        after, metrics = update(config, state, batch, key)
        assert logged <= metrics.keys() and not {"latent_error", "recovered", "image_error"} - logged & metrics.keys()
        other, _ = update(config, state, 0 * batch, key)
        assert contract.differs(other.encoder.params, after.encoder.params) != unused
        chex.assert_trees_all_equal(after.generator, state.generator)
    with pytest.raises(
        ValueError, match=r"latent_weight and image_weight is \(0.0, 0.0\), but must be above 0, at least"
    ):
        dataclasses.replace(TINY, latent_weight=0.0, image_weight=0.0)


class Turned(nn.Module):
    """Two pixels are the latents in an orthogonal basis, two are what the class adds."""

    @nn.compact
    def __call__(self, latents, classes, output_shape, *, mode=EVALUATION):
        turned = latents @ jnp.array([[0.6, 0.8], [-0.8, 0.6]])
        return jnp.concatenate([0.1 * turned, classes[:, :2]], axis=1).reshape(-1, *output_shape)


class Linear(nn.Module):
    """A matrix, which can be that of the inverse."""

    @nn.compact
    def __call__(self, images, output_shape, *, mode=EVALUATION):
        return nn.Dense(output_shape[0], use_bias=False)(images.reshape(images.shape[0], -1))


def test_the_inverse_of_a_linear_generator_has_no_loss_and_moves_an_image_to_other_classes():
    config = dataclasses.replace(
        TINY,
        image_shape=(2, 2, 1),
        value_range=None,
        generator=Turned(),
        encoder=Linear(),
        image_weight=0.0,
        optimizer=Optimizer(0.1, SGD()),
    )
    state = init(config, jax.random.key(0))
    inverse = 10 * np.array([[0.6, -0.8], [0.8, 0.6], [0, 0], [0, 0]], np.float32)
    state = state._replace(encoder=state.encoder.replace(params={"Dense_0": {"kernel": jnp.asarray(inverse)}}))
    labels = BATCH.labels[:4]
    batch = Labelled(jnp.zeros((4, 2, 2, 1)), labels)
    after, metrics = update(config, state, batch, jax.random.key(3))
    assert metrics["latent_error"] < 1e-8 and abs(metrics["recovered"] - 1) < 1e-6
    chex.assert_trees_all_close(after.encoder.params, state.encoder.params, atol=1e-4)
    latents = config.prior.draw(jax.random.key(4), 4)
    images = latent_encoder.from_latents(config, state, latents, labels)
    found = latent_encoder.to_latents(config, state, images)
    np.testing.assert_allclose(found, latents, atol=1e-5)
    others = latent_encoder.from_latents(config, state, found, labels[::-1])
    np.testing.assert_allclose(others[:, 0], images[:, 0], atol=1e-5)  # of the latents
    np.testing.assert_allclose(others[:, 1], images[::-1, 1], atol=1e-5)  # of the class


def test_without_labels_classes_come_in_turn():
    state, latents = init(TINY, jax.random.key(0)), TINY.prior.draw(jax.random.key(4), 4)
    found = latent_encoder.from_latents(TINY, state, latents)
    np.testing.assert_array_equal(found, latent_encoder.from_latents(TINY, state, latents, jnp.array([0, 1, 2, 0])))
