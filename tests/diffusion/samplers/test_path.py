import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.grids import Even, Linspace, Quadratic
from jaxgen.diffusion.limits import NoLimit
from jaxgen.diffusion.predictions import Noise
from jaxgen.diffusion.samplers import DDIM, Ancestral, Churn, DPMSolver, Euler, Heun, SamplerLike, run
from jaxgen.diffusion.samplers.path import pairs, path
from jaxgen.diffusion.schedules import VE, VP, LinearBetas, Sigmas, Straight
from tests.diffusion.oracles import gaussian

SAMPLERS = [
    DDIM(5, limit=NoLimit()),
    DDIM(5, 0.5, limit=NoLimit()),
    Ancestral(5, limit=NoLimit()),
    Euler(5),
    Euler(5, churn=Churn(2.0)),
    Heun(5, grid=Even()),
    DPMSolver(5, 3),
]
SCHEDULE = LinearBetas(50, 1e-3, 0.3)


denoise = gaussian(0.3, 0.2, Noise())


def test_a_path_to_the_data_ends_there():
    steps = path(LinearBetas(), Linspace(), 4, to_data=True)
    np.testing.assert_array_equal(steps.points.time, [999, 666, 333, 0])
    np.testing.assert_array_equal(steps.next.time, [666, 333, 0, -1])
    np.testing.assert_array_equal([part[-1] for part in steps.next.level], [1.0, 0.0])
    level = LinearBetas().level(steps.points.time)
    np.testing.assert_array_equal(steps.points.level, level)
    np.testing.assert_array_equal([part[:-1] for part in steps.next.level], [part[1:] for part in level])


def test_a_path_to_the_last_time_of_the_grid_has_as_many_steps():
    steps = path(Straight(0.25), Linspace(), 3, to_data=False)
    np.testing.assert_allclose(steps.points.time, [1.0, 0.75, 0.5])
    np.testing.assert_allclose(steps.next.time, [0.75, 0.5, 0.25])
    np.testing.assert_allclose(steps.next.level.sigma, [0.75, 0.5, 0.25])


@pytest.mark.parametrize("schedule", [VE(), Sigmas(), Straight(), VP()], ids=str)
def test_all_numbers_of_a_path_are_arrays_in_float64(schedule):
    """alpha is 1 at each time of some schedules."""
    for part in jax.tree.leaves(path(schedule, Even(), 3, to_data=True)):
        assert isinstance(part, np.ndarray) and part.shape == (3,) and part.dtype == np.float64


def test_times_that_fall_together_are_refused():
    with pytest.raises(ValueError, match="steps is 200, but must be fewer: times of the grid fall together"):
        path(LinearBetas(), Quadratic(), 200, to_data=True)


def test_pairs_are_rows_and_those_after_them():
    one, other = pairs({"a": np.arange(4), "b": np.arange(8).reshape(4, 2)})
    np.testing.assert_array_equal(one["a"], [0, 1, 2])
    np.testing.assert_array_equal(other["b"], [[2, 3], [4, 5], [6, 7]])


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_a_sampler_has_a_row_of_finite_numbers_for_each_step(sampler):
    assert isinstance(sampler, SamplerLike)
    for part in jax.tree.leaves(sampler.rows(SCHEDULE)):
        assert part.shape == (5,) and part.dtype == np.float64 and np.isfinite(part).all()


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_all_states_end_at_what_is_returned_without_them(sampler):
    start = jnp.linspace(-1.0, 1.0, 6).reshape(3, 2)
    keys = jax.random.split(jax.random.key(0), 3)
    last, states = jax.jit(
        lambda start: tuple(run(sampler, SCHEDULE, denoise, start, keys, keep=keep) for keep in (False, True))
    )(start)
    assert states.shape == (6, 3, 2) and states.dtype == jnp.float32
    np.testing.assert_array_equal(states[0], start)
    np.testing.assert_allclose(states[-1], last, atol=1e-6)
    assert (np.abs(np.diff(states, axis=0)).max((1, 2)) > 1e-4).all()  # each step does something


