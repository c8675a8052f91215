"""The commands as a person runs them: most in this process, the README's own in fresh ones."""

import dataclasses
import errno
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import chex
import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from PIL import Image

from experiments import data, evaluate, sample, train
from experiments.checkpoints.checkpointer import NotFiniteError
from experiments.command_line.errors import FolderError, UserError
from experiments.data import feeds
from experiments.models import sampling
from experiments.pictures import figures
from experiments.runs import experiment, files, restore, run_folder
from experiments.runs.history import Segment
from experiments.training import failures, runner, stages
from experiments.training.driving import Alone
from experiments.training.loop import IN_FLIGHT, Loop
from jaxgen.gans import wgan_gp

ROOT = pathlib.Path(__file__).parents[3]
SMALL = ["--model.generator.features", "8", "--model.critic.features", "8", "--batch-size", "8", "--num-samples", "4"]
QUIET = ["--log-every", "2", "--sample-every", "2", "--checkpoint-every", "2", "--steps-per-call", "2"]


def run(out, *options, steps=4):
    return train.main(["wgan_gp_digits", "--out", str(out), "--steps", str(steps), *SMALL, *QUIET, *options])


def state_of(folder):
    _, _, step, state = restore.newest(folder)
    return step, jax.device_get(state)


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


def metrics_of(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    run(folder)
    return folder


@pytest.fixture(scope="module")
def halfway(tmp_path_factory):
    folder = tmp_path_factory.mktemp("halfway") / "run"
    run(folder, steps=2)
    return folder


@pytest.fixture
def finished(trained, tmp_path):
    """A copy of the finished run."""
    return pathlib.Path(shutil.copytree(trained, tmp_path / "run"))


def test_a_run_leaves_settings_metrics_pictures_and_checkpoints(tmp_path, capsys):
    assert run(tmp_path / "run") == 0
    folder = tmp_path / "run"
    assert json.loads((folder / "config.json").read_text())["experiment"] == "wgan_gp_digits"
    lines = metrics_of(folder)
    assert [line["step"] for line in lines] == [2, 4]
    assert lines[0].keys() >= {"critic_loss", "generator_loss", "steps_per_s", "images_per_s"}
    assert sorted(path.name for path in (folder / "samples").iterdir()) == [f"step_00000{i}.png" for i in (0, 2, 4)]
    assert size_of(folder / "samples" / "step_000004.png") == (70, 70)  # 2x2 tiles of 8x8, four times enlarged
    assert state_of(folder)[0] == 4
    printed = capsys.readouterr().out
    assert "digits: 1,500 images of 8x8x1" in printed
    assert "step 4/4" in printed


RATES = ("steps_per_s", "images_per_s")


def without_rates(folder):
    return [{name: value for name, value in line.items() if name not in RATES} for line in metrics_of(folder)]


@pytest.mark.parametrize("parallel", ["jit", "pmap", "shard_map"])
def test_a_run_that_stops_and_goes_on_is_the_same_run_bit_for_bit(tmp_path, parallel, capsys):
    run(tmp_path / "whole", "--parallel", parallel)
    run(tmp_path / "parts", "--parallel", parallel, steps=2)
    run(tmp_path / "parts", "--parallel", parallel)
    assert "resuming wgan_gp_digits" in capsys.readouterr().out
    whole, parts = state_of(tmp_path / "whole"), state_of(tmp_path / "parts")
    assert whole[0] == parts[0] == 4
    chex.assert_trees_all_equal(whole[1], parts[1])
    assert without_rates(tmp_path / "whole") == without_rates(tmp_path / "parts")
    for step in (0, 2, 4):
        pictures = [(tmp_path / name / "samples" / f"step_{step:06d}.png").read_bytes() for name in ("whole", "parts")]
        assert pictures[0] == pictures[1]


def test_every_step_has_its_own_key_and_batch_however_the_calls_cut_them(tmp_path):
    small = dataclasses.replace(experiment.load("wgan_gp_digits"), batch_size=4)
    digits = data.load("digits")
    loop = Loop("wgan_gp_digits", small, tmp_path, digits, None, None)  # pyright: ignore
    keys = [jax.random.key_data(loop._keys(step, count)) for step, count in ((0, 6), (0, 2), (2, 4))]
    with feeds.opened(digits, None, small.seed, stages.at([Segment(0, small)], 0).begin, small.storage) as feed:
        batches = [feed(step, count) for step, count in ((0, 6), (0, 2), (2, 4))]
    for whole, first, second in (keys, batches):
        np.testing.assert_array_equal(whole, np.concatenate([first, second]))
        assert len(np.unique(np.asarray(whole).reshape(6, -1), axis=0)) == 6


def test_a_log_line_is_the_mean_over_its_steps_though_a_stop_cuts_them(tmp_path):
    """A stop at step 3, lines at 4 and 8: the sums so far are in the checkpoint."""
    each = ["--log-every", "1", "--checkpoint-every", "100", "--steps-per-call", "1"]
    assert run(tmp_path / "each", *each, steps=8) == 0
    cut = ["--log-every", "4", "--checkpoint-every", "3", "--steps-per-call", "1"]
    for steps in (3, 8):
        assert run(tmp_path / "parts", *cut, steps=steps) == 0
    lines = {line["step"]: line for line in metrics_of(tmp_path / "parts")}
    for end in (4, 8):
        losses = [line["critic_loss"] for line in metrics_of(tmp_path / "each") if end - 4 < line["step"] <= end]
        assert lines[end]["critic_loss"] == pytest.approx(np.mean(losses), rel=1e-12)


def test_the_best_checkpoint_is_kept_and_drawn_from(tmp_path, capsys):
    options = ["--best", "critic_loss", "--keep", "1", "--checkpoint-every", "1", "--log-every", "1"]
    assert run(tmp_path / "run", *options, "--steps-per-call", "1", steps=6) == 0
    losses = {line["step"]: line["critic_loss"] for line in metrics_of(tmp_path / "run")}
    best = min(losses, key=losses.get)
    there = {int(path.name) for path in (tmp_path / "run" / "checkpoints").glob("[0-9]*")}
    assert there == {best, 6}
    for which, step in (("best", best), ("newest", 6), (str(best), best)):
        assert sample.main([str(tmp_path / "run"), "--num", "1", "--step", which]) == 0
        assert f"of step {step} to" in capsys.readouterr().out


def test_another_seed_is_another_run(tmp_path):
    run(tmp_path / "a", steps=2)
    run(tmp_path / "b", "--seed", "1", steps=2)
    assert not np.array_equal(*(jax.tree.leaves(state_of(tmp_path / name)[1].ema)[1] for name in "ab"))


def test_a_finished_run_says_so_and_changes_nothing(finished, tmp_path, capsys):
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert run(tmp_path / "run") == 0
    assert "has already reached step 4; give a larger --steps" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before


def test_no_resume_moves_the_earlier_run_aside(finished, tmp_path, capsys):
    assert run(tmp_path / "run", "--no-resume", "--seed", "5", steps=2) == 0
    assert f"moved the earlier run to {tmp_path / 'run.1'}" in capsys.readouterr().out
    assert state_of(tmp_path / "run")[0] == 2
    assert state_of(tmp_path / "run.1")[0] == 4


def test_steps_that_the_call_size_does_not_divide_are_done_all_the_same(tmp_path):
    assert run(tmp_path / "run", "--steps-per-call", "3", steps=5) == 0
    assert state_of(tmp_path / "run")[0] == 5


EACH_STEP = ["--checkpoint-every", "1", "--steps-per-call", "1", "--log-every", "1"]


def test_a_metric_that_is_not_finite_stops_the_run_and_keeps_the_last_good_checkpoint(tmp_path, capsys):
    """Adam moves each weight by the rate, 3e38: just finite after one step, not the next step's images."""
    options = ["--model.generator-optimizer.learning-rate", "3e38", "--model.critic-steps", "1", *EACH_STEP]
    assert run(tmp_path / "run", *options, steps=40) == 1
    printed = capsys.readouterr().out
    assert "critic_loss is nan at step 2: the run stops; its checkpoint of step 1 is kept" in printed
    assert "a tenth of the learning rates" in printed and "--batch-size 16" in printed
    step, state = state_of(tmp_path / "run")
    assert step == 1
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state))


