import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.grids import Linspace, LogSNR
from jaxgen.diffusion.limits import NoLimit
from jaxgen.diffusion.predictions import Estimate
from jaxgen.diffusion.samplers import DDIM, DPMSolver, run
from jaxgen.diffusion.schedules import VP, LinearBetas, Sigmas, Straight
from tests.diffusion.oracles import marginal, posterior_mean

ERRORS = {  # of the reference: relative error of the final x, VP, data from N(0, .5^2), equal steps of log SNR
    1: [-0.36611, -0.21285, -0.11284, -0.058108, -0.029489, -0.014855],
    2: [-0.038324, 0.032728, 0.013022, 0.0035068, 0.00089015, 0.00022332],
}


def denoise(noisy, point):
    """Of N(0, .5^2)."""
    data = posterior_mean(point.level, noisy, 0.0, 0.5)
    return Estimate(data, (noisy - point.level.alpha * data) / point.level.sigma)


def results(samplers, schedule):
    """What each sampler makes of 1, in float64; one program for all."""
    with jax.enable_x64(True):
        found = jax.jit(
            lambda start: jnp.stack([run(each, schedule, denoise, start, None)[0, 0] for each in samplers])
        )(jnp.ones((1, 1)))
        return np.asarray(found)


@pytest.mark.parametrize("order", ERRORS)
def test_orders_1_and_2_make_the_errors_of_the_reference(order):
    schedule = VP()
    exact = np.divide(*(marginal(schedule.level(np.float64(t)), 0.0, 0.5)[1] for t in (schedule.end, schedule.start)))
    samplers = [
        DPMSolver(steps, order, grid=LogSNR(), lower_below=0, to_data=False) for steps in (5, 10, 20, 40, 80, 160)
    ]
    np.testing.assert_allclose(results(samplers, schedule) / exact - 1.0, ERRORS[order], rtol=2e-4)


@pytest.mark.parametrize(
    "schedule", [LinearBetas(), VP(), Sigmas(0.01, 20.0), Straight()], ids=lambda each: type(each).__name__
)
def test_order_1_is_ddim(schedule):
    samplers = [DPMSolver(7, 1, grid=Linspace()), DDIM(7, grid=Linspace(), limit=NoLimit())]
    one, other = results(samplers, schedule)
    assert one == pytest.approx(other, rel=1e-12)


def orders(sampler):
    """Of the steps, by which of the estimates before they use."""
    rows = sampler.rows(VP())
    return list(1 + (rows.before != 0).astype(int) + (rows.earlier != 0).astype(int))


@pytest.mark.parametrize(
    ("sampler", "wanted"),
    [
        (DPMSolver(5, 1), [1, 1, 1, 1, 1]),
        (DPMSolver(5, 2), [1, 2, 2, 2, 1]),
        (DPMSolver(5, 3), [1, 2, 3, 2, 1]),
        (DPMSolver(6, 3), [1, 2, 3, 3, 2, 1]),
        (DPMSolver(6, 3, lower_below=6), [1, 2, 3, 3, 3, 1]),  # 6 steps are not fewer; the last leads to the data
        (DPMSolver(6, 3, lower_below=7), [1, 2, 3, 3, 2, 1]),
        (DPMSolver(5, 3, lower_below=0), [1, 2, 3, 3, 1]),
        (DPMSolver(5, 3, grid=Linspace(), lower_below=0, to_data=False), [1, 2, 3, 3, 3]),
        (DPMSolver(5, 3, grid=Linspace(), to_data=False), [1, 2, 3, 2, 1]),
        (DPMSolver(5, 2, grid=Linspace(), to_data=False), [1, 2, 2, 2, 1]),
        (DPMSolver(1, 3), [1]),
        (DPMSolver(2, 3), [1, 1]),
    ],
    ids=str,
)
def test_a_step_has_the_order_that_those_before_and_after_it_allow(sampler, wanted):
    assert orders(sampler) == wanted


def test_with_few_steps_the_last_ones_have_lower_order_by_default():
    assert DPMSolver() == DPMSolver(20, 2, "midpoint", lower_below=15)
    assert orders(DPMSolver(14, 3))[-2:] == [2, 1] and orders(DPMSolver(15, 3))[-2:] == [3, 1]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_numbers_of_a_step_keep_what_is_constant(order):
    """x_t = alpha_t c at one point becomes alpha_n c at the next."""
    rows = DPMSolver(8, order, grid=LogSNR(), lower_below=0, to_data=False).rows(VP())
    times = LogSNR().times(VP(), 9)
    level = VP().level(times)
    np.testing.assert_allclose(
        rows.x * level.alpha[:-1] + rows.now + rows.before + rows.earlier, level.alpha[1:], atol=1e-12
    )


def test_the_variants_of_order_2_agree_for_small_steps():
    """Their difference is of third order in the length of a step."""
    gaps = []
    for steps in (20, 40):
        one, other = (
            DPMSolver(steps, 2, variant, LogSNR(), lower_below=0, to_data=False) for variant in ("midpoint", "heun")
        )
        gaps.append(np.abs(one.rows(VP()).before - other.rows(VP()).before).max())
    assert gaps[0] / gaps[1] == pytest.approx(4.0, rel=0.3)
    assert gaps[1] > 1e-4


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"steps": 0}, "steps is 0, but must be at least 1"),
        ({"lower_below": -1}, "lower_below is -1, but must be at least 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        DPMSolver(**settings)
