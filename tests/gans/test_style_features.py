"""Features between the layers of all style-based generators: read, replaced, and taken from another generator."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import style_features, styles
from jaxgen.nets.hook_point import Features
from tests.nets.test_hook_point import NETS

SHAPES = {"stylegan": (8, 8, 1), "stylegan2": (8, 8, 1), "stylegan3": (16, 16, 1)}


@functools.cache
def drawn(name, seed=0):
    """A network as a function of ws, with weights that all count."""
    net, shape = NETS[name], SHAPES[name]
    num = net.num_styles(shape)
    ws = jnp.zeros((1, num, 3))
    fresh = jax.eval_shape(lambda: net.init(jax.random.key(0), ws, shape))
    generator = np.random.default_rng(seed)
    variables: Any = jax.tree.map(lambda leaf: generator.normal(size=leaf.shape).astype(np.float32), fresh)
    if name == "stylegan3":
        variables = {**variables, "magnitudes": jax.tree.map(np.abs, variables["magnitudes"])}
    with jax.ensure_compile_time_eval():  # not a tracer of the first caller
        variables = jax.tree.map(jnp.asarray, variables)
    return lambda ws: net.apply(variables, ws, shape)


def ws_of(name, seed=1, num=3):
    return jax.random.normal(jax.random.key(seed), (num, NETS[name].num_styles(SHAPES[name]), 3))


@pytest.mark.parametrize("name", NETS)
def test_features_after_a_layer_and_the_styles_behind_it_make_the_image(name):
    """All of another image's features after layer i: the mixture that has its styles up to i."""
    draw, ws, others = drawn(name), ws_of(name, 1), ws_of(name, 2)

    @jax.jit
    def both(ws, others):
        found, wanted = [], []
        for layer in (0, 1, ws.shape[1] - 1):
            kept = style_features.features_at(draw, others, layer)
            found.append(style_features.edited(draw, ws, {layer: lambda _, kept=kept: kept}))
            wanted.append(draw(styles.mix(others, ws, layer + 1)))
        return found, wanted, draw(ws)

    found, wanted, images = both(ws, others)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5 * np.abs(other).max())
    assert np.abs(np.diff(np.stack([images, *wanted]), axis=0)).max((1, 2, 3, 4)).min() > 1e-3


def test_an_edit_sees_what_the_edits_before_it_have_made():
    draw, ws = drawn("stylegan2"), ws_of("stylegan2")

    def doubled(features):
        return Features(2 * features.hidden, features.image)

    last = ws.shape[1] - 1

    @jax.jit
    def images(ws):
        seen = []
        keep = {2: doubled, last: lambda features: seen.append(features.image) or features}
        return style_features.edited(draw, ws, keep), seen[0], draw(ws)

    edited, seen, plain = images(ws)
    np.testing.assert_array_equal(edited, seen)
    assert np.abs(edited - plain).max() > 1e-3


@pytest.mark.parametrize("name", NETS)
def test_a_generator_that_goes_on_after_itself_is_itself(name):
    draw, other, ws = drawn(name), drawn(name, 7), ws_of(name)

    @jax.jit
    def images(ws):
        layers = 0, ws.shape[1] - 1
        own = [style_features.continued(draw, draw, ws, layer) for layer in layers]
        return own, [style_features.continued(draw, other, ws, layer) for layer in layers], draw(ws), other(ws)

    own, mixed, image, further = images(ws)
    for one in own:
        np.testing.assert_allclose(one, image, atol=1e-6 * np.abs(image).max())
    assert min(np.abs(mixed[0] - end).max() for end in (image, further)) > 1e-3


def test_sizes_of_maps_are_those_of_the_layers():
    sizes = style_features.map_sizes(drawn("stylegan2"), ws_of("stylegan2"))
    assert sizes == {0: (4, 4), 1: (8, 8), 2: (8, 8), 3: (8, 8)}


def test_layers_and_features_that_do_not_fit_are_refused():
    draw, ws = drawn("stylegan2"), ws_of("stylegan2")
    with pytest.raises(ValueError, match=r"layers is \[4\], but must be in \[0, 4\), the layers that have styles"):
        jax.eval_shape(lambda ws: style_features.features_at(draw, ws, 4), ws)
    with pytest.raises(ValueError, match=r"features after layer 1 is .* use runs of one network"):
        jax.eval_shape(lambda ws: style_features.continued(drawn("stylegan"), draw, ws, 1), ws)
