"""Noise inputs layer by layer, for the style-based generators."""

from dataclasses import replace
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import noise_inputs, stylegan, stylegan2, stylegan3, styles
from jaxgen.mode import Mode
from jaxgen.nets.noise_maps import noise_map
from tests.gans import test_stylegan, test_stylegan2, test_stylegan3


def made(model, config):
    """A state whose noise is heard, and ws."""
    state = jax.jit(partial(model.init, config))(jax.random.key(0))
    loud = jax.tree_util.tree_map_with_path(
        lambda path, leaf: leaf + 0.5 if "noise_strength" in str(path[-1]) else leaf, state.ema
    )
    state = state._replace(ema=loud)
    return state, jax.jit(partial(model.to_w_plus, config))(state, config.prior.draw(jax.random.key(1), 2))


@pytest.mark.parametrize(
    ("model", "config"),
    [(stylegan, test_stylegan.TINY), (stylegan2, replace(test_stylegan2.TINY, image_shape=(8, 8, 1)))],
    ids=["stylegan", "stylegan2"],
)
def test_layers_are_in_order_of_size_and_noise_without_factor_is_none(model, config):
    state, ws = made(model, config)
    sizes = noise_inputs.map_sizes(partial(model.from_w_plus, config, state), ws)
    heights = [height for height, _ in sizes.values()]
    assert heights == sorted(heights) and heights[-1] == config.image_shape[0] and len(heights) >= 2
    keys = [jax.random.split(jax.random.key(seed), 2) for seed in (2, 3)]
    draw = jax.jit(lambda state, keys: model.from_w_plus(config, state, ws, Mode(keys)))
    one, other = (draw(state, each) for each in keys)
    assert not np.allclose(one, other, atol=1e-3)
    quiet = noise_inputs.scaled(state, dict.fromkeys(sizes, 0.0))
    np.testing.assert_array_equal(*(draw(quiet, each) for each in keys))
    part = noise_inputs.scaled(state, {next(iter(sizes)): 0.0})
    found = [draw(part, each) for each in keys]
    assert not np.allclose(*found, atol=1e-3) and not np.allclose(found[0], one, atol=1e-3)
    chex.assert_trees_all_equal(noise_inputs.scaled(state, {}), state)
    tripled = jax.tree.leaves(noise_inputs.scaled(state, {next(iter(sizes)): 3.0}))
    changed = [pair for pair in zip(tripled, jax.tree.leaves(state), strict=True) if (pair[0] != pair[1]).any()]
    assert len(changed) == 1 and (changed[0][0] == 3.0 * changed[0][1]).all()


def test_a_generator_without_noise_inputs_has_no_layers_and_other_names_are_refused():
    config = test_stylegan3.TINY
    state = jax.eval_shape(partial(stylegan3.init, config), jax.random.key(0))
    ws = jax.eval_shape(partial(styles.to_w_plus, config), state, jax.ShapeDtypeStruct((2, *config.prior.shape), "f4"))
    zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), (state.ema, ws))
    state = state._replace(ema=zeros[0])
    assert noise_inputs.map_sizes(partial(stylegan3.from_w_plus, config, state), zeros[1]) == {}
    with pytest.raises(ValueError, match=r"layers is .'layer0'., but must be layers with noise inputs"):
        noise_inputs.scaled(state, {"layer0": 0.0})


def test_maps_that_are_given_take_the_place_of_drawn_and_of_fixed_ones():
    config = replace(test_stylegan2.TINY, image_shape=(8, 8, 1))
    state, ws = made(stylegan2, config)
    sizes = noise_inputs.map_sizes(partial(stylegan2.from_w_plus, config, state), ws)
    draw = jax.jit(lambda state, keys: stylegan2.from_w_plus(config, state, ws, Mode(keys)))
    keys = jax.random.split(jax.random.key(2), 2)
    fixed = {
        layer: noise_map(size, 2, number, Mode())
        for layer, size, number in zip(sizes, sizes.values(), range(len(sizes)), strict=True)
    }
    given = noise_inputs.with_maps(state, fixed)
    np.testing.assert_allclose(draw(given, keys), draw(state, None), atol=1e-5)
    np.testing.assert_allclose(draw(given, keys), draw(given, None), atol=1e-6)
    none = noise_inputs.with_maps(state, {layer: jnp.zeros((2, *size, 1)) for layer, size in sizes.items()})
    quiet = noise_inputs.scaled(state, dict.fromkeys(sizes, 0.0))
    np.testing.assert_allclose(draw(none, keys), draw(quiet, keys), atol=1e-6)
    with pytest.raises(ValueError, match=r"layers is \['nowhere'\], but must be layers with noise inputs"):
        noise_inputs.with_maps(state, {"nowhere": jnp.zeros((1, 4, 4, 1))})
