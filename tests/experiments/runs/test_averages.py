"""`--average-width` of a run that keeps averages of two widths: the one that another run keeps all along."""

import dataclasses
from typing import Any

import chex
import jax.flatten_util
import numpy as np
import pytest

from experiments import sample
from experiments.command_line.errors import UserError
from experiments.runs import averages, restore
from jaxgen.moving_averages import PowerFunction
from jaxgen.optimizers import Adam, Optimizer
from tests.experiments import small_runs
from tests.experiments.small_runs import POINTS

STEPS, EVERY = 64, 8
RATE = Optimizer(1e-2, Adam())  # without warm-up, so that the weights move


def train(folder, average):
    model = dataclasses.replace(POINTS, average=average, optimizer=RATE)
    settings = {"data": "ring8", "steps": STEPS, "steps_per_call": EVERY, "checkpoint_every": EVERY, "keep": 1_000}
    return small_runs.train("flow_ring8", model, folder, **settings)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("two") / "run", PowerFunction(0.05, further=(0.10,)))


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return train(tmp_path_factory.mktemp("one") / "run", PowerFunction(0.075))


def distance(*trees):
    return np.linalg.norm(jax.flatten_util.ravel_pytree(jax.tree.map(np.subtract, *trees))[0])


def of_width(folder, width, step: Any = "newest"):
    experiment, _, found, state = restore.at(folder, step)
    return state, averages.of_width(folder, experiment.model, found, state, width)


@pytest.mark.parametrize("step", ["newest", 48])
def test_the_average_of_another_width_is_the_one_that_a_run_keeps_all_along(run, other, capsys, step):
    before, after = of_width(run, 0.075, step)
    assert "width 0.075 of " in capsys.readouterr().out
    wanted = restore.at(other, step)[3]
    chex.assert_trees_all_equal(before.denoiser.params, wanted.denoiser.params)
    assert distance(after.ema, wanted.ema) < 0.05 * distance({"params": before.ema["params"]}, wanted.ema)
    chex.assert_trees_all_equal_shapes_and_dtypes(after.ema, wanted.ema)


@pytest.mark.parametrize("width", [0.05, 0.10])
def test_a_width_that_the_run_keeps_is_its_own(run, width):
    before, after = of_width(run, width)
    kept = PowerFunction(0.05, further=(0.10,)).of_width(before.ema, width)
    chex.assert_trees_all_close(after.ema, kept, atol=1e-6)


def test_samples_are_drawn_from_the_average_of_that_width(run, other, tmp_path):
    def drawn(folder, *options):
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}.npz"
        assert sample.main([str(folder), "--num", "20", "--out", str(out), *options]) == 0
        return np.load(out)["arr_0"]

    wanted, found, own = drawn(other), drawn(run, "--average-width", "0.075"), drawn(run)
    assert np.abs(found - wanted).max() < 0.1 * np.abs(own - wanted).max()


def test_a_run_without_power_functions_is_refused(tmp_path):
    folder = small_runs.save(POINTS, tmp_path / "run", data="ring8")
    with pytest.raises(UserError, match=r"--average-width 0\.1 is of runs whose average is a PowerFunction, but"):
        of_width(folder, 0.1)
