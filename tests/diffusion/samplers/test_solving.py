"""Steps that the error chooses: closed forms, the bound of the error, what fails is not a number."""

import importlib.util

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.densities import Integral
from jaxgen.diffusion.samplers import Adaptive, solving

START = (jnp.array([[1.0, -2.0], [0.5, 0.0]]), jnp.array([3.0, -1.0]))


def decay(state, place):
    """Of a pair: each falls as exp(-place), and as exp(-place^2 / 2)."""
    return -state[0], -place * state[1]


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5])
def test_the_error_is_of_the_size_of_the_tolerance(tolerance):
    found = jax.jit(lambda start: solving.solved(decay, start, (0.0, 2.0), tolerance))(START)
    wanted = START[0] * np.exp(-2.0), START[1] * np.exp(-2.0)
    for each, right in zip(found, wanted, strict=True):
        assert float(jnp.abs(each - right).max()) < 5.0 * tolerance


def test_paths_may_go_either_way():
    there = solving.solved(decay, START, (0.0, 1.0), 1e-6)
    back = solving.solved(decay, there, (1.0, 0.0), 1e-6)
    for each, right in zip(back, START, strict=True):
        np.testing.assert_allclose(each, right, atol=1e-5)


def test_a_smaller_tolerance_takes_more_steps():
    def evaluations(tolerance):
        calls = []

        def counted(state, place):
            jax.debug.callback(lambda: calls.append(1))
            return decay(state, place)

        jax.block_until_ready(solving.solved(counted, START, (0.0, 4.0), tolerance))
        jax.effects_barrier()
        return len(calls)

    assert evaluations(1e-3) < evaluations(1e-6)


def test_the_example_with_the_largest_error_chooses_the_steps():
    """Rates of 1 and 60: the fast example is right beside any number of slow ones."""
    rates = jnp.array([[60.0]] + [[1.0]] * 63)
    found = solving.solved(lambda state, place: -rates * state, jnp.ones((64, 1)), (0.0, 0.1), 1e-5)
    np.testing.assert_allclose(found, np.exp(-0.1 * np.asarray(rates)), atol=1e-4)


def test_a_path_that_takes_too_many_steps_is_not_a_number(monkeypatch):
    monkeypatch.setattr(solving, "MOST_STEPS", 3)
    assert jnp.isnan(solving.solved(decay, START, (0.0, 50.0), 1e-6)[0]).all()


def test_not_a_number_stays_one():
    found = solving.solved(decay, (START[0].at[0, 0].set(jnp.nan), START[1]), (0.0, 1.0), 1e-3)
    assert jnp.isnan(found[0][0, 0])


@pytest.mark.parametrize("make", [solving.require_solver, Adaptive, lambda: Integral(tolerance=1e-3)])
def test_without_diffrax_one_sentence_says_what_to_install(make, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"diffrax is not installed.* pip install 'jaxgen\[adaptive\]'"):
        make()
    Integral()
