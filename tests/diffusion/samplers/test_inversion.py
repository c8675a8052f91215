import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.grids import Linspace
from jaxgen.diffusion.limits import NoLimit
from jaxgen.diffusion.predictions import Data
from jaxgen.diffusion.samplers import DDIM, run
from jaxgen.diffusion.samplers.inversion import invert
from jaxgen.diffusion.schedules import LinearBetas, Straight
from tests.diffusion.oracles import gaussian, marginal

MEAN, DEVIATION = 0.3, 0.4
DENOISE = gaussian(MEAN, DEVIATION, Data())


@pytest.mark.parametrize("schedule", [LinearBetas(), Straight()], ids=lambda each: type(each).__name__)
def test_data_come_back_from_their_noise_up_to_an_error_that_falls_with_the_steps(schedule):
    """And the noise is that of the exact path, which keeps the place of x within its distribution."""
    data = MEAN + DEVIATION * np.linspace(-2.0, 2.0, 5)[:, None]
    start = schedule.level(np.float64(schedule.start))
    errors = []
    with jax.enable_x64(True):
        for steps in (50, 200):
            noise = invert(schedule, Linspace(), steps, DENOISE, jnp.asarray(data))
            back = run(DDIM(steps, grid=Linspace(), limit=NoLimit()), schedule, DENOISE, noise, None)
            mean, deviation = marginal(start, MEAN, DEVIATION)
            exact = mean + deviation * np.linspace(-2.0, 2.0, 5)[:, None]
            errors.append([np.abs(back - data).max(), np.abs(noise - exact).max()])
    assert errors[0][0] < 0.15 and errors[0][1] < 0.4
    np.testing.assert_array_less(2.5, np.array(errors[0]) / np.array(errors[1]))


def test_a_step_of_the_inversion_is_ddims_backwards():
    """Between two times, by hand: the estimate is that at the less noisy one."""
    schedule, data = LinearBetas(), np.array([[0.1], [0.9]])
    with jax.enable_x64(True):
        found = invert(schedule, Linspace(), 2, DENOISE, jnp.asarray(data))
    here, there = (schedule.level(np.float64(t)) for t in (0.0, 999.0))
    x = here.alpha * data
    gain = here.alpha * DEVIATION**2 / (here.alpha**2 * DEVIATION**2 + here.sigma**2)
    estimate = MEAN + gain * (x - here.alpha * MEAN)
    noise = (x - here.alpha * estimate) / here.sigma
    np.testing.assert_allclose(found, there.alpha * estimate + there.sigma * noise, atol=1e-12)


def test_images_of_any_shape_keep_shape_and_type():
    images = jnp.ones((2, 3, 4, 1))
    found = invert(LinearBetas(), Linspace(), 3, DENOISE, images)
    assert found.shape == images.shape and found.dtype == jnp.float32
