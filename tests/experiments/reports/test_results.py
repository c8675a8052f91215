"""The pages of results are those that the command writes from the records, and records say what a run was."""

import io
import json
import pathlib
import re

import pytest
from PIL import Image

from experiments import results as command
from experiments.command_line.errors import UserError
from experiments.reports import learning, records, results, sweeps
from experiments.runs import run_folder
from experiments.runs.experiment import load

DOCS = pathlib.Path(__file__).parents[3] / "docs"


def test_the_pages_of_the_repository_are_what_the_records_give():
    known = [one for _, one in records.read(DOCS / "results" / "runs")]
    for name, text in results.pages(known, DOCS / "figures").items():
        assert (DOCS / "results" / name).read_text(encoding="utf-8") == text, "run python -m experiments.results"


def test_every_record_stands_on_a_page():
    known = [one for _, one in records.read(DOCS / "results" / "runs")]
    pages = "".join(
        (DOCS / "results" / name).read_text(encoding="utf-8") for name in results.pages(known, DOCS / "figures")
    )
    for one in known:
        assert one["command"].replace(f" --seed {one['seed']}", "") in pages
        assert f"{one['minutes']:.1f}" in pages


def test_the_curves_of_the_repository_are_those_of_the_records():
    known = [one for _, one in records.read(DOCS / "results" / "runs")]
    folder, wanted = DOCS / "figures" / results.CURVES, results.with_curves(known)
    swept = results.with_sweeps(known)
    assert sorted(path.name for path in folder.glob("*")) == sorted([*wanted, *swept]), (
        "run python -m experiments.results"
    )
    for name, one in swept.items():
        with Image.open(folder / name) as picture:
            assert picture.info[learning.DATA] == sweeps.checksum(one), f"{name}: run python -m experiments.results"
    for name, runs in wanted.items():
        assert (folder / name).stat().st_size <= 30_000, name
        with Image.open(folder / name) as picture:
            assert picture.info[learning.DATA] == learning.checksum(runs), f"{name}: run python -m experiments.results"


def finished_run(folder: pathlib.Path, seed: int = 0, **changes) -> pathlib.Path:
    """The folder of a run that was not trained, but says so."""
    import dataclasses

    experiment = dataclasses.replace(load("wgan_gp_digits"), **{"seed": seed, "steps": 200, "out": folder, **changes})
    folder.mkdir(parents=True)
    run_folder.begin(folder, "wgan_gp_digits", experiment)
    lines = [
        {"step": 100, "steps_per_s": 2.0, "critic_loss": 1.0},
        {"step": 200, "steps_per_s": 1.0, "critic_loss": 0.5},
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    cell = {"value": 3.25 + seed, "low": 3.0, "high": 3.5, "num": 10}
    row = {"metric": "frechet", "name": "Frechet distance", "extractor": "pixels", "resize": "none", "better": "lower"}
    row |= {"interval": "halves", "num_reference": 30, "samples": cell, "real": {"value": 1.5, "low": 1.0, "high": 2.0}}
    evaluation = {"step": 200, "kind": "images", "num_samples": 10, "num_train": 30, "num_test": 5, "seed": 0}
    evaluation |= {"rows": [row], "classifier_accuracy": None, "splits": {"reference": "train"}}
    (folder / "evaluation.json").write_text(json.dumps(evaluation), encoding="utf-8")
    return folder


def test_two_seeds_of_a_run_stand_side_by_side_with_what_is_held_out(tmp_path, capsys):
    runs = [finished_run(tmp_path / f"run{seed}", seed) for seed in (0, 1)]
    out = tmp_path / "results"
    arguments = [
        "--out",
        str(out),
        "--figures",
        str(tmp_path),
        "--note",
        "Beside other work.",
        "--add",
        *map(str, runs),
    ]
    assert command.main(arguments) == 0
    page = (out / "gans.md").read_text(encoding="utf-8")
    assert "| Frechet distance (low) | pixels | 3.25 [3, 3.5] | 4.25 [3, 3.5] | 1.5 [1, 2] |" in page
    assert "python -m experiments.train wgan_gp_digits --steps 200" in page
    assert "seed 0 and 1. Minutes of updates: 2.5, 2.5." in page and page.count(". Beside other work.\n") == 1
    assert "Frechet distance 3.25 / 4.25 (held out 1.5)" in (out / "index.md").read_text(encoding="utf-8")
    assert sorted(path.name for path in (out / "runs").iterdir()) == [
        "wgan_gp_digits_s0_1.json",
        "wgan_gp_digits_s1_1.json",
    ]
    assert command.main(arguments) == 0  # the same runs again: the same files
    assert len(list((out / "runs").iterdir())) == 2
    links = re.findall(r"gans\.md#([\w-]+)", (out / "index.md").read_text(encoding="utf-8"))
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert f"![Learning curves of wgan_gp_digits](../figures/curves/{links[0]}.png)" in page
    with Image.open(tmp_path / "curves" / f"{links[0]}.png") as picture:
        known = [one for _, one in records.read(out / "runs")]
        assert picture.info[learning.DATA] == learning.checksum(known) != learning.checksum(known[:1])
        assert picture.size == (690, 150)  # one metric
    assert not (tmp_path / "wgan_gp_digits.png").exists()  # other settings than the experiment's
    assert links == [heading.replace("`", "").lower().replace(" ", "-") for heading in headings]


def test_a_record_keeps_curves_as_means_of_lines_and_writes_numbers_in_one_line(tmp_path):
    lines = [
        {"step": 10 * place, "loss": float(place), "loss/8": 0.5, "gradient_norm/critic": 1.0, "steps_per_s": 2.0}
        for place in range(1, 121)
    ]
    lines[2] |= {"loss": float("nan")}
    lines[6] |= {"loss": 1e-9}
    lines[7] |= {"loss": float("inf")}
    lines[-1] |= {"late": 0.123456}
    found = learning.kept(lines)
    assert found["steps"][:3] == [20, 40, 60] and len(found["steps"]) == learning.POINTS
    assert [*found["metrics"]] == ["loss", "loss/8", "late"]
    assert found["metrics"]["loss"][:4] == [1.5, 4.0, 5.5, 1e-09]
    assert found["metrics"]["late"][-2:] == [None, 0.1235]
    assert learning.kept([]) == {"steps": [], "metrics": {}}
    record = {
        "experiment": "a",
        "seed": 0,
        "command": "c",
        "format": 1,
        "curves": found,
        "words": ["1", "2"],
        "none": [],
    }
    path = records.write(record, tmp_path)
    assert records.read(tmp_path) == [(path, record)]
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) == 19 and '   "loss": [1.5, 4.0, 5.5, 1e-09, ' in text


