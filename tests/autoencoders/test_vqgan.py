import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import vqgan
from jaxgen.autoencoders.adaptive_weight import Adversarial
from jaxgen.autoencoders.codebook import ByGradient, ByMovingAverage
from jaxgen.mode import Mode
from jaxgen.nets.code_transformer import CodeTransformer
from jaxgen.nets.kl_autoencoder import LatentDecoder, LatentEncoder
from jaxgen.nets.mlp import MLP
from jaxgen.nets.pix2pix import PatchDiscriminator
from jaxgen.nets.vgg19 import VGG19
from tests import contract

TINY = vqgan.Config(
    (8, 8, 3),
    halvings=1,
    num_codes=6,
    code_dim=2,
    codebook=ByMovingAverage(decay=0.6),
    encoder=LatentEncoder(4, (1, 1), 1, dropout=0.25),
    decoder=LatentDecoder(4, (1, 1), 1, dropout=0.25),
    prior=CodeTransformer(8, blocks=1, heads=2),
    features=VGG19(2, 1, channels=2),
    discriminator=PatchDiscriminator(2, layers=1, norm="none"),
    adversarial=Adversarial(weight=0.8, begin=0),
)
IMAGES = jax.random.uniform(jax.random.key(1), (4, 8, 8, 3), minval=-1.0)
init = jax.jit(vqgan.init, static_argnums=0)
MODE = Mode(step=jnp.int32(0))


class TestContract(contract.Suite):
    case = contract.Case(
        vqgan,
        TINY,
        unreached=(
            "['discriminator']['Conv_2']['bias']",  # scores within the hinge's margins: an offset moves both alike
            "['prior']['block_0']['attention']['keys']['bias']",  # the softmax takes it out
        ),
        # sizes follow from each other, and attention stands at heights that there are
        refused=(
            "halvings",
            "encoder.attention",
            "decoder.attention",
            "image_shape",
            "discriminator.layers",
            "prior.width",
            "prior.heads",
        ),
        inert=("codebook_optimizer.learning_rate",),  # of a codebook that learns by gradient
        shared=("codebook_optimizer",),
        answers=(("prior", "autoencoder"),),
    )


def test_the_loss_is_that_of_equation_6():
    """Term by term, in float64, from encodings and outputs."""
    state = init(TINY, jax.random.key(0))
    vectors, variables = vqgan.vectors_of(TINY, state.codebook), state.autoencoder.variables
    loss, (metrics, _) = jax.jit(vqgan.autoencoder_loss, static_argnums=0)(
        TINY, variables, state, vectors, IMAGES, MODE
    )
    encodings = np.asarray(vqgan.encodings_of(TINY, variables, IMAGES)[0], np.float64)
    nearest = np.square(encodings[..., None, :] - np.asarray(vectors)).sum(-1).argmin(-1)
    quantized = np.asarray(vectors)[nearest]
    outputs, _ = vqgan.images_of(TINY, variables, jnp.asarray(quantized))
    alone = dataclasses.replace(TINY, features=None)
    pixels = vqgan.error_of(alone, state, outputs, IMAGES).mean()
    np.testing.assert_allclose(pixels, np.abs(outputs - IMAGES).mean(), rtol=1e-5)
    reconstruction = vqgan.error_of(TINY, state, outputs, IMAGES).mean()
    assert reconstruction > pixels  # by the error of the features
    commitment = np.square(encodings - quantized).mean()
    game = 0.8 * metrics["adaptive_weight"] * metrics["generator_loss"]
    np.testing.assert_allclose(metrics["commitment"], commitment, rtol=1e-4)
    np.testing.assert_allclose(loss, reconstruction + 0.25 * commitment + game, rtol=1e-4)


def test_both_losses_have_the_same_part_in_what_the_last_layer_learns():
    """The law of equation 7: with lengths l and g of both gradients lambda g is l - 1e-4 lambda."""
    state = init(TINY, jax.random.key(0))
    vectors, variables = vqgan.vectors_of(TINY, state.codebook), state.autoencoder.variables

    def of_last_layer(config):
        def loss(params):
            value, (metrics, _) = vqgan.autoencoder_loss(config, {"params": params}, state, vectors, IMAGES, MODE)
            return value, metrics

        slopes, metrics = jax.jit(jax.grad(loss, has_aux=True))(variables["params"])
        return slopes["decoder"]["outputs"]["kernel"], metrics

    alone, _ = of_last_layer(dataclasses.replace(TINY, discriminator=None))
    both, metrics = of_last_layer(dataclasses.replace(TINY, adversarial=Adversarial(weight=1.0, begin=0)))
    wanted = jnp.linalg.norm(alone) - 1e-4 * metrics["adaptive_weight"]
    np.testing.assert_allclose(jnp.linalg.norm(both - alone), wanted, rtol=1e-3)
    assert wanted > 0.5 * jnp.linalg.norm(alone)


def test_until_the_game_begins_the_autoencoder_learns_as_without_it():
    """And the discriminator stands still."""
    late = dataclasses.replace(TINY, features=None, adversarial=Adversarial(begin=5))
    without = dataclasses.replace(TINY, features=None, discriminator=None)
    states = [
        jax.jit(functools.partial(vqgan.update, config))(init(config, jax.random.key(0)), IMAGES, jax.random.key(3))[0]
        for config in (late, without)
    ]
    chex.assert_trees_all_close(states[0].autoencoder.params, states[1].autoencoder.params, atol=1e-6)
    chex.assert_trees_all_equal(states[0].discriminator.params, init(late, jax.random.key(0)).discriminator.params)


def test_codes_begin_near_0_and_the_defaults_have_the_authors_sizes():
    state = jax.eval_shape(lambda: vqgan.init(vqgan.Config(), jax.random.key(0)))
    assert state.codebook.params["embedding"].shape == (1024, 256)
    assert vqgan.code_grids.grid_shape(vqgan.Config()) == (16, 16, 256)
    vectors = init(dataclasses.replace(TINY, codebook=ByGradient()), jax.random.key(0)).codebook.params["embedding"]
    assert 0.8 / 6 < jnp.abs(vectors).max() <= 1 / 6 and jnp.abs(vectors.mean()) < 0.1


def test_a_decoder_whose_last_layer_has_another_name_cannot_play():
    config = dataclasses.replace(TINY, decoder=MLP((4,)))
    with pytest.raises(ValueError, match="the decoder has no layer called 'outputs'"):
        jax.eval_shape(lambda: vqgan.init(config, jax.random.key(0)))
    jax.eval_shape(lambda: vqgan.init(dataclasses.replace(config, discriminator=None), jax.random.key(0)))
