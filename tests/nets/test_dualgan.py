"""DualGAN's networks: sizes of the authors' code, an innermost pixel that says nothing, dropout, refused sizes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets import dualgan
from jaxgen.nets.dualgan import DualGANCritic, DualGANTranslator
from tests.nets.parameters import count, zeros


def test_parameter_counts_are_those_of_the_authors_code():
    images = zeros(256, 256, 3)
    assert count(DualGANTranslator(), images, (256, 256, 3)) == 30_627_907
    assert count(DualGANCritic(), images) == 3_949_441
    assert count(DualGANCritic(patches=True), images) == 3_921_281


def test_a_critic_gives_one_score_for_an_image_or_a_map_of_them():
    images = zeros(256, 256, 3)
    shapes = [
        jax.eval_shape(lambda net=net: net.init_with_output(jax.random.key(0), images)[0]).shape
        for net in (DualGANCritic(), DualGANCritic(patches=True))
    ]
    assert shapes == [(1,), (1, 4, 4)]


def test_an_innermost_map_of_one_pixel_carries_nothing_of_the_image(monkeypatch):
    """Of 4x4 pixels and two halvings it is one pixel, which its norm makes the offset."""
    found = []
    real = dualgan.normalize
    monkeypatch.setattr(dualgan, "normalize", lambda *inputs: found.append(real(*inputs)) or found[-1])
    net, images = DualGANTranslator(channels=2, downs=2), jax.random.normal(jax.random.key(0), (2, 4, 4, 1))
    net.init(jax.random.key(1), images, (4, 4, 1))
    assert found[0].shape == (2, 1, 1, 4) and not found[0].any()


@pytest.mark.parametrize(("downs", "num"), [(2, 1), (3, 2), (4, 3), (5, 3)])
def test_dropout_lies_on_the_three_innermost_doublings_under_numbers_of_their_own(downs, num, monkeypatch):
    found, side = [], 2**downs
    monkeypatch.setattr("jaxgen.nets.dropout.fold", lambda keys, layer: found.append(layer) or keys)
    net, mode = (
        DualGANTranslator(channels=1, downs=downs),
        Mode(keys=jax.random.split(jax.random.key(0), 1), train=True),
    )
    images = jnp.ones((1, side, side, 1))
    jax.eval_shape(lambda: net.init(jax.random.key(0), images, images.shape[1:], mode=mode))
    assert found == list(range(num))


def test_sizes_that_do_not_halve_are_refused():
    with pytest.raises(ValueError, match="size of the images is 24x32, but must be a multiple of 16x16"):
        DualGANTranslator(downs=4).init(jax.random.key(0), zeros(24, 32, 3), (24, 32, 3))
    with pytest.raises(ValueError, match="as the inputs are"):
        DualGANTranslator(downs=2).init(jax.random.key(0), zeros(8, 8, 3), (16, 16, 3))
    with pytest.raises(ValueError, match="size of the images is 48x64"):
        DualGANCritic().init(jax.random.key(0), zeros(48, 64, 3))
    with pytest.raises(ValueError, match=r"output_shape is \(2,\)"):
        DualGANCritic().init(jax.random.key(0), zeros(32, 32, 3), (2,))


def test_scores_of_an_image_do_not_depend_on_the_others():
    net, images = DualGANCritic(channels=2, layers=2), jax.random.normal(jax.random.key(0), (3, 8, 8, 1))
    variables = net.init(jax.random.key(1), images)
    np.testing.assert_allclose(net.apply(variables, images)[1:2], net.apply(variables, images[1:2]), rtol=1e-5)
