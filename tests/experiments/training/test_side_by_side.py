"""Runs side by side are those that each seed makes alone; what ends one of them leaves the others to go on."""

import dataclasses
import json
import shutil
import threading
import time
from types import SimpleNamespace

import chex
import jax
import numpy as np
import pytest

from experiments import train
from experiments.command_line import terminal
from experiments.command_line.errors import UserError
from experiments.data import feeds
from experiments.runs import experiment, restore, run_folder
from experiments.training import runner, showing, side_by_side, signals
from experiments.training.side_by_side import Group, Member
from jaxgen import parallel
from jaxgen.nets.mlp import MLP

NAME = "wgan_gp_digits"


def settings(steps: int, **others):
    digits = experiment.load(NAME)
    networks = {"generator": MLP((8,)), "critic": MLP((8,)), "latent_dim": 4, "critic_steps": 2}
    short = {"batch_size": 8, "steps_per_call": 2, "log_every": 2, "num_samples": 4, "sample_every": 4}
    model = dataclasses.replace(digits.model, **networks)
    return dataclasses.replace(digits, model=model, steps=steps, checkpoint_every=2, **short | others)


def use(patch, num_devices):
    chosen = jax.devices()[:num_devices]
    patch.setattr(jax, "devices", lambda *_: chosen)


@pytest.fixture
def on_one_device(monkeypatch):
    use(monkeypatch, 1)


@pytest.fixture
def on_two_devices(monkeypatch):
    use(monkeypatch, 2)


def assert_same(folder, other, exact=True):
    """States, log and pictures, bit for bit or within rounding."""
    (*_, step, state), (*_, other_step, other_state) = restore.newest(folder), restore.newest(other)
    assert step == other_step
    states = map(jax.device_get, (state, other_state))
    chex.assert_trees_all_equal(*states) if exact else chex.assert_trees_all_close(*states, atol=1e-5, rtol=1e-4)
    logs = [(each / "metrics.jsonl").read_text().splitlines() for each in (folder, other)]
    for one, two in zip(*logs, strict=True):
        found, wanted = (json.loads(line) for line in (one, two))
        for rate in ("steps_per_s", "images_per_s"):
            del found[rate], wanted[rate]
        assert found == (wanted if exact else pytest.approx(wanted, abs=1e-5, rel=1e-3))
    pictures = [{path.name: path.read_bytes() for path in (each / "samples").iterdir()} for each in (folder, other)]
    assert pictures[0].keys() == pictures[1].keys() and len(pictures[0]) == 3
    assert not exact or pictures[0] == pictures[1]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Each seed's own run, on one device."""
    folder = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patched:
        use(patched, 1)
        for seed in (3, 5):
            assert runner.train(NAME, settings(8, seed=seed), folder / f"run_s{seed}") == 0
    return folder


def test_each_run_is_the_one_that_its_seed_makes_alone(alone, tmp_path, on_two_devices, capsys):
    """A run a device, so within rounding; what is printed names the run."""
    assert runner.train_seeds(NAME, settings(8), tmp_path / "run", (3, 5)) == 0
    for seed in (3, 5):
        assert_same(tmp_path / f"run_s{seed}", alone / f"run_s{seed}", exact=False)
        _, own = run_folder.read(tmp_path / f"run_s{seed}")
        assert own.seed == seed
    printed = capsys.readouterr().out.splitlines()
    assert {line.partition(":")[0] for line in printed} == {"seed 3", "seed 5"}
    assert any(line.startswith("seed 5: step 8/8") for line in printed)


def test_a_run_that_is_behind_catches_up_and_all_go_on_together(alone, tmp_path, on_one_device, monkeypatch):
    """As after a kill between two checkpoints: at step 4 and at step 2, with calls of two updates. Bit for bit."""
    assert runner.train_seeds(NAME, settings(4), tmp_path / "run", (3, 5)) == 0
    shutil.rmtree(tmp_path / "run_s5" / "checkpoints" / "4")
    made = []

    def counting(*arguments, **options):
        step = parallel.side_by_side.runs(*arguments, **options)
        return lambda *inputs: made.append(len(inputs[0])) or step(*inputs)

    monkeypatch.setattr(parallel, "runs", counting)
    assert runner.train_seeds(NAME, settings(8), tmp_path / "run", (3, 5)) == 0
    assert made == [1, 2, 2]
    for seed in (3, 5):
        assert_same(tmp_path / f"run_s{seed}", alone / f"run_s{seed}")


def test_a_run_that_fails_leaves_the_others_to_go_on(tmp_path, capsys):
    with (
        run_folder.locked(tmp_path / "run_s1"),
        pytest.raises(UserError, match=r"another process trains in .*run_s1"),
    ):
        runner.train_seeds(NAME, settings(4), tmp_path / "run", (0, 1))
    assert restore.newest(tmp_path / "run_s0")[-2] == 4
    assert "seed 1: error: another process trains in" in capsys.readouterr().out


