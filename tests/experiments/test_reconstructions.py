"""Reconstructions of models whose codes are vectors, and of those whose codes are not."""

import dataclasses

import jax
import numpy as np
import pytest

from experiments import experiment, pictures
from experiments.errors import UserError
from jaxgen.autoencoders import vq_vae, wae
from jaxgen.images import scale, to_pixels
from jaxgen.nets.mlp import MLP
from jaxgen.nets.pixelcnn import PixelCNN

GRID_OF_CODES = vq_vae.Config(
    image_shape=(4, 4, 1),
    halvings=1,
    num_codes=4,
    code_dim=2,
    encoder=MLP((8,)),
    decoder=MLP((8,)),
    prior=PixelCNN(2, 1),
)
VECTORS = wae.Config(image_shape=(4, 4, 1), latent_dim=2, encoder=MLP((8,)), decoder=MLP((8,)))


def test_reconstructions_are_the_models_own():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 1), np.uint8)
    images = scale(jax.numpy.asarray(pixels), (-1.0, 1.0))
    state = vq_vae.init(GRID_OF_CODES, jax.random.key(0))
    wanted = to_pixels(vq_vae.reconstruct(GRID_OF_CODES, state, images), (-1.0, 1.0))
    np.testing.assert_allclose(pictures.reconstruct(GRID_OF_CODES, state, pixels, None).astype(int), wanted, atol=1)
    state = wae.init(VECTORS, jax.random.key(0))
    latents = wae.to_latents(VECTORS, state, scale(jax.numpy.asarray(pixels), (0.0, 1.0)))
    wanted = to_pixels(wae.from_latents(VECTORS, state, latents), (0.0, 1.0))
    np.testing.assert_allclose(pictures.reconstruct(VECTORS, state, pixels, None).astype(int), wanted, atol=1)


def test_a_grid_of_codes_has_reconstructions_and_no_scatter_of_latents():
    chosen = dataclasses.replace(experiment.load("vq_vae_mnist"), model=GRID_OF_CODES)
    pictures.check(dataclasses.replace(chosen, pictures=("samples", "reconstructions")))
    with pytest.raises(UserError, match="vq_vae makes no image from a latent vector alone"):
        pictures.check(dataclasses.replace(chosen, pictures=("codes",)))
    generator = dataclasses.replace(experiment.load("wgan_gp_digits"), pictures=("reconstructions",))
    with pytest.raises(UserError, match="wgan_gp has no encoder"):
        pictures.check(generator)
