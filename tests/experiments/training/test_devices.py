"""A run goes on on other devices than those that began it."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import chex
import jax
import pytest

from experiments.runs import experiment, restore
from experiments.training import runner
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Optimizer

ROOT = pathlib.Path(__file__).parents[3]
PROGRAM = """
import pathlib, sys
from tests.experiments.training.test_devices import run
sys.exit(run(pathlib.Path(sys.argv[1]), int(sys.argv[2])))
"""


def run(folder: pathlib.Path, steps: int) -> int:
    """WGAN-GP with plain gradient descent: Adam would blow rounding up to the size of a step."""
    digits = experiment.load("wgan_gp_digits")
    networks = {"generator": MLP((8,)), "critic": MLP((8,)), "latent_dim": 4, "critic_steps": 2}
    rates = {"generator_optimizer": Optimizer(0.01, SGD()), "critic_optimizer": Optimizer(0.01, SGD())}
    model = dataclasses.replace(digits.model, **networks, **rates)
    chosen = dataclasses.replace(
        digits, model=model, batch_size=8, steps=steps, steps_per_call=3, log_every=3, num_samples=4
    )
    return runner.train("wgan_gp_digits", chosen, folder)


def run_on(num_devices: int, folder: pathlib.Path, steps: int) -> None:
    """`run` in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), str(steps)],
        cwd=ROOT,
        env={**os.environ, "JAX_NUM_CPU_DEVICES": str(num_devices)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"on {num_devices} cpu device" in done.stdout


def run_here(num_devices: int, folder: pathlib.Path, steps: int) -> None:
    """`run` where JAX tells of the first devices alone."""
    chosen = jax.devices()[:num_devices]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(jax, "devices", lambda *_: chosen)
        assert run(folder, steps) == 0


@pytest.mark.parametrize("on", [run_here, pytest.param(run_on, marks=pytest.mark.exhaustive)])
def test_a_run_goes_on_from_one_device_to_four_and_to_two_within_rounding(on, tmp_path, capsys):
    on(1, tmp_path / "parts", steps=3)
    run(tmp_path / "parts", steps=6)
    assert "at step 3 of 6, on 4 cpu devices" in capsys.readouterr().out
    on(2, tmp_path / "parts", steps=9)
    run(tmp_path / "whole", steps=9)
    (_, _, step, parts), (_, _, _, whole) = (restore.newest(tmp_path / name) for name in ("parts", "whole"))
    assert step == 9
    sessions = json.loads((tmp_path / "parts" / "config.json").read_text())["sessions"]
    assert [len(session["devices"]) for session in sessions] == [1, 4, 2]
    chex.assert_trees_all_close(jax.device_get(parts), jax.device_get(whole), atol=1e-5, rtol=1e-5)
