"""Malformed options, settings and run folders: each gets one sentence and an exit code, before anything is compiled."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from experiments import evaluate, report, sample, train
from experiments.command_line import cli
from experiments.training.loop import Loop
from tests.experiments.training.test_train import run

ROOT = pathlib.Path(__file__).parents[3]
RATE = "--model.generator-optimizer.learning-rate"
CRITIC = "--model.critic-optimizer"
SMALL = ("--model.generator.features", "8", "--model.critic.features", "8", "--batch-size", "8", "--num-samples", "4")

OPTIONS = [
    # arguments of `train`, what the sentence says
    (["wgan_gp_digit"], "no experiment is named 'wgan_gp_digit'; did you mean wgan_gp_digits?"),
    ([""], "no experiment is named ''; there are: "),
    (["../configs/wgan_gp_digits"], "no experiment is named '../configs/wgan_gp_digits'"),
    (["--steps", "3"], "the name of an experiment comes first, before --steps"),
    (["wgan_gp_digits", "more"], "Unrecognized options: more"),
    (["wgan_gp_digits", "--stepz", "3"], "Perhaps you meant: --steps"),
    (["wgan_gp_digits", "--steps"], "Missing value for argument '--steps'"),
    (["wgan_gp_digits", "--steps", ""], "the value of --steps is empty; give one, or leave the option out"),
    (["wgan_gp_digits", "--steps", "many"], "--steps: invalid literal for int() with base 10: 'many'"),
    (["wgan_gp_digits", "--steps", "1.5"], "--steps: invalid literal for int() with base 10: '1.5'"),
    (["wgan_gp_digits", "--steps", "1e4"], "--steps: invalid literal for int() with base 10: '1e4'"),
    (["wgan_gp_digits", "--steps", "nan"], "--steps: invalid literal for int() with base 10: 'nan'"),
    (["wgan_gp_digits", "--steps", "0"], "--steps is 0, but must be at least 1"),
    (["wgan_gp_digits", "--steps", "-5"], "--steps is -5, but must be at least 1"),
    (["wgan_gp_digits", "--batch-size", "0"], "--batch-size is 0, but must be at least 1"),
    (["wgan_gp_digits", "--batch-size", "6"], "--batch-size 6 does not divide over 4 devices; use a multiple of 4"),
    (["wgan_gp_digits", "--batch-size", str(4 * 10**12)], "GB of memory; use a smaller --batch-size or --steps-per"),
    (["wgan_gp_digits", "--seed", "-1"], "--seed is -1, but must be in [0, 2^32)"),
    (["wgan_gp_digits", "--seed", str(2**32)], "--seed is 4294967296, but must be in [0, 2^32)"),
    (["wgan_gp_digits", "--parallel", "jot"], "invalid choice 'jot' for argument '--parallel'"),
    (["wgan_gp_digits", "--resume", "maybe"], "Unrecognized options: maybe"),
    (["wgan_gp_digits", "--steps-per-call", "0"], "--steps-per-call is 0, but must be at least 1"),
    (["wgan_gp_digits", "--log-every", "0"], "--log-every is 0, but must be at least 1"),
    (["wgan_gp_digits", "--sample-every", "-1"], "--sample-every is -1, but must be at least 1"),
    (["wgan_gp_digits", "--checkpoint-every", "0"], "--checkpoint-every is 0, but must be at least 1"),
    (["wgan_gp_digits", "--keep", "0"], "--keep is 0, but must be at least 1"),
    (["wgan_gp_digits", "--best", "critic_los"], "--best is 'critic_los', but did you mean critic_loss? there are: "),
    (["wgan_gp_digits", "--best", "fid"], "--best is 'fid', but there are: critic_loss, diversity, generator_loss, "),
    (["wgan_gp_digits", "--best", ""], "the value of --best is empty"),
    (["wgan_gp_digits", "--best", "eval/recall"], "--best eval/recall needs --eval-every, the steps between two eval"),
    (["wgan_gp_digits", "--eval-every", "0"], "--eval-every is 0, but must be at least 1"),
    (["wgan_gp_digits", "--eval-samples", "5"], "--eval-samples is 5, but must be at least 10"),
    (["wgan_gp_digits", "--best-mode", "up"], "invalid choice 'up' for argument '--best-mode'"),
    (["wgan_gp_digits", "--num-samples", "0"], "--num-samples is 0, but must be at least 1"),
    (["wgan_gp_digits", "--num-samples", str(10**15)], "GB of memory; use a smaller --num-samples"),
    (["wgan_gp_digits", "--log", "paper"], "invalid choice 'paper' for argument '--log'"),
    (["wgan_gp_digits", "--data", "minst"], "no data set 'minst'"),
    (["wgan_gp_digits", RATE, "nan"], "learning_rate is nan, but must be above 0 and finite"),
    (["wgan_gp_digits", RATE, "inf"], "learning_rate is inf, but must be above 0 and finite"),
    (["wgan_gp_digits", RATE, "-1e-3"], "learning_rate is -0.001, but must be above 0"),
    (["wgan_gp_digits", RATE, "0"], "learning_rate is 0.0, but must be above 0"),
    (["wgan_gp_digits", f"{CRITIC}.clip-norm", "0"], "clip_norm is 0.0, but must be above 0 and finite, or None"),
    (["wgan_gp_digits", f"{CRITIC}.weight-decay", "-1"], "weight_decay is -1.0, but must be at least 0 and finite"),
    (["wgan_gp_digits", f"{CRITIC}.warm-up", "-1"], "warm_up is -1, but must be at least 0"),
    (["wgan_gp_digits", f"{CRITIC}.rule.b1", "1"], "b1 is 1.0, but must be in [0, 1)"),
    (["wgan_gp_digits", RATE, "fast"], "could not convert string to float: 'fast'"),
    (["wgan_gp_digits", "--model.penalty-weight", "nan"], "penalty_weight is nan, but must be at least 0"),
    (["wgan_gp_digits", "--model.penalty-weight", "inf"], "--model.penalty-weight is inf, but must be finite"),
    (
        ["wgan_gp_digits", "--model.generator-optimizer.rule.eps", "inf"],
        "--model.generator-optimizer.rule.eps is inf, but must",
    ),
    (["wgan_gp_digits", "--model.critic-steps", "-1"], "critic_steps is -1, but must be at least 1"),
    (["wgan_gp_digits", "--model.latent-dim", "0"], "latent_dim is 0, but must be at least 1"),
    (["wgan_gp_digits", "--model.latent-dim", str(10**9)], "GB of memory; use narrower networks"),
    (["wgan_gp_digits", "--model.generator.features", "500000", "500000"], "GB of memory; use narrower networks"),
    (["wgan_gp_digits", "--model.generator.features", "8", "x"], "--model.generator.features: Could not find valid"),
    (["wgan_gp_digits", "--model.generator.features", "-5"], "features is (-5,), but must be positive widths"),
    (["wgan_gp_digits", "--model.value-range", "0", "2"], "value_range is (0.0, 2.0), but must be (-1, 1), (0, 1) or"),
    (["wgan_gp_digits", "--model.image-shape", "9", "9", "1"], "leave it out, it follows the data"),
    (["wgan_gp_digits", "--model.critic.norm", "batch"], "use layer normalisation, spectral normalisation or none"),
    (
        ["wgan_gp_digits", "--model.average", "halflif"],
        "--model.average is 'halflif', but did you mean half-life? there",
    ),
    (["flow_two_moons", "--model.sampler.grid", "leading"], "grid is Leading, but must be another one, for a schedule"),
    (["flow_two_moons", "--model.prediction", "noise"], "prediction is Noise(), but must be V(), Velocity() or Data()"),
    (["wgan_gp_digits", "--out", "/dev/null/run"], "cannot write to /dev/null/run: Not a directory"),
    (["wgan_gp_digits", "--out", ""], "the value of --out is empty"),
]


def told(main, argv, monkeypatch, capsys) -> tuple[int, str]:
    """Exit code and all that a person sees on stderr, boxes and line breaks taken away."""
    monkeypatch.setattr(sys, "argv", ["python -m command", *argv])
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit_:
        cli.run(main)
    err = capsys.readouterr().err
    assert "Traceback" not in err
    return exit_.value.code, " ".join(err.translate(dict.fromkeys(map(ord, "╭╮╰╯│─"), " ")).split())


@pytest.fixture
def uncompiled(monkeypatch):
    """No run gets as far as its loop, where programs are compiled."""

    def never(*_, **__):
        raise AssertionError("compiled")

    monkeypatch.setattr(Loop, "run", never)


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize(("argv", "sentence"), OPTIONS, ids=[" ".join(row[0])[:60] for row in OPTIONS])
def test_a_bad_option_exits_with_2_and_a_sentence_before_anything_is_compiled(
    argv, sentence, tmp_path, monkeypatch, capsys
):
    out = [] if len(argv) < 2 or "--out" in argv else ["--out", str(tmp_path / "run")]
    code, said = told(train.main, [*argv[:1], *out, *argv[1:]] if out else argv, monkeypatch, capsys)
    assert code == 2
    assert sentence in said
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad") / "run"
    run(folder)
    return folder


def change(**changes):
    """Damage: other values in config.json, at dotted paths."""

    def damage(folder):
        record = json.loads((folder / "config.json").read_text())
        for path, value in changes.items():
            *parents, last = path.split("__")
            part = record
            for parent in parents:
                part = part[parent]
            part[last] = value
        (folder / "config.json").write_text(json.dumps(record))

    return damage


def put(name, content):
    """Damage: a file with another content, or none."""
    return lambda folder: (folder / name).write_bytes(content)


def remove(name):
    """Damage: a file or folder is missing."""

    def damage(folder):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return damage


def folder_for(name):
    """Damage: a folder in place of a file."""

    def damage(folder):
        remove(name)(folder)
        (folder / name).mkdir()

    return damage


def cut(folder):
    content = (folder / "config.json").read_bytes()
    (folder / "config.json").write_bytes(content[: len(content) // 2])


def flip_everywhere(folder):
    for path in (folder / "checkpoints").rglob("d/*"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)


BOTH = (train, sample)
FOLDERS = [
    # what, damage, commands that must tell, what the sentence says
    ("an empty config", put("config.json", b""), BOTH, "config.json is not JSON"),
    ("a truncated config", cut, BOTH, "config.json is not JSON"),
    ("a config of other bytes", put("config.json", b"\xff\xfe\x00"), BOTH, "config.json is not JSON"),
    ("a config that is a list", put("config.json", b"[]"), BOTH, "was not written by train: it holds a list"),
    ("a config of another shape", put("config.json", b'{"a": 1}'), BOTH, "its 'format' is missing or of a wrong kind"),
    ("settings of null", change(settings=None), BOTH, "its 'settings' is missing or of a wrong kind"),
    ("a config from the future", change(format=7), BOTH, "newer version of jaxgen (format 7, this one reads 2)"),
    ("a foreign type", change(settings__type="os:system"), BOTH, "settings of type 'os:system' do not belong to"),
    ("a function as a type", change(settings__type="experiments.runs.run_folder:move_aside"), BOTH, "no setting"),
    ("a path as a type", change(settings__model__type="jaxgen.../../etc:passwd"), BOTH, "do not belong to"),
    ("an unknown setting", change(settings__model__novelty=1), BOTH, "no setting 'novelty' in jaxgen.gans.wgan_gp:"),
    ("a string for a number", change(settings__steps="many"), BOTH, "steps is 'many'"),
    ("a float for an integer", change(settings__batch_size=8.5), BOTH, "batch_size is 8.5"),
    ("a number for a model", change(settings__model=3), BOTH, "model is 3"),
    ("a number for a network", change(settings__model__critic=3), BOTH, "critic is 3"),
    ("a value out of range", change(settings__model__latent_dim=-1), BOTH, "latent_dim is -1, but must be at least 1"),
    ("a missing config", remove("config.json"), (train,), "has checkpoints but no config.json that says of what"),
    ("a missing config", remove("config.json"), (sample,), "is not the folder of a run: it has no config.json"),
    ("a folder for the config", folder_for("config.json"), BOTH, "is not the folder of a run: it has no config.json"),
    ("another experiment", change(experiment="vae_digits"), (train,), "holds a run of vae_digits, not of wgan_gp_dig"),
    (
        "another seed",
        change(settings__seed=3),
        (train,),
        "other settings (seed: 3 -> 0); choose another --out, or --no",
    ),
    ("lost checkpoints", remove("checkpoints"), (train,), "has lost its checkpoints; put them back, or --no-resume"),
    ("lost checkpoints", remove("checkpoints"), (sample,), "has no checkpoint yet; train it first"),
    ("damaged checkpoints", flip_everywhere, BOTH, "can be used: step 4: "),
    ("checkpoints of another run", change(run="0" * 32), BOTH, "step 4: it belongs to another run, "),
    (
        "a file for the samples",
        lambda folder: (remove("samples")(folder), put("samples", b"")(folder)),
        (train,),
        "samp",
    ),
    ("a folder for the metrics", folder_for("metrics.jsonl"), (train,), "cannot go on in "),
]


@pytest.mark.parametrize(
    ("damage", "commands", "sentence"), [row[1:] for row in FOLDERS], ids=[row[0] for row in FOLDERS]
)
def test_a_damaged_run_is_refused_with_a_sentence_and_left_as_it_is(
    damage, commands, sentence, trained, tmp_path, monkeypatch, capsys
):
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    damage(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    again = ["wgan_gp_digits", "--out", str(folder), "--steps", "6", *SMALL]
    for command, argv in ((train, again), (sample, [str(folder), "--num", "2"])):
        if command in commands:
            code, said = told(command.main, argv, monkeypatch, capsys)
            assert code in (2, 3)
            assert sentence in said
            assert said.startswith("error: ")
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {path for path in before if path.name != "config.json" and before[path] != after.get(path)} == set()


COMMANDS = [
    # command, arguments with RUN for the folder of a run, what the sentence says
    (sample, ["nowhere"], "nowhere is not the folder of a run: it has no config.json"),
    (sample, [""], "the folder of a run comes first, but it is empty"),
    (sample, ["--num", "3"], "the folder of a run comes first, before --num"),
    (sample, ["RUN/config.json"], "is not the folder of a run"),
    (sample, ["RUN", "--num", "0"], "--num is 0, but must be at least 1"),
    (sample, ["RUN", "--num", "-3"], "--num is -3, but must be at least 1"),
    (sample, ["RUN", "--num", str(10**15)], "--num 1000000000000000 takes 64,000,000.0 GB"),
    (sample, ["RUN", "--columns", "0"], "--columns is 0, but must be in [1, --num]"),
    (sample, ["RUN", "--columns", str(10**9)], "--columns is 1000000000, but must be in [1, 64], the images to draw"),
    (sample, ["RUN", "--num", "4", "--columns", "5"], "--columns is 5, but must be in [1, --num]"),
    (sample, ["RUN", "--seed", "-1"], "--seed is -1, but must be in [0, 2^32)"),
    (sample, ["RUN", "--out", "digits.jpg"], "--out is digits.jpg, but must end in .png"),
    (sample, ["RUN", "--out", "digits", "--columns", "2"], "--columns is of a picture, but --out is digits"),
    (sample, ["RUN", "--out", "/dev/null/digits.png"], "cannot write /dev/null/digits.png: "),
    (sample, ["RUN", "--out", ""], "the value of --out is empty"),
    (sample, ["RUN", "--step", "99"], "has no checkpoint of step 99; there are: 2, 4"),
    (sample, ["RUN", "--step", "0"], "--step is 0, but must be at least 1"),
    (sample, ["RUN", "--step", "wurst"], "--step"),
    (sample, ["RUN", "--step", "best"], "the run keeps no best checkpoint; train with --best METRIC"),
    (evaluate, ["nowhere"], "nowhere is not the folder of a run"),
    (evaluate, ["RUN", "--num-samples", "1"], "--num-samples is 1, but must be at least 2"),
    (evaluate, ["RUN", "--num-samples", "many"], "--num-samples: invalid literal for int()"),
    (evaluate, ["RUN", "--num-reference", "1"], "--num-reference is 1, but must be at least 2"),
    (evaluate, ["RUN", "--num-halves", "1"], "--num-halves is 1, but must be 0, or at least 2"),
    (evaluate, ["RUN", "--seed", "-1"], "--seed is -1, but must be in [0, 2^32)"),
    (evaluate, ["RUN", "--step", "3"], "has no checkpoint of step 3; there are: 2, 4"),
    (evaluate, ["RUN", "--metrics", "fid"], "--metrics 'fid' is unknown; there are: frechet"),
    (evaluate, ["RUN", "--extractor", "vgg"], "--extractor 'vgg' is unknown; there are: pixels"),
    (evaluate, ["RUN", "--extractor", "inception:x.npz"], "x.npz is no file: make it with python -m experiments.incep"),
    (evaluate, ["RUN", "--against", "nowhere"], "nowhere is not the folder of a run"),
    (evaluate, ["RUN", "--against", ""], "the value of --against is empty"),
    (report, ["nowhere"], "nowhere is not the folder of a run"),
    (report, ["RUN", "--out", "page.pdf"], "--out is page.pdf, but must end in .html"),
    (report, ["RUN", "--pictures", "0"], "--pictures is 0, but must be at least 1"),
]


@pytest.mark.parametrize(("command", "argv", "sentence"), COMMANDS, ids=[" ".join(row[1])[:60] for row in COMMANDS])
def test_a_bad_option_of_a_command_on_a_run_exits_with_2_and_a_sentence(
    command, argv, sentence, trained, monkeypatch, capsys
):
    code, said = told(command.main, [part.replace("RUN", str(trained)) for part in argv], monkeypatch, capsys)
    assert code == 2
    assert sentence in said


def test_a_run_held_by_another_process_is_refused(trained, monkeypatch, capsys):
    argv = ["wgan_gp_digits", "--out", str(trained), "--steps", "6", *SMALL]
    holding = "import pathlib, sys; from experiments.runs import run_folder\n"
    holding += "with run_folder.locked(pathlib.Path(sys.argv[1])):\n print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(trained)], cwd=ROOT, stdin=-1, stdout=-1, text=True
    ) as process:
        process.stdout.readline()
        for options in ([], ["--no-resume"]):
            code, said = told(train.main, [*argv, *options], monkeypatch, capsys)
            assert (code, "another process trains in" in said) == (2, True)
        process.communicate("\n")


def test_garbage_in_the_metrics_is_dropped_and_the_run_goes_on(trained, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    path = folder / "metrics.jsonl"
    path.write_bytes(b'\xff\xfe\n{"step": "x"}\n[]\n' + path.read_bytes() + b'{"step": 4, "cri')
    assert run(folder, steps=6) == 0
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [2, 4, 6]


def test_the_table_is_as_long_as_it_should_be():
    assert len(OPTIONS) + len(FOLDERS) + len(COMMANDS) >= 100


@pytest.mark.parametrize(
    ("module", "argv"),
    [
        ("train", ["wgan_gp_digits", RATE, "nan", "--out", "OUT"]),
        pytest.param("train", ["wgan_gp_digits", "--best", "fid", "--out", "OUT"], marks=pytest.mark.exhaustive),
        pytest.param("sample", ["OUT"], marks=pytest.mark.exhaustive),
    ],
)
def test_a_fresh_process_says_one_sentence_and_exits_with_2(module, argv, tmp_path):
    """Also where the terminal knows ASCII alone and the path does not."""
    out = tmp_path / "läufe"
    done = subprocess.run(
        [sys.executable, "-m", f"experiments.{module}", *(part.replace("OUT", str(out)) for part in argv)],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "UnicodeEncodeError" not in done.stderr
    assert not out.exists()
