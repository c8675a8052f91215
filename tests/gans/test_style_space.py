"""The space S: scales as a generator makes them, and images of scales, for all style-based generators."""

from functools import partial

import jax
import numpy as np
import pytest

from jaxgen.gans import style_space, stylegan, stylegan2, stylegan3
from tests.gans import test_stylegan, test_stylegan2, test_stylegan3

MODELS = {
    "stylegan": (stylegan, test_stylegan.TINY),
    "stylegan2": (stylegan2, test_stylegan2.TINY),
    "stylegan3": (stylegan3, test_stylegan3.TINY),
}


@pytest.fixture(params=MODELS, scope="module")
def drawn(request):
    model, config = MODELS[request.param]
    state = jax.jit(partial(model.init, config))(jax.random.key(0))
    latents = config.prior.draw(jax.random.key(1), 2)
    return partial(model.from_w_plus, config, state), jax.jit(partial(model.to_w_plus, config, state))(latents)


def test_images_of_the_scales_of_ws_are_those_of_ws(drawn):
    draw, ws = drawn
    scales = jax.jit(partial(style_space.to_s, draw))(ws)
    assert scales and all(values.shape[0] == 2 for values in scales.values())
    np.testing.assert_allclose(jax.jit(partial(style_space.from_s, draw))(ws, scales), jax.jit(draw)(ws), atol=1e-5)


def test_all_scales_of_another_image_give_the_other_image_and_some_a_mixture(drawn):
    draw, ws = drawn
    other = jax.jit(partial(style_space.to_s, draw))(ws[::-1])
    from_s = jax.jit(partial(style_space.from_s, draw))
    images = jax.jit(draw)(ws)
    np.testing.assert_allclose(from_s(ws, other), images[::-1], atol=1e-5)
    first = next(iter(other))
    assert not np.allclose(from_s(ws, {first: other[first] + 1.0}), images, atol=1e-5)


def test_unknown_scales_are_refused(drawn):
    draw, ws = drawn
    with pytest.raises(ValueError, match=r"scales is .'nowhere'., but must be of linear maps that there are"):
        jax.eval_shape(lambda: style_space.from_s(draw, ws, {"nowhere": ws[:, 0]}))
