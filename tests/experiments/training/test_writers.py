"""TensorBoard and Weights & Biases: the same run there after a stop, its pictures, and what was lost in between."""

import dataclasses
import sys
import types
from typing import Any

import numpy as np
import pytest

from experiments.command_line.errors import UserError
from experiments.runs import run_folder
from experiments.runs.experiment import Experiment
from experiments.runs.sinks import Wandb
from experiments.training import runner, writers
from tests.experiments import small_runs

QUICK = {"data": "digits", "batch_size": 8, "num_samples": 4, "log_every": 1, "steps_per_call": 1, "sample_every": 2}


class Run:
    """A run at the fake server: what was logged, and the newest values."""

    def __init__(self):
        self.logged, self.summary, self.defined, self.open = [], {}, [], False

    def define_metric(self, name, step_metric):
        self.defined.append((name, step_metric))

    def log(self, values):
        assert self.open
        self.logged.append(values)
        self.summary |= values

    def __enter__(self):
        self.open = True
        return self

    def __exit__(self, *_):
        self.open = False


@pytest.fixture
def server(monkeypatch):
    """A fake of the package: runs by id, and what each `init` was given."""
    fake: Any = types.ModuleType("wandb")
    fake.runs, fake.given = {}, []

    def init(**given):
        fake.given.append(given)
        assert given["resume"] == "allow"
        return fake.runs.setdefault(given["id"], Run())

    fake.init, fake.Image, fake.Error = init, lambda pixels: ("image", pixels.shape), type("Error", (Exception,), {})
    fake.__spec__ = types.SimpleNamespace(name="wandb")
    monkeypatch.setitem(sys.modules, "wandb", fake)
    return fake


def go(folder, steps, **settings):
    chosen = Experiment(model=small_runs.GAN, steps=steps, log=("wandb",), **(QUICK | settings))
    return runner.train("wgan_gp_digits", chosen, folder)


def test_a_resumed_run_is_the_same_run_there_with_each_line_and_picture_once(tmp_path, server):
    for steps in (2, 4):
        assert go(tmp_path / "run", steps, checkpoint_every=2) == 0
    identity = run_folder.read_config(tmp_path / "run")["run"]
    assert list(server.runs) == [identity]
    run = server.runs[identity]
    assert run.defined[0] == ("*", "step")
    assert [one["step"] for one in run.logged if "critic_loss" in one] == [1, 2, 3, 4]
    pictures = [(one["step"], one["samples"]) for one in run.logged if "samples" in one]
    assert pictures == [(step, ("image", (70, 70, 3))) for step in (0, 2, 4)]
    assert not run.open and all(given["allow_val_change"] for given in server.given)
    assert server.given[1]["config"]["steps"] == 4


@pytest.mark.exhaustive
def test_lines_that_come_again_after_a_kill_are_not_sent_twice_but_those_of_other_settings_are(tmp_path, server):
    """The server has steps 1 to 4, the newest checkpoint is of step 2."""
    assert go(tmp_path / "run", 2) == 0
    (run,) = server.runs.values()
    run.logged += [{"step": 3, "critic_loss": 0.0}, {"step": 4, "critic_loss": 0.0}]
    run.summary["step"] = 4
    for steps, settings in ((5, {}), (6, {"batch_size": 12, "change": True})):
        assert go(tmp_path / "run", steps, checkpoint_every=99, **settings) == 0
    losses = [one["step"] for one in run.logged if "critic_loss" in one]
    assert losses == [1, 2, 3, 4, 5, 6]
    run.summary["step"] = 9
    assert go(tmp_path / "run", 7, batch_size=8, change=True) == 0
    assert [one["step"] for one in run.logged if "critic_loss" in one][-1] == 7


def test_project_team_name_and_mode_are_options(tmp_path, server):
    options = Wandb(project="digits", entity="team", name="first", mode="offline")
    assert go(tmp_path / "run", 1, wandb=options) == 0
    (given,) = server.given
    assert {name: given[name] for name in ("project", "entity", "name", "mode")} == dataclasses.asdict(options)
    assert go(tmp_path / "other", 1) == 0
    assert (server.given[1]["project"], server.given[1]["name"]) == ("jaxgen", "wgan_gp_digits")


def test_a_server_that_refuses_gets_one_sentence(tmp_path, server, monkeypatch):
    def refuse(**_):
        raise server.Error("api_key not configured\nuse wandb login")

    monkeypatch.setattr(server, "init", refuse)
    with pytest.raises(UserError, match=r"^--log wandb cannot begin: api_key not configured; --wandb.mode offline"):
        go(tmp_path / "run", 1)


def test_tensorboard_has_the_pictures(tmp_path):
    pytest.importorskip("tensorboardX")
    with writers.tensorboard(tmp_path, 0) as sink:
        sink.metrics(1, {"loss": 0.5})
        sink.picture(1, "samples", np.zeros((4, 4, 3), np.uint8))
    (path,) = tmp_path.glob("events.out.tfevents.*")
    content = path.read_bytes()
    assert b"loss" in content and b"samples" in content and b"PNG" in content
