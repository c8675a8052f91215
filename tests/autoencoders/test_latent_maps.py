import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import latent_maps
from jaxgen.autoencoders.latent_maps import Compressed, Posterior, latent_shape
from jaxgen.nets.grid import GridDecoder, GridEncoder
from jaxgen.train_state import freeze_parts

SMALL = Compressed(GridEncoder(4, 1, 2), GridDecoder(4, 1, 2), halvings=1, latent_channels=2)
IMAGES = jax.random.normal(jax.random.key(0), (3, 4, 6, 1))


def test_images_become_maps_and_maps_images():
    variables = freeze_parts(latent_maps.parts(SMALL, (4, 6, 1)), "autoencoder", jax.random.key(1)).variables
    posterior, _ = latent_maps.encode(SMALL, variables, 1e4 * IMAGES)
    assert posterior.mean.shape == posterior.logvar.shape == (3, *latent_shape(SMALL, (4, 6, 1))) == (3, 2, 3, 2)
    assert posterior.logvar.min() == -30 and posterior.logvar.max() == 20
    images, _ = latent_maps.decode(SMALL, variables, posterior.mean, (4, 6, 1))
    assert images.shape == IMAGES.shape


def test_latents_are_drawn_with_the_deviation_of_the_posterior():
    posterior = Posterior(jnp.ones((1, 1, 1, 2)), jnp.log(jnp.array([[[[4.0, 9.0]]]])))
    np.testing.assert_allclose(latent_maps.draw(posterior, jnp.full((1, 1, 1, 2), 0.5)), [[[[2.0, 2.5]]]], rtol=1e-6)


def test_images_that_do_not_halve_are_refused():
    with pytest.raises(ValueError, match="size of images is 5x6, but must be a multiple of 2x2 for 1 halvings"):
        latent_shape(SMALL, (5, 6, 1))
