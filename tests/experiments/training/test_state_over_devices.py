"""A run with a state that is cut over the devices, and one whose devices disagree."""

import dataclasses
import functools

import chex
import jax
import pytest

from experiments.runs import experiment, restore
from experiments.training import loop
from jaxgen import parallel
from tests.experiments.processes.test_distributed import run


@pytest.mark.exhaustive
def test_a_run_with_its_state_cut_is_the_run_with_its_state_whole(tmp_path):
    """From the start, and going on from the other's checkpoint."""
    assert run(tmp_path / "whole", steps=6) == 0
    assert run(tmp_path / "cut", steps=3, shard_state=True) == 0
    assert run(tmp_path / "cut", steps=6, shard_state=True, sample_every=3) == 0
    whole, cut = (jax.device_get(restore.newest(tmp_path / name)[3]) for name in ("whole", "cut"))
    chex.assert_trees_all_close(cut, whole, atol=1e-5, rtol=1e-5)
    assert (tmp_path / "cut" / "samples" / "step_000006.png").exists()


def test_a_cut_state_needs_jit():
    with pytest.raises(ValueError, match="--shard-state works with --parallel jit, not with pmap"):
        dataclasses.replace(experiment.load("wgan_gp_digits"), shard_state=True, parallel="pmap")


def test_devices_that_disagree_stop_the_run_at_the_next_log_step(tmp_path, monkeypatch, capsys):
    """Under `pmap` each moves a bias by a step of its own."""
    pmap = parallel.pmap

    def astray(update, config, **options):
        @functools.wraps(update)
        def each(config, state, batch, key, *, axis_name=None):
            state, metrics = update(config, state, batch, key, axis_name=axis_name)
            moved = state.critic.params["Dense_0"]["bias"] + 1e-3 * jax.lax.axis_index(axis_name).astype("float32")
            params = state.critic.params | {"Dense_0": state.critic.params["Dense_0"] | {"bias": moved}}
            return state._replace(critic=state.critic.replace(params=params)), metrics

        return pmap(each, config, **options)

    assert run(tmp_path / "good", steps=3, parallel="pmap", check_replicas=True) == 0
    monkeypatch.setattr(loop.parallel, "pmap", astray)
    assert run(tmp_path / "run", steps=6, parallel="pmap", check_replicas=True) == 1
    said = capsys.readouterr().out
    assert "devices hold different copies of critic/params/Dense_0/bias" in said
    assert "after step 3: the run stops before its first checkpoint" in said