def test_a_state_that_is_not_finite_is_never_saved(tmp_path, capsys, monkeypatch):
    """An update whose metrics are finite, but not the second moments that its last step leaves."""
    update = wgan_gp.update

    def overflowing(*args, **options):
        state, metrics = update(*args, **options)
        moments = jax.tree.map(lambda leaf: leaf * jnp.asarray(jnp.inf, leaf.dtype), state.critic.opt_state[0].nu)
        adam, *others = state.critic.opt_state
        critic = state.critic.replace(opt_state=(adam._replace(nu=moments), *others))
        return state._replace(critic=critic), metrics

    monkeypatch.setattr(wgan_gp, "update", overflowing)
    assert run(tmp_path / "run", *EACH_STEP) == 1
    printed = capsys.readouterr().out
    assert "weights or optimiser are not finite after step 1: the run stops before its first checkpoint" in printed
    assert not list((tmp_path / "run" / "checkpoints").glob("[0-9]*"))


def test_metrics_are_found_not_finite_at_their_step():
    with pytest.raises(NotFiniteError, match=r"^loss is nan at step 29$"):
        failures.check_finite(30, {"loss": np.array([1.0, np.nan, np.inf])})
    failures.check_finite(30, {"loss": np.ones(3)})


def test_a_signal_during_a_step_saves_that_very_step_after_checking_it(tmp_path, monkeypatch, capsys):
    check = failures.check_finite

    def check_and_interrupt(last_step, metrics):
        check(last_step, metrics)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(failures, "check_finite", check_and_interrupt)
    assert run(tmp_path / "run", *EACH_STEP, steps=40) == 128 + signal.SIGTERM
    assert "stopped at step 2, saved" in capsys.readouterr().out
    assert state_of(tmp_path / "run")[0] == 2


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a file")


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("module", "name", "error"),
    [
        (files, "append", FULL),
        (figures, "save_png", FULL),
        (ocp.Checkpointer, "save", ValueError("RESOURCE_EXHAUSTED: Failed to write: No space left on device [28]")),
        (files, "append", OSError(errno.EROFS, os.strerror(errno.EROFS), "a file")),
    ],
)
def test_a_full_disk_stops_the_run_with_a_sentence_and_it_goes_on_later(
    trained, halfway, tmp_path, module, name, error, monkeypatch
):
    """At the metrics, a picture, a checkpoint: what was saved is kept, and the run becomes the undisturbed one."""
    folder = tmp_path / "run"
    shutil.copytree(halfway, folder)
    with monkeypatch.context() as patched:
        patched.setattr(module, name, failing(error))
        with pytest.raises(FolderError, match=rf"{files.reason(error)}.* step 2 is kept; once that is fixed") as told:
            run(folder)
    assert "\n" not in str(told.value)
    assert run(folder) == 0
    chex.assert_trees_all_equal(state_of(folder), state_of(trained))
    assert without_rates(folder) == without_rates(trained)