def test_parts_of_a_metric_are_lines_of_one_panel():
    levels = {f"loss/{side}": [1.0, 0.5] for side in (4, 8, 16, 32)}
    record = {"seed": 0, "curves": {"steps": [10, 20], "metrics": levels}}
    picture = Image.open(io.BytesIO(learning.picture([record])))
    assert picture.size == (690, 150)  # four panels are two rows


@pytest.mark.parametrize(("seed", "copied"), [(0, True), (1, False)])
def test_the_newest_samples_of_a_published_run_with_seed_0_become_its_picture(tmp_path, seed, copied):
    run = finished_run(tmp_path / "run", seed, steps=12_000)
    line = json.dumps({"step": 12_000, "steps_per_s": 2.0, "critic_loss": 1.0})
    (run / "metrics.jsonl").write_text(line, encoding="utf-8")
    (run / "evaluation.json").unlink()
    (run / "samples").mkdir()
    for step in (8_000, 12_000):
        (run / "samples" / f"step_{step:08d}.png").write_text(str(step), encoding="utf-8")
    assert command.main(["--out", str(tmp_path / "out"), "--figures", str(tmp_path), "--add", str(run)]) == 0
    picture = tmp_path / "wgan_gp_digits.png"
    assert picture.exists() == copied
    assert not copied or picture.read_text(encoding="utf-8") == "12000"


def test_codes_that_name_classes_stand_on_the_page_of_results(tmp_path):
    run = finished_run(tmp_path / "run")
    path = run / "evaluation.json"
    codes = {"num": 297, "names": {"0": 3, "1": 3}, "purity": 0.9, "one_to_one": 0.45}
    evaluation = json.loads(path.read_text(encoding="utf-8"))
    evaluation |= {"codes": [codes], "classes": ["zero", "one", "two", "three"]}
    path.write_text(json.dumps(evaluation), encoding="utf-8")
    (page, *_) = results.pages([records.record(run)], tmp_path).values()
    assert "| 0 | 90.0% | 45.0% | three, three |" in page and "297 held-out images, whose code Q names." in page


def test_a_record_names_no_place_of_the_machine(tmp_path):
    run = finished_run(
        tmp_path / "secret" / "run",
        data=f"folder:{tmp_path}/secret/photos",
        data_dir=tmp_path,
        pretrained=(f"features={tmp_path}/secret/w.npz",),
    )
    found = records.record(run)
    text = json.dumps(found)
    assert str(tmp_path) not in text
    assert "secret" not in text
    assert found["data"] == "folder:photos"
    assert (
        found["command"]
        == "python -m experiments.train wgan_gp_digits --data folder:photos --pretrained features=SOURCE --steps 200"
    )
    assert found["sessions"][0]["processor"]