@pytest.mark.parametrize("sampler", [SAMPLERS[2]], ids=str)
def test_the_noise_of_an_example_depends_on_its_own_key_alone(sampler):
    start, keys = jnp.zeros((3, 2)), jax.random.split(jax.random.key(0), 3)
    together, alone = jax.jit(
        lambda: [run(sampler, SCHEDULE, denoise, start[part], keys[part]) for part in (slice(3), slice(1, 2))]
    )()
    np.testing.assert_allclose(together[1:2], alone, atol=1e-6)
    assert len(np.unique(together)) == 6


def test_a_sampler_that_draws_noise_needs_keys():
    with pytest.raises(ValueError, match="Ancestral draws noise, but this pass has no keys: give one an example"):
        run(Ancestral(5, limit=NoLimit()), SCHEDULE, denoise, jnp.zeros((3, 2)), None)


def test_a_sampler_that_draws_none_is_the_same_with_keys_and_without():
    start, keys = jnp.ones((3, 2)), jax.random.split(jax.random.key(0), 3)
    with_keys, without = jax.jit(
        lambda start: [run(SAMPLERS[0], SCHEDULE, denoise, start, each) for each in (keys, None)]
    )(start)
    np.testing.assert_array_equal(with_keys, without)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_the_program_does_not_grow_with_the_number_of_steps(sampler):
    """One scan over the rows: no loop is unrolled."""

    def program(steps):
        longer = dataclasses.replace(sampler, steps=steps)
        keys = jax.random.split(jax.random.key(0), 3)
        found = jax.make_jaxpr(lambda start: run(longer, SCHEDULE, denoise, start, keys))(jnp.zeros((3, 2)))
        return str(found).count(" = ")

    assert program(4) == program(40)


EVALUATIONS = [
    (DDIM(6, limit=NoLimit()), 6),
    (Ancestral(6, limit=NoLimit()), 6),
    (Euler(6), 6),
    (Heun(6, grid=Even()), 11),
    (Heun(6, grid=Linspace(), to_data=False), 12),
    (DPMSolver(6, 3), 6),
]


@pytest.mark.parametrize(("sampler", "num"), EVALUATIONS, ids=str)
def test_the_network_is_asked_once_a_step_and_by_heun_twice_but_in_the_last(sampler, num):
    calls = []

    def counted(noisy, point):
        jax.debug.callback(lambda time: calls.append(float(time)), point.time)
        return denoise(noisy, point)

    run(sampler, SCHEDULE, counted, jnp.zeros((1, 1)), jax.random.split(jax.random.key(0), 1))
    jax.effects_barrier()
    assert len(calls) == num
    assert max(calls) == SCHEDULE.start


@pytest.mark.parametrize("sampler", [*SAMPLERS, Heun(5, grid=Even(), to_data=False), DDIM(5, to_data=False)], ids=str)
def test_a_sampler_says_how_often_it_asks_the_denoiser(sampler):
    calls = []

    def counted(x, point):
        jax.debug.callback(lambda: calls.append(1))
        return denoise(x, point)

    keys = jax.random.split(jax.random.key(0), 2)
    jax.block_until_ready(run(sampler, SCHEDULE, counted, jnp.ones((2, 1)), keys))
    jax.effects_barrier()
    assert len(calls) == sampler.evaluations


@pytest.mark.parametrize("sampler", [DDIM(10, 1.0, limit=NoLimit()), Heun(10, grid=Even()), DPMSolver(10, 3)], ids=str)
def test_memory_and_the_program_do_not_grow_with_the_number_of_steps(sampler):
    """The rows of numbers do, a few bytes a step."""
    start, keys = jnp.ones((4, 256)), jax.random.split(jax.random.key(0), 4)

    def compiled(steps):
        found = dataclasses.replace(sampler, steps=steps)
        return jax.jit(lambda start: run(found, LinearBetas(), denoise, start, keys)).lower(start).compile()

    few, many = compiled(10), compiled(500)
    used = [program.memory_analysis().temp_size_in_bytes for program in (few, many)]
    assert used[1] - used[0] < 490 * 128 < 490 * start.nbytes / 8
    assert len(many.as_text().splitlines()) < 1.2 * len(few.as_text().splitlines())
