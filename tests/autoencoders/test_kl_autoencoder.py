import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import kl_autoencoder
from jaxgen.autoencoders.adaptive_weight import Adversarial
from jaxgen.autoencoders.patch_game import error_of
from jaxgen.mode import Mode
from jaxgen.nets.kl_autoencoder import LatentDecoder, LatentEncoder
from jaxgen.nets.mlp import MLP
from jaxgen.nets.pix2pix import PatchDiscriminator
from jaxgen.nets.vgg19 import VGG19
from tests import contract

TINY = kl_autoencoder.Config(
    (8, 8, 3),
    halvings=1,
    latent_channels=2,
    encoder=LatentEncoder(4, (1, 1), 1, dropout=0.25),
    decoder=LatentDecoder(4, (1, 1), 1, dropout=0.25),
    log_scale=8.0,  # sums over pixels have large gradients, whose rounding errors the laws would see
    kl_weight=0.5,
    features=VGG19(2, 1, channels=2),
    discriminator=PatchDiscriminator(
        2, layers=1, norm="none"
    ),  # a batch norm takes most of the slope of a mean score away
    adversarial=Adversarial(begin=0),
)
IMAGES = jax.random.uniform(jax.random.key(1), (4, 8, 8, 3), minval=-1.0)
NOISE = jax.random.normal(jax.random.key(2), (4, 4, 4, 2))
init = jax.jit(kl_autoencoder.init, static_argnums=0)


class TestContract(contract.Suite):
    case = contract.Case(
        kl_autoencoder,
        TINY,
        # the hinge loss of scores within its margins: an offset moves real and fake scores alike
        unreached=("['discriminator']['Conv_2']['bias']",),
        # sizes follow from each other, and attention stands at heights that there are
        refused=("halvings", "encoder.attention", "decoder.attention", "image_shape", "discriminator.layers"),
    )


def test_the_loss_is_that_of_equation_2():
    """Term by term, from the outputs, at a log scale that is not 0."""
    config = dataclasses.replace(TINY, discriminator=None)
    state, mode = init(config, jax.random.key(0)), Mode()
    variables = state.autoencoder.variables
    variables = variables | {"params": variables["params"] | {"log_scale": jnp.float32(0.3)}}
    loss, (metrics, _) = kl_autoencoder.autoencoder_loss(config, variables, state, IMAGES, NOISE, mode)
    posterior, _ = kl_autoencoder.encode(config, variables, IMAGES)
    outputs, _ = kl_autoencoder.decode(config, variables, posterior.mean + jnp.exp(posterior.logvar / 2) * NOISE)
    pixels = np.abs(outputs - IMAGES).mean()
    error = error_of(config, state, outputs, IMAGES).mean()
    assert error > pixels  # by the error of the features
    mean, logvar = posterior
    kl = 0.5 * np.square(mean).sum() / 4 + 0.5 * (np.exp(logvar) - 1 - logvar).sum() / 4
    np.testing.assert_allclose(metrics["kl"], kl, rtol=1e-4)
    np.testing.assert_allclose(loss, 192 * (error * np.exp(-0.3) + 0.3) + 0.5 * kl, rtol=1e-4)
    np.testing.assert_allclose(metrics["absolute_error"], pixels, rtol=1e-5)


@pytest.mark.exhaustive
def test_the_game_begins_at_its_step_and_the_discriminator_stands_still_before():
    config = dataclasses.replace(TINY, adversarial=Adversarial(begin=1))
    state, update = init(config, jax.random.key(0)), jax.jit(kl_autoencoder.update, static_argnums=0)
    first, before = update(config, state, IMAGES, jax.random.key(3))
    second, after = update(config, first, IMAGES, jax.random.key(4))
    moved = [
        max(jnp.abs(a - b).max() for a, b in zip(*map(jax.tree.leaves, (old, new)), strict=True))
        for old, new in (
            (state.discriminator.params, first.discriminator.params),
            (first.discriminator.params, second.discriminator.params),
        )
    ]
    assert moved[0] == 0 and moved[1] > 0
    assert before["discriminator_loss"] == 0 and after["discriminator_loss"] > 0
    rest = before["reconstruction_loss"] + TINY.kl_weight * before["kl"]
    np.testing.assert_allclose(before["autoencoder_loss"], rest, rtol=1e-5)
    game = TINY.adversarial.weight * after["adaptive_weight"] * after["generator_loss"]
    rest = after["reconstruction_loss"] + TINY.kl_weight * after["kl"]
    np.testing.assert_allclose(after["autoencoder_loss"], rest + game, rtol=1e-5)


def test_a_decoder_whose_last_layer_has_another_name_cannot_play():
    config = dataclasses.replace(TINY, decoder=MLP((4,)))
    with pytest.raises(ValueError, match="the decoder has no layer called 'outputs'"):
        jax.eval_shape(lambda: kl_autoencoder.init(config, jax.random.key(0)))
    jax.eval_shape(lambda: kl_autoencoder.init(dataclasses.replace(config, discriminator=None), jax.random.key(0)))
