import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.latents.inpainting import Inpainting, inpaint, random_holes
from jaxgen.losses import context_error, context_weights
from jaxgen.minimization import Descent
from jaxgen.optimizers import Adam, Cosine, Optimizer
from jaxgen.translation.masks import CenterSquare, draw_masks
from tests.latents.test_projection import SHAPE, draws, network

SHORT = Inpainting(Descent(Optimizer(0.1, Adam(), schedule=Cosine(300)), steps=300))
MASK = draw_masks(CenterSquare(2), jax.random.key(0), 3, SHAPE)


def fill(settings=SHORT):
    return jax.jit(functools.partial(inpaint, settings, network))


def test_holes_in_images_of_the_generator_are_filled_with_what_was_there():
    images = network(draws(3))
    hidden = jnp.where(MASK > 0, images, jnp.nan)
    found = fill()(hidden, MASK, draws(3, 4))
    np.testing.assert_allclose(found.images, images, atol=0.01)
    known = np.broadcast_to(MASK > 0, images.shape)
    np.testing.assert_array_equal(np.asarray(found.images)[known], np.asarray(images)[known])
    np.testing.assert_allclose(found.fills, network(found.latents), atol=1e-6)
    weights = context_weights(MASK[..., 0])
    np.testing.assert_allclose(found.values, context_error(found.fills, images, weights), atol=1e-5)


def test_an_image_without_a_hole_comes_back_as_it_is():
    images = jax.random.uniform(jax.random.key(1), (3, *SHAPE))
    found = fill()(images, jnp.ones_like(MASK), draws(3, 1))
    np.testing.assert_array_equal(found.images, images)
    np.testing.assert_array_equal(found.values, 0.0)


def test_a_prior_of_weight_draws_the_fills_to_what_is_like_the_data():
    def bright(images):
        return -images.mean(axis=(1, 2, 3))

    images, starts = network(draws(3)), draws(3, 2)
    plain = fill()(images, MASK, starts)
    none = fill(Inpainting(SHORT.minimizer, prior_weight=0.0, prior=bright))(images, MASK, starts)
    np.testing.assert_array_equal(none.fills, plain.fills)
    spoilt = Inpainting(SHORT.minimizer, prior_weight=0.0, prior=lambda images: jnp.nan * bright(images))
    np.testing.assert_array_equal(fill(spoilt)(images, MASK, starts).fills, plain.fills)  # it is not computed
    drawn = fill(Inpainting(SHORT.minimizer, prior_weight=100.0, prior=bright))(images, MASK, starts)
    assert (drawn.fills.mean(axis=(1, 2, 3)) > plain.fills.mean(axis=(1, 2, 3))).all()


def test_latents_keep_to_the_support():
    small = Inpainting(SHORT.minimizer, support=lambda latents: latents.clip(-0.1, 0.1))
    assert np.abs(fill(small)(network(draws(3)), MASK, draws(3, 1)).latents).max() <= 0.1


def test_a_batch_over_devices_is_filled_as_the_whole():
    images, mask = network(draws(4)), jnp.concatenate([MASK, MASK[:1]])
    wanted = fill()(images, mask, draws(4, 1))
    mesh, spec = jax.sharding.Mesh(np.array(jax.devices()), ("i",)), jax.sharding.PartitionSpec
    places = [jax.sharding.NamedSharding(mesh, part) for part in (spec("i"), spec("i"), spec(None, "i"))]
    found = fill()(*jax.device_put((images, mask, draws(4, 1)), tuple(places)))
    np.testing.assert_allclose(found.images, wanted.images, atol=1e-3)


def test_holes_of_single_pixels_have_their_share():
    uniform = jax.random.uniform(jax.random.key(2), (50, 20, 20, 1))
    assert float(1 - random_holes(uniform, 0.8).mean()) == pytest.approx(0.8, abs=0.01)
    assert random_holes(uniform, 0.0).all() and not random_holes(uniform, 1.0).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fill()(jnp.zeros((3, *SHAPE)), MASK[:2], draws(3, 1)), r"shape of mask is \(2, 4, 4, 1\)"),
        (lambda: fill()(jnp.zeros((3, *SHAPE)), MASK, draws(2, 1)), r"shape of starts is \(1, 2, 3\)"),
        (lambda: Inpainting(window=0), "window is 0, but must be at least 1"),
        (lambda: Inpainting(prior_weight=-1.0), "prior_weight is -1.0, but must be at least 0"),
        (lambda: random_holes(MASK, 1.5), r"share is 1.5, but must be in \[0, 1\]"),
    ],
)
def test_what_cannot_be_filled_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()
