"""Two processes over the loopback train one run: they die, stop and go on as one."""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

import chex
import jax
import numpy as np
import pytest

from experiments import processes
from experiments.checkpoints import checksums
from experiments.command_line.errors import UserError
from experiments.processes import pulse
from experiments.runs import experiment, restore
from experiments.training import checks, runner
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Optimizer

ROOT = pathlib.Path(__file__).parents[3]
PROGRAM = """
import json, pathlib, sys
from experiments.command_line import cli
from tests.experiments.processes.test_distributed import run
cli.run(lambda argv: run(pathlib.Path(argv[0]), **json.loads(argv[1])))
"""
FOR_EVER = 10**6
GIVEN = {"distributed": True, "coordinator": "host:1", "num_processes": 2, "process_id": 1}


def run(folder: pathlib.Path, steps: int, **settings) -> int:
    """WGAN-GP with plain gradient descent, in small steps: Adam would blow rounding up to the size of a step."""
    digits = experiment.load("wgan_gp_digits")
    networks = {"generator": MLP((8,)), "critic": MLP((8,)), "latent_dim": 4, "critic_steps": 2}
    rates = {"generator_optimizer": Optimizer(0.001, SGD()), "critic_optimizer": Optimizer(0.001, SGD())}
    model = dataclasses.replace(digits.model, **networks, **rates)
    often = {"steps_per_call": 3, "log_every": 3, "checkpoint_every": 3, "sample_every": FOR_EVER}
    chosen = dataclasses.replace(digits, model=model, batch_size=8, steps=steps, num_samples=4, **often | settings)
    return runner.train("wgan_gp_digits", chosen, folder)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def two_processes(num_devices: int, folder: pathlib.Path, **settings):
    """Both, with `num_devices` each; ended with the context."""
    where = f"127.0.0.1:{free_port()}"
    environment = {**os.environ, "JAX_NUM_CPU_DEVICES": str(num_devices), "PYTHONUNBUFFERED": "1"}
    together = []
    try:
        for index in range(2):
            mine = {"distributed": True, "coordinator": where, "num_processes": 2, "process_id": index}
            together.append(
                subprocess.Popen(
                    [sys.executable, "-c", PROGRAM, str(folder), json.dumps(mine | settings)],
                    cwd=ROOT,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
        yield together
    finally:
        for process in together:
            process.kill()
            process.communicate()


def until(process: subprocess.Popen, text: str) -> str:
    """What the process says up to the line that begins with `text`."""
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith(text):
            return said
    raise AssertionError(f"it ended before it said {text!r}: {said}")


def ends(process: subprocess.Popen) -> tuple[int, str]:
    said, _ = process.communicate(timeout=100)
    return process.returncode, said


def lines_of(folder: pathlib.Path) -> dict[int, dict[str, float]]:
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return {line["step"]: {name: line[name] for name in line if not name.endswith("_per_s")} for line in lines}


def steps_of(folder: pathlib.Path) -> list[int]:
    return sorted(int(path.name) for path in (folder / "checkpoints").glob("[0-9]*") if path.name.isdigit())


@dataclasses.dataclass
class Story:
    """A run on 2 processes x 2 devices, one of them killed; on 2 x 1, its state cut, stopped; on 1 x 4."""

    folder: pathlib.Path
    killed: list[tuple[int, str]]  # exit code and last words of each process
    stopped: list[tuple[int, str]]
    first: str  # what the first process of the second life said before
    stop: int  # step at which it stopped
    end: int


@pytest.fixture(scope="module")
def story(tmp_path_factory) -> Story:
    folder = tmp_path_factory.mktemp("story") / "run"
    with two_processes(2, folder, steps=FOR_EVER, heartbeat_timeout=5) as both:
        until(both[0], "step 6/")
        both[1].send_signal(signal.SIGKILL)
        killed = [ends(process) for process in both]
    with two_processes(1, folder, steps=FOR_EVER, shard_state=True, sample_every=3) as both:
        first = until(both[0], "step ")
        both[1].send_signal(signal.SIGTERM)
        stopped = [ends(process) for process in both]
    stop = steps_of(folder)[-1]
    assert run(folder, steps=stop + 3) == 0
    return Story(folder, killed, stopped, first, stop, stop + 3)


@pytest.mark.exhaustive
def test_a_process_that_is_killed_ends_the_other_with_a_sentence(story):
    (code, said), (victim, _) = story.killed
    assert victim == -signal.SIGKILL
    assert code == pulse.LOST, said
    assert "error: process 1 of 2 has given no sign of life for 5 s" in said
    assert "start all processes again, and they go on from the newest checkpoint" in said


def test_a_signal_to_one_process_stops_both_at_one_step_that_is_saved(story):
    for code, said in story.stopped:
        assert code == 128 + signal.SIGTERM, said
    assert f"stopped at step {story.stop:,}, saved" in story.stopped[0][1]


def test_the_first_process_alone_tells_how_the_run_goes(story):
    assert "of 1,000,000, on 2 cpu devices of 2 processes" in story.first
    assert "step " not in story.stopped[1][1]
    record = json.loads((story.folder / "config.json").read_text())
    assert [(len(session["devices"]), session["processes"]) for session in record["sessions"]] == [
        (4, 2),
        (2, 2),
        (4, 1),
    ]


def test_processes_and_devices_change_nothing_but_rounding(story, tmp_path):
    """The metrics of all three lives and the state at the end are those of one process."""
    assert run(tmp_path / "whole", steps=story.end) == 0
    parts, whole = lines_of(story.folder), lines_of(tmp_path / "whole")
    assert parts.keys() == whole.keys()
    for step, wanted in whole.items():
        assert parts[step] == pytest.approx(wanted, abs=1e-4, rel=1e-4), step
    states = [jax.device_get(restore.newest(folder)[3]) for folder in (story.folder, tmp_path / "whole")]
    chex.assert_trees_all_close(*states, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"coordinator": "host:1"}, "--coordinator needs --distributed"),
        ({"distributed": True, "process_id": 0}, "--process-id alone do not do: --distributed takes --coordinator"),
        (GIVEN | {"process_id": 2}, r"--process-id is 2, but must be in \[0, 1\]: the first is 0"),
        (GIVEN | {"process_id": -1}, r"--process-id is -1, but must be in \[0, 1\]"),
        (GIVEN | {"num_processes": 0}, "--num-processes is 0, but must be at least 1"),
        (GIVEN | {"coordinator": "host"}, "--coordinator is host, but must be HOST:PORT"),
        (GIVEN | {"coordinator": "host:99999"}, "--coordinator is host:99999, but must be HOST:PORT"),
        (GIVEN | {"heartbeat_timeout": 0}, "--heartbeat-timeout is 0, but must be at least 1"),
    ],
)
def test_wrong_options_are_refused_where_they_are_read(settings, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(experiment.load("wgan_gp_digits"), **settings)


def test_a_coordinator_that_does_not_answer_is_named_before_anything_else_is_done(tmp_path):
    where = f"127.0.0.1:{free_port()}"
    with pytest.raises(UserError, match=rf"--coordinator {where} cannot be reached .*--process-id 0") as error:
        run(tmp_path / "run", 3, **GIVEN | {"coordinator": where, "start_timeout": 1})
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("", 0)) as server:
        where = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UserError, match=rf"--coordinator {where} cannot be used \(Address already in use\)"):
            run(tmp_path / "run", 3, **GIVEN | {"coordinator": where, "process_id": 0})


def test_processes_with_other_settings_do_not_train_together(monkeypatch):
    chosen = experiment.load("wgan_gp_digits")

    def gathered(text):
        other = json.loads(text)
        return [text, json.dumps(other | {"seed": 7}), text]

    monkeypatch.setattr(processes, "gather", gathered)
    with pytest.raises(UserError, match=r"process 1 was given other settings than process 0: seed: 0 -> 7$"):
        checks.check_alike(chosen)


def test_pieces_of_a_leaf_are_checked_in_their_places():
    leaf = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    crc = checksums.checksums({"piece": leaf[1:3, 0:2]})["piece"]
    assert checksums.is_whole({"leaf": leaf}, "leaf[1:3,0:2]", crc)
    assert not checksums.is_whole({"leaf": leaf}, "leaf[0:2,0:2]", crc)
    assert not checksums.is_whole({"other": leaf}, "leaf[1:3,0:2]", crc)
    assert checksums.is_whole({"leaf": leaf}, "leaf", checksums.checksums({"leaf": leaf})["leaf"])