def test_an_experiment_that_is_given_its_frozen_parts_is_the_published_one():
    as_it_is = {"experiment": "gan_cls", "seed": 1, "command": "python -m experiments.train gan_cls --seed 1"}
    command = "python -m experiments.train gan_cls --pretrained encoder=SOURCE stage_one=SOURCE --seed 1"
    given = as_it_is | {"command": command}
    assert records.is_published(as_it_is) and records.is_published(given)
    assert not records.is_published(given | {"command": command + " --steps 3"})


def test_the_likelihood_of_a_denoiser_has_the_rows_that_its_file_names(tmp_path):
    run = finished_run(tmp_path / "run")
    evaluation = json.loads((run / "evaluation.json").read_text())
    (run / "evaluation.json").write_text(json.dumps(evaluation | {"rows": []}))
    row = {"mean": 81.234, "standard_error": 0.5, "bits_per_dim": 0.1}
    found = {"step": 200, "num_images": 9, "protocol": "binary pixels", "method": "bound", "num_draws": 3}
    found |= {"prior": row | {"said": "divergence from the prior"}, "nll": row | {"said": "bound on -log p(x|y)"}}
    (run / "likelihood.json").write_text(json.dumps(found))
    out = tmp_path / "results"
    assert command.main(["--out", str(out), "--figures", str(tmp_path / "figures"), "--add", str(run)]) == 0
    page = (out / "gans.md").read_text()
    assert "| divergence from the prior | 81.23 ± 0.50 |" in page
    assert "| bound on -log p(x\\|y) | 81.23 ± 0.50 |" in page
    assert "active latents" not in page
    assert "-log p(x) 81.23 nats" in (out / "index.md").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda run: (run / "metrics.jsonl").write_text('{"step": 100, "steps_per_s": 1.0}\n'),
            "is at step 100 of 200",
        ),
        (
            lambda run: (run / "likelihood.json").write_text('{"step": 50}'),
            r"likelihood.json is of step 50, not of the",
        ),
        (lambda run: (run / "evaluation.json").write_text("{}"), "was not written by this version"),
    ],
)
def test_a_run_that_is_not_finished_or_measured_is_refused(tmp_path, change, message):
    run = finished_run(tmp_path / "run")
    change(run)
    with pytest.raises(UserError, match=message):
        command.main(["--out", str(tmp_path / "results"), "--add", str(run)])
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is not JSON"), ("[]", "no record"), ('{"format": 0}', "no record")]
)
def test_a_damaged_record_is_named(tmp_path, text, message):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a.json").write_text(text)
    with pytest.raises(UserError, match=rf"a\.json .*{message}"):
        command.main(["--out", str(tmp_path)])


def test_a_reader_that_is_gone_is_no_fault_of_the_folder(tmp_path, monkeypatch):
    def gone(*_):
        raise BrokenPipeError

    run = finished_run(tmp_path / "run")
    monkeypatch.setattr("builtins.print", gone)
    with pytest.raises(BrokenPipeError):
        command.main(["--out", str(tmp_path / "results"), "--figures", str(tmp_path), "--add", str(run)])


def test_without_records_the_option_is_named(tmp_path):
    with pytest.raises(UserError, match="give --add RUN"):
        command.main(["--out", str(tmp_path)])


def test_a_sweep_stands_on_the_page_with_its_picture(tmp_path):
    run, out = finished_run(tmp_path / "run"), tmp_path / "results"
    cell = {"value": 3.0, "low": 2.0, "high": 4.0, "num": 10}
    points = [
        {"settings": {"sampler.steps": str(steps)}, "evaluations": steps, "values": {"Frechet distance": cell}}
        for steps in (5, 10)
    ]
    sweep = {"step": 200, "num_samples": 10, "seed": 0, "sampler": "DDIM(steps=50)", "points": points}
    sweep |= {"metrics": [{"metric": "frechet", "name": "Frechet distance", "extractor": "pixels", "better": "lower"}]}
    sweep |= {"real": {"Frechet distance": {"value": 1.0}}, "experiment": "left out"}
    (run / "sweep.json").write_text(json.dumps(sweep), encoding="utf-8")
    assert command.main(["--out", str(out), "--figures", str(tmp_path), "--add", str(run)]) == 0
    page = (out / "gans.md").read_text(encoding="utf-8")
    assert "| sampler.steps | evaluations | Frechet distance (low) |" in page
    assert "| real, held out |  | 1 |" in page and "| 5 | 5 | 3 [2, 4] |" in page
    assert "what is not named is sampler `DDIM(steps=50)`." in page
    ((_, one),) = records.read(out / "runs")
    assert "experiment" not in one["sweep"]
    (name,) = results.with_sweeps([one])
    assert f"](../figures/curves/{name})" in page
    with Image.open(tmp_path / "curves" / name) as picture:
        assert picture.info[learning.DATA] == sweeps.checksum(one)
    (run / "sweep.json").write_text(json.dumps(sweep | {"step": 100}), encoding="utf-8")
    with pytest.raises(UserError, match=r"sweep\.json is of step 100"):
        records.record(run)
