"""One grid of codes with a transformer as its prior: probabilities of whole grids, and the way to codes and back."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import code_grids, vq_vae
from jaxgen.mode import Mode
from jaxgen.nets.code_transformer import CodeTransformer
from jaxgen.nets.grid import GridDecoder, GridEncoder
from jaxgen.nets.mlp import MLP

CONFIG = vq_vae.Config(
    image_shape=(2, 2, 1),
    halvings=0,
    num_codes=3,
    code_dim=2,
    encoder=MLP((6,)),
    decoder=MLP((6,)),
    prior=CodeTransformer(8, blocks=1, heads=2),
)


@functools.cache
def state():
    """Whose prior is far from uniform."""
    fresh = jax.jit(functools.partial(vq_vae.init, CONFIG))(jax.random.key(0))
    params = jax.tree.map(
        lambda leaf: leaf + 0.7 * jax.random.normal(jax.random.key(leaf.size), leaf.shape), fresh.prior.params
    )
    return fresh._replace(prior=fresh.prior.replace(params=params))


def test_codes_are_drawn_with_the_probabilities_that_the_prior_gives_to_whole_grids():
    """All 2x2 grids of 3 codes: frequencies of 20,000 draws against exp(-NLL), which sum to one."""
    grids = jnp.stack(jnp.meshgrid(*[jnp.arange(3)] * 4, indexing="ij"), axis=-1).reshape(81, 2, 2)
    variables = state().prior.variables
    of_grid = jax.vmap(lambda grid: code_grids.prior_loss(CONFIG, variables, grid[None], Mode())[0])
    probabilities = np.exp(-np.asarray(jax.jit(of_grid)(grids)))
    assert probabilities.sum() == pytest.approx(1.0, rel=1e-5)
    assert probabilities.max() > 3 / 81
    draw = jax.jit(functools.partial(code_grids.draw_codes, CONFIG), static_argnums=2)
    codes = np.asarray(draw(state(), jax.random.key(5), 20_000)).reshape(-1, 4)
    found = np.bincount(codes @ np.array([27, 9, 3, 1]), minlength=81) / 20_000
    np.testing.assert_allclose(found, probabilities, atol=5 * np.sqrt(probabilities.max() / 20_000))


def test_samples_are_the_images_of_codes_that_are_drawn():
    key = jax.random.key(7)
    samples, codes = jax.jit(
        lambda state: (code_grids.sample(CONFIG, state, key, 3), code_grids.draw_codes(CONFIG, state, key, 3))
    )(state())
    np.testing.assert_allclose(samples, code_grids.from_codes(CONFIG, state(), codes), atol=1e-6)


def test_the_sides_of_the_grid_are_those_of_the_images_halved():
    config = dataclasses.replace(CONFIG, image_shape=(8, 12, 1), halvings=2)
    assert code_grids.grid_shape(config) == (2, 3, 2)
    assert code_grids.coders(vq_vae.Config(encoder=GridEncoder(4), decoder=GridDecoder(4)))["encoder"][2] == (8, 8, 64)
    with pytest.raises(ValueError, match="images of 8x10 do not halve 2 times: give fewer halvings"):
        code_grids.grid_shape(dataclasses.replace(config, image_shape=(8, 10, 1)))
