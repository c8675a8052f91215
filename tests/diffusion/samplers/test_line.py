"""The line of a path: what its variable is, both libraries, its slope beside differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.samplers.line import Line
from jaxgen.diffusion.schedules import VE, VP, Cosine, Sigmas, Straight, SubVP

SCHEDULES = [VP(), SubVP(), VE(), Sigmas(), Straight(), Cosine()]
of_each = pytest.mark.parametrize("schedule", SCHEDULES, ids=str)


def times(schedule):
    return np.linspace(schedule.start, schedule.end, 7)


@of_each
def test_a_node_is_at_the_time_of_its_u(schedule):
    line, time = Line(schedule), times(schedule)
    u, scale = line.position(schedule.level(time))
    found = line.node(u)
    np.testing.assert_allclose(found.point.time, time, rtol=1e-6, atol=1e-9)
    for part, wanted in zip(found.point.level, schedule.level(time), strict=True):
        np.testing.assert_allclose(part, wanted, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.scale, scale, rtol=1e-6)
    assert (found.data_slope == (-1.0 if line.from_noise else 0.0)).all()


@of_each
def test_in_a_program_it_is_the_same(schedule):
    line = Line(schedule)
    u = np.asarray(line.position(schedule.level(times(schedule)))[0], np.float64)
    inside = jax.jit(jax.vmap(line.node))(jnp.asarray(u, jnp.float32))
    for found, wanted in zip(jax.tree.leaves(inside), jax.tree.leaves(line.node(u)), strict=True):
        np.testing.assert_allclose(found, np.broadcast_to(wanted, u.shape), rtol=1e-3, atol=1e-5)


@of_each
def test_the_path_of_an_example_is_a_straight_line(schedule):
    line, data, noise = Line(schedule), 0.7, -1.3
    level = schedule.level(times(schedule))
    u, scale = line.position(level)
    y = (level.alpha * data + level.sigma * noise) / scale
    slope = noise + line.node(u).data_slope * data
    np.testing.assert_allclose(np.diff(y), slope[1:] * np.diff(u), rtol=1e-6, atol=1e-9)


def test_only_schedules_that_begin_at_pure_noise_use_the_second_variable():
    assert [type(each).__name__ for each in SCHEDULES if Line(each).from_noise] == ["Straight", "Cosine"]
