import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import cgan
from jaxgen.gans.drawing import Drawing
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from jaxgen.priors import Normal, Uniform

CONFIG = cgan.Config(
    image_shape=(2,),
    value_range=None,
    num_classes=2,
    prior=Normal(3),
    generator=ConcatCondition(MLP((5,), norm="batch")),
    discriminator=ConcatCondition(MLP((4,))),
)


@pytest.fixture(scope="module")
def state():
    return cgan.init(CONFIG, jax.random.key(0))


@pytest.mark.parametrize(("threshold", "variance"), [(2.0, 0.7737), (1.0, 0.2911), (0.5, 0.0806)])
def test_coordinates_beyond_the_threshold_are_drawn_anew_not_clipped(threshold, variance):
    """The variances are those of a truncated normal distribution; clipping puts mass at the threshold itself."""
    latents = np.asarray(Drawing(threshold).latents(Normal(20), jax.random.key(1), 2_000))
    assert latents.shape == (2_000, 20) and np.abs(latents).max() < threshold
    np.testing.assert_allclose(latents.var(), variance, rtol=0.02)
    np.testing.assert_allclose(latents.mean(), 0, atol=0.02)
    assert (np.abs(latents) > 0.999 * threshold).mean() < 0.005


def test_an_image_has_the_same_latents_however_many_are_drawn_with_keys_of_their_own():
    keys, drawing = jax.random.split(jax.random.key(1), 4), Drawing(1.0)
    every = drawing.latents(Normal(3), keys, 4)
    np.testing.assert_array_equal(drawing.latents(Normal(3), keys[2:], 2), every[2:])


def test_without_settings_latents_and_variables_are_as_they_were(state):
    key = jax.random.key(1)
    np.testing.assert_array_equal(Drawing().latents(Normal(3), key, 4), Normal(3).draw(key, 4))
    assert Drawing().statistics(CONFIG, state.ema) is state.ema


@pytest.mark.parametrize(("threshold", "variance"), [(None, 1.0), (1.0, 0.2911)])
def test_standing_statistics_are_those_of_the_latents_that_samples_are_drawn_from(state, threshold, variance):
    """Before the batch norm stands W [z, y] + b, whose mean over z and y and variance are known."""
    drawing = Drawing(threshold, standing=200)
    variables = jax.jit(lambda variables: drawing.statistics(CONFIG, variables))(state.ema)
    (dense, *_) = [
        leaf for path, leaf in jax.tree_util.tree_leaves_with_path(state.ema["params"]) if leaf.shape == (5, 5)
    ]
    (mean,) = [leaf for path, leaf in jax.tree_util.tree_leaves_with_path(variables) if path[-1].key == "mean"]
    (var,) = [leaf for path, leaf in jax.tree_util.tree_leaves_with_path(variables) if path[-1].key == "var"]
    of_z, of_y = dense[:3], dense[3:]
    np.testing.assert_allclose(mean, of_y.mean(0), atol=0.05)
    expected = variance * (of_z**2).sum(0) + (of_y[0] - of_y[1]) ** 2 / 4  # a class is 0 or 1, each half of the time
    np.testing.assert_allclose(var, expected, rtol=0.05)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, variables["params"], state.ema["params"]))


def test_a_network_without_batch_statistics_has_none_to_replace():
    config = dataclasses.replace(CONFIG, generator=ConcatCondition(MLP((5,))))
    variables = cgan.init(config, jax.random.key(0)).ema
    assert Drawing(standing=3).statistics(config, variables) is variables


def test_images_are_drawn_with_the_standing_statistics(state):
    latents, labels = jnp.ones((2, 3)), jnp.array([0, 1], jnp.int32)
    standing = dataclasses.replace(CONFIG, drawing=Drawing(standing=5))
    variables = standing.drawing.statistics(standing, state.ema)
    wanted = cgan.from_latents(CONFIG, state._replace(ema=variables), latents, labels)
    np.testing.assert_allclose(cgan.from_latents(standing, state, latents, labels), wanted, rtol=1e-5)
    assert np.abs(wanted - cgan.from_latents(CONFIG, state, latents, labels)).max() > 1e-3


def test_settings_without_meaning_are_refused():
    with pytest.raises(ValueError, match=r"threshold is 0\.0, but must be above 0, or None"):
        Drawing(0.0)
    with pytest.raises(ValueError, match="standing is -1, but must be at least 0"):
        Drawing(standing=-1)
    with pytest.raises(ValueError, match="only Normal is truncated"):
        Drawing(1.0).latents(Uniform(3), jax.random.key(0), 2)
