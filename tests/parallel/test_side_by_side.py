import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import parallel
from jaxgen.parallel import side_by_side
from tests.gans import test_gan
from tests.parallel.batches import batch_of


def update(config, state, batch, key, *, axis_name=None):
    """Adds the mean over the whole batch of noisy examples."""
    noise = parallel.draw(jax.random.normal, key, len(batch), axis_name)
    value = parallel.pmean((batch.mean(axis=1) + noise).mean(), axis_name)
    return state + config * value, {"value": value}


def inputs(num):
    """A state, batches of three updates and their keys for each of `num` runs."""
    keys = [jax.random.split(key, 3) for key in jax.random.split(jax.random.key(0), num)]
    batches = [np.stack([batch_of(8) + run, batch_of(8) - run, -batch_of(8)]) for run in range(num)]
    return [jnp.float32(run) for run in range(num)], batches, keys


def alone(num):
    each = [
        parallel.jit(update, 2.0, steps=3, devices=jax.devices()[:1])(*run) for run in zip(*inputs(num), strict=True)
    ]
    return [state for state, _ in each], [metrics["value"] for _, metrics in each]


@pytest.mark.parametrize(("num", "num_devices"), [(1, 1), (3, 1), (4, 2), (4, 4), (3, 2), (2, 4), (6, 4)])
def test_each_run_is_the_one_that_it_is_alone(num, num_devices):
    states, metrics = parallel.runs(update, 2.0, steps=3, devices=jax.devices()[:num_devices])(*inputs(num))
    wanted, values = alone(num)
    assert len(states) == len(metrics) == num
    np.testing.assert_allclose(states, wanted, atol=1e-6)
    np.testing.assert_allclose([each["value"] for each in metrics], values, atol=1e-6)


def test_stacked_runs_are_those_one_by_one(monkeypatch):
    """As on an accelerator."""
    monkeypatch.setattr(side_by_side, "_one_by_one", side_by_side._stacked)
    states, metrics = parallel.runs(update, 2.0, steps=3, devices=jax.devices()[:2])(*inputs(4))
    wanted, values = alone(4)
    np.testing.assert_allclose(states, wanted, atol=1e-6)
    np.testing.assert_allclose([each["value"] for each in metrics], values, atol=1e-6)


def test_a_gan_is_bit_for_bit_what_it_is_alone():
    """Both players, their optimisers and the moving average, three updates, of two runs on one device."""
    config, model = test_gan.TestContract.case.config, test_gan.TestContract.case.model
    size = 8 * config.minibatches
    shape = (3, size, *config.image_shape)
    batches = [np.random.default_rng(run).uniform(-1, 1, shape).astype(np.float32) for run in range(2)]
    keys = [jax.random.split(jax.random.key(10 + run), 3) for run in range(2)]

    def states():
        return [jax.jit(lambda key: model.init(config, key))(jax.random.key(run)) for run in range(2)]

    single = parallel.jit(model.update, config, steps=3, devices=jax.devices()[:1])
    wanted = [single(*run) for run in zip(states(), batches, keys, strict=True)]
    found = parallel.runs(model.update, config, steps=3, devices=jax.devices()[:1])(states(), batches, keys)
    for pair in zip(*map(jax.tree.leaves, (list(zip(*found, strict=True)), wanted)), strict=True):
        np.testing.assert_array_equal(*map(np.asarray, pair))


def test_the_states_passed_in_are_donated_and_one_step_needs_no_axis_of_steps():
    step = parallel.runs(update, 1.0)
    states = [jnp.zeros(()), jnp.ones(())]
    first, _ = step(states, [batch_of(8)] * 2, list(jax.random.split(jax.random.key(0))))
    again, metrics = step(first, [batch_of(8)] * 2, list(jax.random.split(jax.random.key(1))))
    assert all(state.is_deleted() for state in first) and metrics[0]["value"].shape == ()
    assert float(again[1] - again[0]) == pytest.approx(1.0, abs=0.5)


def test_runs_need_a_state_a_batch_and_a_key_each():
    step = parallel.runs(update, 1.0)
    with pytest.raises(ValueError, match="2 states, 1 batches and 2 keys are given, but each of one or more runs"):
        step([jnp.zeros(())] * 2, [batch_of(8)], [jax.random.key(0)] * 2)
    with pytest.raises(ValueError, match="0 states"):
        step([], [], [])
