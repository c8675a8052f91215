"""Beginning with the weights of another run: what matches, what is said and noted, and what is refused."""

import dataclasses
import json
import shutil

import chex
import jax
import numpy as np
import pytest

from experiments.checkpoints import arrays
from experiments.checkpoints.checksums import described
from experiments.command_line.errors import UserError
from experiments.runs import experiment as experiments_by_name
from experiments.runs import initial, restore
from experiments.runs.experiment import Experiment
from experiments.training import runner
from tests.experiments import small_runs

QUICK = {"data": "digits", "batch_size": 8, "steps_per_call": 1, "num_samples": 4, "pictures": ()}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return small_runs.save(small_runs.GAN, tmp_path_factory.mktemp("initial") / "source", seed=3)


def go(folder, steps, model=small_runs.GAN, **settings):
    return runner.train("wgan_gp_digits", Experiment(model=model, steps=steps, **(QUICK | settings)), folder)


def read(source, **changes):
    return initial.read(str(source), Experiment(model=dataclasses.replace(small_runs.GAN, **changes), **QUICK))


def test_all_weights_of_the_same_model_match(source):
    given = read(source)
    state = restore.newest(source)[3]
    assert len(given.weights) == len(initial.weights(state)) == given.source["matched"] == given.source["of"]
    assert given.line == f"matched 12 of 12 arrays with vae_digits in {source} at step 2"
    fresh = jax.tree.map(np.zeros_like, jax.device_get(state))
    put = initial.put(fresh, given.weights)
    for name in ("generator", "critic"):
        chex.assert_trees_all_equal(getattr(put, name).params, getattr(state, name).params)
        chex.assert_trees_all_equal(getattr(put, name).opt_state, getattr(fresh, name).opt_state)
        assert int(getattr(put, name).step) == 0
    chex.assert_trees_all_equal(put.ema, state.ema)


@pytest.mark.parametrize(
    ("changes", "matched", "new"),
    [
        ({"image_shape": (12, 12, 1)}, 7, ["generator/params/Dense_1/kernel", "critic/params/Dense_0/kernel"]),
        ({"latent_dim": 5}, 10, ["generator/params/Dense_0/kernel", "ema/params/Dense_0/kernel"]),
        ({"critic": small_runs.MLP((8, 8))}, 10, ["critic/params/Dense_1/kernel", "critic/params/Dense_2/bias"]),
    ],
)
def test_another_shape_matches_in_part_and_says_what_is_new_and_left(source, changes, matched, new):
    given = read(source, **changes)
    assert given.source["matched"] == len(given.weights) == matched
    told, _, left = given.line.partition("; left: ")
    assert told.startswith(f"matched {matched} of {given.source['of']} arrays")
    assert all(name in told.partition("; new: ")[2] for name in new)
    assert not set(new) & set(given.weights) and left


@pytest.mark.exhaustive
def test_a_run_begins_with_them_notes_them_and_needs_the_source_no_more(source, tmp_path, capsys):
    own = tmp_path / "source"
    shutil.copytree(source, own)
    frozen_rate = dataclasses.replace(small_runs.GAN.generator_optimizer, learning_rate=1e-12)
    model = dataclasses.replace(small_runs.GAN, generator_optimizer=frozen_rate)
    options = {"model": model, "init_from": str(own)}
    assert go(tmp_path / "run", 2, **options) == 0
    assert "matched 12 of 12 arrays" in capsys.readouterr().out
    before, after = restore.newest(own)[3], restore.newest(tmp_path / "run")[3]
    chex.assert_trees_all_close(after.generator.params, before.generator.params, atol=1e-6)
    record = json.loads((tmp_path / "run" / "config.json").read_text())
    there = json.loads((own / "config.json").read_text())
    assert record["init_from"] == read(own).source
    assert (record["init_from"]["run"], record["init_from"]["step"]) == (there["run"], 2)
    assert isinstance(record["init_from"]["checksum"], int)
    shutil.rmtree(own)
    assert go(tmp_path / "run", 3, **options) == 0
    assert go(tmp_path / "run", 4, model) == 0  # and without the option
    assert "matched" not in capsys.readouterr().out
    with pytest.raises(UserError, match=r"began with weights of .*source, not of elsewhere; leave --init-from out"):
        go(tmp_path / "run", 5, model, init_from="elsewhere")


def test_a_run_begun_anew_in_the_folder_of_its_source_has_read_it_first(source, tmp_path):
    shutil.copytree(source, tmp_path / "run")
    assert go(tmp_path / "run", 1, init_from=str(tmp_path / "run"), resume=False) == 0
    assert (tmp_path / "run.1").is_dir()


@pytest.mark.parametrize(
    ("model", "folder", "message"),
    [
        (small_runs.WIDE, None, r"none of its 12 arrays has the name and shape of one of this model"),
        (small_runs.GAN, "nowhere", r"nowhere is not the folder of a run"),
    ],
)
def test_what_cannot_be_taken_is_refused_before_a_run_begins(source, tmp_path, model, folder, message):
    with pytest.raises(UserError, match=message) as error:
        go(tmp_path / "run", 2, model, init_from=folder or str(source))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def of_each_model():
    """The first experiment of each model."""
    found = {}
    for name in experiments_by_name.names():
        found.setdefault(type(experiments_by_name.load(name).model).__module__, name)
    return sorted(found.values())


OTHERWISE = (
    "features/",
    "regularization/",
    "autoencoder/variables/",
    "text/variables/",
    "scale",
    "encoder/",
    "stage_one/",
    "generator/variables/",
)
"""A frozen network comes from a file of its own; what a run has counted or measured is not taken."""


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", of_each_model())
def test_of_every_model_all_is_taken_but_moments_counts_and_keys(name):
    state = restore.abstract_state(experiments_by_name.load(name))
    taken = set(initial.weights(state))
    every = {path.replace("/collections/", "/"): text for path, text in described(arrays.without_keys(state)).items()}
    assert taken <= every.keys()
    left = every.keys() - taken
    assert not [
        path
        for path in left
        if every[path].startswith("float") and "/opt_state/" not in path and not path.startswith(OTHERWISE)
    ]