def test_a_run_that_diverges_gives_its_exit_code(tmp_path, monkeypatch, capsys):
    """The third run's updates are not finite; the others end."""
    step = parallel.runs

    def diverging(*arguments, **options):
        made = step(*arguments, **options)

        def spoiled(states, batches, keys):
            states, metrics = made(states, batches, keys)
            if len(metrics) == 3:
                metrics[2] = jax.tree.map(lambda leaf: leaf * float("nan"), metrics[2])
            return states, metrics

        return spoiled

    monkeypatch.setattr(parallel, "runs", diverging)
    assert runner.train_seeds(NAME, settings(4), tmp_path / "run", (0, 1, 2)) == 1
    assert [restore.newest(tmp_path / f"run_s{seed}")[-2] for seed in (0, 1)] == [4, 4]
    assert "seed 2: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "1", "2", "1"], "--seeds names 1 twice; give each seed once"),
        (["--seeds", "-1"], r"--seeds is -1, but must be in \[0, 2\^32\)"),
        (["--seeds", "1", "2", "--parallel", "pmap"], "which --parallel pmap does not go with; leave one of the two"),
        (["--seeds", "1", "--seed", "2"], "which --seed 2 does not go with"),
        (["--seeds", "0", "1", "--data", "minst"], "no data set 'minst'"),
    ],
)
def test_what_does_not_go_is_one_sentence_before_anything_begins(options, message, tmp_path):
    with pytest.raises(UserError, match=message) as error:
        train.main([NAME, "--out", str(tmp_path / "run"), *options])
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


def test_the_command_trains_each_in_a_folder_of_its_own(tmp_path, monkeypatch):
    found = {}
    monkeypatch.setattr(runner, "train_seeds", lambda *given: found.update(given=given) or 0)
    assert train.main([NAME, "--out", str(tmp_path / "run"), "--seeds", "4", "7"]) == 0
    name, chosen, folder, seeds = found["given"]
    assert (name, folder, seeds) == (NAME, tmp_path / "run", (4, 7))
    assert type(chosen) is experiment.Experiment
    assert [runner.folder_of(folder, seed).name for seed in seeds] == ["run_s4", "run_s7"]


def test_all_runs_learn_of_a_signal_at_the_same_call(monkeypatch):
    told, given = signals.Stop(), []
    step = lambda states, batches, keys: (states, keys)  # noqa: E731
    monkeypatch.setattr(parallel, "runs", lambda *_, **__: step)
    monkeypatch.setattr(side_by_side, "model_of", lambda _: SimpleNamespace(update=None))
    group = Group(2, told)

    def work(run):
        member = Member(group, run)
        member.begin(0)
        with member.stopped() as stop:
            for number in range(20):
                assert member.driver("config", 1, number)(run, None, run) == (run, run)
                if run == 0 and number == 10:
                    told.signal = 15
                if stop.signal:
                    break
        given.append((number, stop.signal))
        group.leave(run)

    threads = [threading.Thread(target=work, args=(run,)) for run in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert given == [(11, 15), (11, 15)]


def test_what_goes_wrong_in_the_program_is_raised_in_each_run(monkeypatch):
    def failing(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(parallel, "runs", lambda *_, **__: failing)
    monkeypatch.setattr(side_by_side, "model_of", lambda _: SimpleNamespace(update=None))
    found = []

    def work(member):
        with pytest.raises(RuntimeError, match="out of memory"):
            member.driver("config", 1, 0)(None, None, None)
        found.append(member)
        return 0

    assert side_by_side.together([("one", work), ("two", work)]) == 0
    assert len(found) == 2


def test_a_call_ends_where_another_run_begins():
    group = Group(3, signals.Stop())
    group._begun = {0: 10, 1: 13, 2: 40}
    assert [group.left(step) for step in (0, 10, 12, 13, 39, 40)] == [10, 3, 1, 27, 1, None]


def test_settings_that_one_run_alone_has_are_not_those_of_the_others(monkeypatch):
    """As after --change in one of the folders: at the same step two programs, each with its own settings."""
    monkeypatch.setattr(parallel, "runs", lambda _, config, **__: lambda states, *_: ([config] * len(states), states))
    monkeypatch.setattr(side_by_side, "model_of", lambda _: SimpleNamespace(update=None))
    found = {}

    def work(name, config):
        def run(member):
            found[name] = member.driver(config, 1, 5)(name, None, None)
            return 0

        return name, run

    assert side_by_side.together([work("a", "usual"), work("b", "changed"), work("c", "usual")]) == 0
    assert found == {"a": ("usual", "a"), "b": ("changed", "b"), "c": ("usual", "c")}


def test_pictures_of_several_runs_are_drawn_one_at_a_time(tmp_path, monkeypatch):
    """What matplotlib and Python's warnings hold is the process's."""
    drawing, most = [], []

    def draw(_):
        drawing.append(1)
        most.append(len(drawing))
        time.sleep(0.02)
        drawing.pop()
        return np.zeros((2, 2, 3), np.uint8)

    monkeypatch.setattr(showing.kinds, "drawings", lambda *_: {"samples": draw})

    def run(member):
        shown = showing.Showing(tmp_path / terminal.NAME.get(), None, None)  # pyright: ignore
        shown.enter_stage(settings(1))
        shown.pictures(1, {}, SimpleNamespace(picture=lambda *_: None))  # pyright: ignore
        return 0

    for name in "abc":
        (tmp_path / name).mkdir()
    assert side_by_side.together([(name, run) for name in "abc"]) == 0
    assert most == [1, 1, 1]


def test_a_set_on_the_device_is_there_once_for_all_its_feeds(monkeypatch):
    columns = {"images": jax.numpy.zeros((2, 1))}
    one, two = feeds._held(columns), feeds._held(columns)
    assert one is two and feeds._held(dict(columns)) is one
    assert feeds._held({"images": jax.numpy.ones((2, 1))}) is not one
