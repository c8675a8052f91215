"""Images of any size made larger, and networks between two networks."""

import dataclasses
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.srresnet import SRResNet
from jaxgen.translation import enlargement, srresnet

CONFIG = srresnet.Config((6, 8, 3), input_shape=(3, 4, 3), generator=SRResNet(2, 1))


@pytest.fixture(scope="module")
def variables():
    return CONFIG.generator.init(jax.random.key(0), jnp.zeros((1, 3, 4, 3)), (6, 8, 3))


def test_images_of_any_size_are_enlarged_by_the_factor_and_clipped_when_drawn(variables):
    images = jax.random.normal(jax.random.key(1), (2, 5, 3, 3))
    outputs, _ = enlargement.enlarge(CONFIG, variables, images)
    assert outputs.shape == (2, 10, 6, 3) and jnp.abs(outputs).max() > 1
    state = SimpleNamespace(ema=variables)
    drawn = enlargement.sample(CONFIG, state, jax.random.key(0), 2, images)
    np.testing.assert_allclose(drawn, jnp.clip(outputs, -1, 1), atol=1e-6)
    boundless = dataclasses.replace(CONFIG, value_range=None)
    np.testing.assert_allclose(enlargement.sample(boundless, state, jax.random.key(0), 2, images), outputs, atol=1e-6)
    with pytest.raises(ValueError, match="condition is None, but must be the images to enlarge"):
        enlargement.sample(CONFIG, state, jax.random.key(0), 2)


def test_the_factor_is_a_whole_number_for_both_sides():
    assert enlargement.factor(CONFIG) == 2
    for shape in ((7, 8, 3), (6, 12, 3), (2, 3, 3)):
        with pytest.raises(ValueError, match=r"image_shape is .* a whole number of times as high and wide as 3x4"):
            enlargement.factor(dataclasses.replace(CONFIG, image_shape=shape))


def test_networks_between_two_networks_begin_and_end_with_them():
    one, other = {"a": jnp.ones(3)}, {"a": jnp.arange(3.0)}
    assert enlargement.interpolate(one, other, 0.0)["a"].tolist() == [1, 1, 1]
    assert enlargement.interpolate(one, other, 1.0)["a"].tolist() == [0, 1, 2]
    assert enlargement.interpolate(one, other, 0.5)["a"].tolist() == [0.5, 1, 1.5]
