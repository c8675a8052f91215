import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import parallel
from jaxgen.diffusion import couplings
from jaxgen.diffusion.couplings import Independent, OptimalTransport, Reflow
from jaxgen.diffusion.grids import Even, Linspace
from jaxgen.diffusion.samplers import Euler

assignment = jax.jit(couplings.assignment)


def drawn(num=8, shape=(2, 1), seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=(2, num, *shape)), jnp.float32)


def cost(points, others):
    return float(((np.asarray(points, np.float64) - np.asarray(others, np.float64)) ** 2).sum())


def test_on_the_line_the_optimal_pairing_is_sorting():
    points, others = drawn(shape=(1,))
    found = np.asarray(others)[assignment(points, others)]
    order = np.argsort(np.asarray(points)[:, 0])
    np.testing.assert_array_equal(found[order], np.sort(others, axis=0))


def test_no_other_pairing_of_five_is_shorter():
    points, others = map(np.asarray, drawn(5))
    least = min(cost(points, others[list(order)]) for order in itertools.permutations(range(5)))
    assert cost(points, others[np.asarray(assignment(points, others))]) == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_each_noise_is_used_once_and_the_pairs_are_never_longer_than_as_drawn(seed):
    points, others = drawn(seed=seed)
    indices = np.asarray(assignment(points, others))
    np.testing.assert_array_equal(np.sort(indices), np.arange(8))
    assert cost(points, others[indices]) < cost(points, others)


def test_points_on_their_noises_are_paired_with_them():
    """Whatever their order, and far from the origin."""
    points = 100.0 + drawn()[0]
    shuffled = np.random.default_rng(1).permutation(8)
    np.testing.assert_array_equal(shuffled[assignment(points, points[shuffled])], np.arange(8))


def test_independent_noise_is_left_as_it_was_drawn():
    points, others = drawn()
    assert Independent().pair(points, others, None) is others


@pytest.mark.parametrize("wrap", [parallel.shard_map, parallel.pmap])
def test_optimal_transport_is_that_of_the_whole_batch_on_any_number_of_devices(wrap):
    points, others = drawn()
    wanted = np.asarray(others)[np.asarray(assignment(points, others))]
    alone = jax.jit(lambda points, others: OptimalTransport().pair(points, others, None))(points, others)
    np.testing.assert_array_equal(alone, wanted)

    def update(config, state, batch, key, *, axis_name=None):
        paired = OptimalTransport().pair(batch[:, 0], batch[:, 1], axis_name)
        return parallel.take(paired, jnp.arange(8), axis_name), {}

    found, _ = wrap(update, None)(jnp.zeros_like(points), np.asarray(jnp.stack([points, others], 1)), jax.random.key(0))
    np.testing.assert_array_equal(found, wanted)


def test_reflow_says_by_which_sampler_its_teacher_makes_the_pairs():
    assert Reflow().sampler == Euler(50, Even())
    assert Reflow(7, Linspace()).sampler == Euler(7, Linspace())
    with pytest.raises(ValueError, match="steps is 0, but must be at least 1"):
        Reflow(0)