def test_a_folder_deleted_while_it_is_trained_in_stops_the_run_and_is_not_made_again(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    check = failures.check_finite

    def check_and_delete(last_step, metrics):
        check(last_step, metrics)
        if last_step == 2:
            shutil.rmtree(folder)

    monkeypatch.setattr(failures, "check_finite", check_and_delete)
    # Who finds out first, the training or the thread that writes the checkpoint of step 3, is a matter of time.
    told = "(was deleted or moved while it was trained in|checkpoints: the folder is gone): the run stops$"
    with pytest.raises(FolderError, match=told):
        run(folder, "--log-every", "4", "--sample-every", "4", "--checkpoint-every", "3", "--steps-per-call", "1")
    assert not folder.exists()


def test_a_run_that_has_lost_its_checkpoints_does_not_begin_anew(finished, tmp_path):
    lines = metrics_of(tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    with pytest.raises(UserError, match="has lost its checkpoints; put them back, or --no-resume"):
        run(tmp_path / "run")
    assert metrics_of(tmp_path / "run") == lines


def test_a_reader_that_has_gone_away_does_not_end_the_run(tmp_path, monkeypatch):
    class Gone:
        def write(self, _):
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

        def flush(self):
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", Gone())
        assert run(tmp_path / "run") == 0
        sys.stdout.close()
    assert state_of(tmp_path / "run")[0] == 4


def test_never_more_calls_than_allowed_are_under_way(tmp_path, monkeypatch):
    """A call counts from its dispatch until its metrics have been awaited."""
    under_way, most = set(), []
    driver, awaited = Alone.driver, failures.check_finite

    def counting_driver(self, *of):
        def step(*arguments):
            under_way.add(len(most))
            most.append(len(under_way))
            return driver(self, *of)(*arguments)

        return step

    def counting_awaited(last_step, metrics):
        under_way.remove(min(under_way))
        awaited(last_step, metrics)

    monkeypatch.setattr(Alone, "driver", counting_driver)
    monkeypatch.setattr(failures, "check_finite", counting_awaited)
    rare = ["--log-every", "99", "--sample-every", "99", "--checkpoint-every", "99", "--steps-per-call", "1"]
    assert run(tmp_path / "run", *rare, steps=30) == 0
    assert len(most) == 30
    assert max(most) == IN_FLIGHT
    assert not under_way


def test_a_run_in_progress_is_not_moved_aside(finished, tmp_path):
    with run_folder.locked(tmp_path / "run"), pytest.raises(UserError, match=r"another process trains in"):
        run(tmp_path / "run", "--no-resume")
    assert not (tmp_path / "run.1").exists()


def test_bad_input_with_no_resume_leaves_the_earlier_run_where_it_is(finished, tmp_path):
    with pytest.raises(UserError, match=r"no data set 'minst'"):
        run(tmp_path / "run", "--no-resume", "--data", "minst")
    assert state_of(tmp_path / "run")[0] == 4


def test_checkpoints_of_unknown_origin_are_not_adopted(finished, tmp_path):
    (tmp_path / "run" / "config.json").unlink()
    with pytest.raises(UserError, match=r"has checkpoints but no config.json"):
        run(tmp_path / "run")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--batch-size", "6"], "--batch-size 6 does not divide over 4 devices; use a multiple of 4"),
        (["--data", "minst"], "no data set 'minst' is prepared"),
        (["--model.image-shape", "9", "9", "1"], r"leave it out, it follows the data"),
        (["--model.critic.norm", "batch"], "use layer normalisation, spectral normalisation or none"),
        (["--model.value-range", "None"], "uint8 pixels need a value_range"),
        (["--model.generator.features", "-5"], "features is .*, but must be positive widths"),
        (["--out", "/dev/null/run"], "cannot write to /dev/null/run"),
    ],
)
def test_bad_input_is_refused_in_one_sentence_before_anything_is_compiled(tmp_path, options, message, monkeypatch):
    def never(*_, **__):
        raise AssertionError("compiled")

    monkeypatch.setattr(Loop, "run", never)
    out = tmp_path / "run"
    with pytest.raises(UserError, match=message) as error:
        run(out, *options)
    assert "\n" not in str(error.value)
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model.critic-stepz", "3"], "--model.critic-steps"),
        (["--paralel", "jit"], "--parallel"),
        (["--parallel", "jot"], "invalid choice"),
        (["--seed", "99999999999999999999"], "but must be in [0, 2^32)"),
        (["--steps", "0"], "--steps is 0, but must be at least 1"),
        (["--model.value-range", "0", "2"], "value_range is (0.0, 2.0), but must be (-1, 1), (0, 1) or None"),
        (["--steps", "many"], "invalid literal"),
        (["--model.critic-steps", "-1"], "critic_steps is -1, but must be at least 1"),
    ],
)
def test_a_wrong_option_exits_with_2_and_says_what_is_right(tmp_path, options, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        train.main(["wgan_gp_digits", "--out", str(tmp_path / "run"), *options])
    assert exit_.value.code == 2
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_help_explains_every_option(capsys):
    with pytest.raises(SystemExit) as exit_:
        train.main(["wgan_gp_digits", "--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    for option in ("--steps", "--batch-size", "--seed", "--out", "--parallel", "--steps-per-call", "--sample-every"):
        assert option in text
    for option in ("--checkpoint-every", "--resume, --no-resume", "--data-dir", "--log", "--model.critic-steps"):
        assert option in text


def test_sample_draws_a_picture_from_the_run(trained, tmp_path, capsys):
    out = tmp_path / "digits.png"
    assert sample.main([str(trained), "--num", "6", "--out", str(out), "--columns", "3"]) == 0
    assert size_of(out) == (3 * 34 + 2, 2 * 34 + 2)
    assert "wrote 6 images of step 4" in capsys.readouterr().out


def test_more_samples_begin_with_the_same_ones_and_a_seed_gives_others(trained):
    _, few = sampling.draw(trained, 3, seed=0)
    _, many = sampling.draw(trained, sampling.BLOCK + 2, seed=0)
    _, others = sampling.draw(trained, 3, seed=1)
    np.testing.assert_array_equal(many[:3], few)
    assert len(many) == sampling.BLOCK + 2
    assert not np.array_equal(many[sampling.BLOCK :], many[:2])
    assert not np.array_equal(few, others)


@pytest.mark.parametrize(
    ("command", "argv", "message"),
    [
        (sample, ["nowhere"], "nowhere is not the folder of a run"),
        (sample, ["--num", "3"], "the folder of a run comes first"),
        (evaluate, ["nowhere"], "nowhere is not the folder of a run"),
        (train, ["--steps", "3"], "the name of an experiment comes first"),
        (train, ["wgan_gp_digit"], "did you mean wgan_gp_digits"),
    ],
)
def test_commands_without_a_run_say_what_is_missing(command, argv, message, capsys):
    with pytest.raises(UserError, match=message):
        command.main(argv)


def test_sample_refuses_what_it_cannot_write(trained, tmp_path):
    with pytest.raises(UserError, match=r"must end in \.png"):
        sample.main([str(trained), "--out", str(tmp_path / "digits.jpg")])
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        sample.main([str(trained), "--out", str(tmp_path / "file" / "digits.png")])


def test_a_run_without_a_checkpoint_cannot_be_sampled(trained, tmp_path):
    (tmp_path / "config.json").write_bytes((trained / "config.json").read_bytes())
    with pytest.raises(UserError, match="has no checkpoint yet; train it first"):
        sample.main([str(tmp_path)])


def readme_training_command():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(
        r"'\.\[experiments\]' && python -m (experiments\.train wgan_gp_digits)$", text, re.MULTILINE
    )
    return [sys.executable, "-m", *command.split()]


def fresh_process(*options, **arguments):
    return subprocess.Popen(
        [*readme_training_command(), *options],
        cwd=ROOT,
        env={**os.environ, "JAX_NUM_CPU_DEVICES": "1", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **arguments,
    )


def test_the_readmes_command_is_interrupted_saves_first_and_resumes_in_a_fresh_process(tmp_path):
    options = ["--out", str(tmp_path / "run"), "--steps-per-call", "1", "--log-every", "1"]
    process = fresh_process(*options, "--checkpoint-every", "100000")
    seen = []
    while not any("step 3/" in line for line in seen):
        seen.append(process.stdout.readline())
        assert seen[-1], "".join(seen)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT, output
    output = "".join(seen) + output
    stopped = int(re.search(r"stopped at step (\d+), saved", output).group(1))
    assert state_of(tmp_path / "run")[0] == stopped >= 3
    assert "training wgan_gp_digits" in output
    process = fresh_process(*options, "--checkpoint-every", "100000", "--steps", str(stopped + 5))
    resumed, _ = process.communicate(timeout=120)
    assert process.returncode == 0, resumed
    assert "resuming wgan_gp_digits" in resumed
    for said in (output, resumed):
        assert "Traceback" not in said
        assert "WARNING" not in said
    assert (tmp_path / "run" / "samples" / f"step_{stopped + 5:06d}.png").exists()


def test_a_typo_exits_with_2_without_a_traceback(tmp_path):
    process = fresh_process("--model.critic-stepz", "3", "--out", str(tmp_path / "run"))
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "--model.critic-steps" in output
    assert "Traceback" not in output
    assert not (tmp_path / "run").exists()


def test_a_run_on_pictures_goes_on_with_them_where_none_are_named(tmp_path, monkeypatch):
    """Its experiment names a folder that nobody has."""
    seen = []
    monkeypatch.setattr(runner, "train", lambda name, chosen, folder: seen.append(chosen.data) or 0)
    folder, config = tmp_path / "run", experiment.load("conv_vae_photos")
    train.main(["conv_vae_photos", "--out", str(folder)])
    folder.mkdir()
    run_folder.begin(folder, "conv_vae_photos", dataclasses.replace(config, data=f"folder:{tmp_path}", out=folder))
    for options in ([], ["--data", "folder:others"]):
        train.main(["conv_vae_photos", "--out", str(folder), *options])
    train.main(["vae_digits", "--out", str(folder)])
    assert seen == [config.data, f"folder:{tmp_path}", "folder:others", "digits"]
