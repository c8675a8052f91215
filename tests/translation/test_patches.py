"""Games for maps of scores: every patch of every image counts alike."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.gans.objectives import LeastSquares, Relativistic
from jaxgen.mode import Mode
from jaxgen.nets.pix2pix import PatchDiscriminator
from jaxgen.translation.patches import discriminator_value, example_scorer, generator_value, outputs_of, patch_scorer

IMAGES = jax.random.normal(jax.random.key(0), (2, 16, 16, 1))
NET = PatchDiscriminator(channels=2, layers=1)


def test_scores_of_a_batch_are_those_of_all_patches():
    variables = dict(NET.init(jax.random.key(1), IMAGES))
    scores, after = patch_scorer(NET)(variables, IMAGES, Mode(train=True))
    maps, _ = NET.apply(variables, IMAGES, mode=Mode(train=True), mutable=["batch_stats"])
    np.testing.assert_array_equal(scores, maps.reshape(-1))
    assert "batch_stats" in after and scores.shape == (2 * 6 * 6,)


def test_values_are_means_over_patches():
    real, fake = jnp.array([1.0, 2.0, 3.0]), jnp.array([0.0, 1.0, 2.0])
    value, metrics = discriminator_value(LeastSquares(), real, fake, Mode())
    np.testing.assert_allclose(value, (0 + 1 + 4) / 6 + (0 + 1 + 4) / 6)
    assert set(metrics) == {"real_certainty", "fake_certainty"}
    np.testing.assert_allclose(generator_value(LeastSquares(), None, fake, Mode()), (1 + 0 + 1) / 6)


def test_real_patches_count_where_the_objective_compares():
    real, fake = jnp.array([1.0, 2.0]), jnp.array([0.0, 3.0])
    paired = Relativistic(average=False)
    wanted = jax.nn.softplus(real - fake).mean()
    np.testing.assert_allclose(generator_value(paired, real, fake, Mode()), wanted, rtol=1e-6)


def test_values_of_several_scales_are_summed_and_their_logs_are_means():
    real, fake = (jnp.array([1.0, 2.0]), jnp.array([0.0])), (jnp.array([0.0, 1.0]), jnp.array([3.0]))
    value, metrics = discriminator_value(LeastSquares(), real, fake, Mode())
    each = [discriminator_value(LeastSquares(), *pair, Mode()) for pair in zip(real, fake, strict=True)]
    np.testing.assert_allclose(value, each[0][0] + each[1][0])
    for name in metrics:
        np.testing.assert_allclose(metrics[name], (each[0][1][name] + each[1][1][name]) / 2)
    found = generator_value(LeastSquares(), None, fake, Mode())
    np.testing.assert_allclose(found, sum(generator_value(LeastSquares(), None, one, Mode()) for one in fake))


def test_a_score_of_an_example_is_the_mean_over_its_patches():
    net = PatchDiscriminator(channels=2, layers=1, norm="none")
    variables = dict(net.init(jax.random.key(1), IMAGES))
    scores, _ = example_scorer(net)(variables, IMAGES)
    maps, _ = outputs_of(net)(variables, IMAGES)
    np.testing.assert_allclose(scores, np.asarray(maps).mean(axis=(1, 2)), rtol=1e-5)
