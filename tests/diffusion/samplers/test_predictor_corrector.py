"""The predictor stands in test_oracles.py; here the corrector, their order and their numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.grids import Linspace
from jaxgen.diffusion.predictions import Noise
from jaxgen.diffusion.samplers import PredictorCorrector, run
from jaxgen.diffusion.samplers.path import path
from jaxgen.diffusion.schedules import VE, VP, LinearBetas, Sigmas, SubVP
from tests.diffusion.oracles import gaussian, marginal

MEAN, DEVIATION = 0.3, 0.2


def test_discrete_steps_have_the_numbers_of_the_authors_code():
    """a^2 = 1 - beta and b^2 = beta where the process preserves variance."""
    betas = LinearBetas().betas()[::-1]
    rows = PredictorCorrector(1000, 0).rows(LinearBetas())
    np.testing.assert_allclose(rows.a**2, 1 - betas, rtol=1e-9)
    np.testing.assert_allclose(rows.b**2, betas, rtol=1e-7)


@pytest.mark.parametrize("schedule", [VE(), Sigmas()], ids=str)
def test_steps_of_exploding_variance_take_away_the_difference_of_the_variances(schedule):
    rows, steps = PredictorCorrector(10, 0).rows(schedule), path(schedule, Linspace(), 10, to_data=True)
    np.testing.assert_array_equal(rows.a, 1.0)
    np.testing.assert_allclose(rows.b**2, steps.points.level.sigma**2 - steps.next.level.sigma**2)


@pytest.mark.parametrize("corrections", [0, 1, 3])
def test_each_time_is_corrected_before_its_step_and_the_last_step_is_without_noise(corrections):
    sampler = PredictorCorrector(5, corrections)
    rows = sampler.rows(VP())
    assert sampler.evaluations == len(rows.a) == 5 * (corrections + 1)
    np.testing.assert_array_equal(rows.corrects, ([1.0] * corrections + [0.0]) * 5)
    np.testing.assert_array_equal(rows.point.time, np.repeat(Linspace().times(VP(), 5), corrections + 1))
    np.testing.assert_array_equal(rows.noisy, [1.0] * (len(rows.a) - 1) + [0.0])


def test_a_correction_is_the_papers_equation_for_each_example():
    sampler = PredictorCorrector(4, 1, signal_to_noise=0.3)
    row = jax.tree.map(lambda numbers: jnp.float32(numbers[2]), sampler.rows(SubVP()))
    x, z = jax.random.normal(jax.random.key(0), (2, 3, 5))
    found, _ = sampler.step(gaussian(MEAN, DEVIATION, Noise()), (x, ()), row, z)
    for i in range(3):
        mean, deviation = marginal(row.point.level, MEAN, DEVIATION)
        score = -(x[i] - mean) / deviation**2
        size = 2 * row.a**2 * (0.3 * jnp.linalg.norm(z[i]) / jnp.linalg.norm(score)) ** 2
        np.testing.assert_allclose(found[i], x[i] + size * score + jnp.sqrt(2 * size) * z[i], rtol=1e-4)


@pytest.mark.parametrize("schedule", [VP(), SubVP(), VE(0.02, 20.0)], ids=lambda schedule: type(schedule).__name__)
def test_with_corrections_samples_have_the_distribution_of_the_data(schedule):
    """Of 64 numbers each, so that the length of a score varies little; four standard errors and a bias of the steps."""
    start = float(schedule.level(np.float64(schedule.start)).sigma) * jax.random.normal(jax.random.key(0), (200, 64))
    keys = jax.random.split(jax.random.key(1), 200)
    found = run(PredictorCorrector(200, 1), schedule, gaussian(MEAN, DEVIATION, Noise()), start, keys)
    assert float(found.mean()) == pytest.approx(MEAN, abs=0.02)
    assert float(found.std()) == pytest.approx(DEVIATION, abs=0.03)


def test_settings_out_of_range_are_refused():
    for settings, sentence in (
        ({"steps": 0}, "steps is 0, but must be at least 1"),
        ({"corrections": -1}, "corrections is -1, but must be at least 0"),
        ({"signal_to_noise": 0.0}, "signal_to_noise is 0.0, but must be above 0"),
    ):
        with pytest.raises(ValueError, match=sentence):
            PredictorCorrector(**settings)
