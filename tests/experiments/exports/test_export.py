"""The command, the folder and its card."""

import json
import pathlib
import re
import subprocess
import sys

import jax
import numpy as np
import pytest
import yaml
from PIL import Image

from experiments import export
from experiments.command_line.errors import UserError
from experiments.data import request
from experiments.exports import card, examples, folder, loading
from experiments.models import abilities, sampling
from experiments.runs import experiment, restore, settings
from experiments.runs.experiment import model_of
from tests import pages
from tests.experiments import small_runs
from tests.experiments.exports import exporting

ROOT = pathlib.Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def gan(tmp_path_factory):
    return small_runs.save(small_runs.GAN, tmp_path_factory.mktemp("gan"))


@pytest.fixture(scope="module")
def exported(gan, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "exported"
    assert exporting.write(gan, out) == []
    return out


ALONE = """
import pathlib, sys
for name in ("jaxgen", "experiments", "flax", "optax", "safetensors"):
    sys.modules[name] = None
{block}
np.save(sys.argv[1], images)
"""


@pytest.mark.exhaustive
def test_the_sampler_needs_jax_alone_and_draws_what_sample_draws(gan, exported, tmp_path):
    (block,) = [block for block in pages.blocks(PAGE, "python") if "sampler.jax" in block]
    program = ALONE.format(block=block)
    subprocess.run([sys.executable, "-c", program, tmp_path / "images.npy"], cwd=exported, check=True)
    images = np.load(tmp_path / "images.npy")
    _, drawn = sampling.draw(gan, 16, seed=0)
    assert images.shape == (16, 8, 8, 1) and images.dtype == np.uint8
    assert len(np.unique(drawn.reshape(16, -1), axis=0)) == 16
    np.testing.assert_allclose(images.astype(int), drawn.astype(int), atol=1)


def test_any_number_and_any_seed_can_be_asked_for(gan, exported):
    for num, seed in (1, 0), (7, 2**32 - 1):
        images = exporting.call(exported, "sampler", np.uint32(seed), np.zeros(num, np.int32))
        np.testing.assert_allclose(images.astype(int), sampling.draw(gan, num, seed)[1].astype(int), atol=1)


def test_every_block_of_the_page_runs_in_the_folder_and_stands_on_its_card(exported, monkeypatch):
    monkeypatch.chdir(exported)
    names = {}
    text = (exported / "README.md").read_text(encoding="utf-8")
    blocks = pages.blocks(PAGE, "python")
    assert len(blocks) == 5 and blocks == pages.blocks(text, "python")
    for block in blocks:
        assert 1 < len([line for line in block.splitlines() if line]) <= 5
        exec(compile(block, "docs/export.md", "exec"), names)
    assert names["images"].shape == (16, 8, 8, 1)
    assert names["config"] == small_runs.GAN
    assert "ema/params/Dense_0/kernel" in names["weights"]


def test_the_page_names_every_file(exported):
    files = {path.name for path in exported.iterdir()} | {"encoder.jax", "reconstructor.jax"}
    assert set(re.findall(r"^\| `([\w.]+)` \|", PAGE, re.MULTILINE)) == files
    assert all(name in PAGE for name in (*folder.PACKAGES, loading.CONFIG))


def test_the_card_says_what_the_run_says(gan, exported):
    text = (exported / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(text.split("---")[1])
    assert front == {
        "library_name": "jaxgen",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["jax", "flax", "wgan-gp"],
    }
    assert "# license:\n" in text and "\nLicense: " in text
    for said in ("1704.00028.", "`digits`", "Training examples: 1,500", "Classes (10): 0, 1,", "Training: 2 steps"):
        assert said in text
    assert "None: this step was not evaluated." in text
    assert str(gan) not in text
    with Image.open(exported / "samples.png") as picture:
        assert picture.size == (8 * (32 + 2) + 2, 8 * (32 + 2) + 2)


ROW = {"name": "recall", "better": "higher", "extractor": "pca", "resize": None}
CELL = {"value": 0.5, "low": 0.4, "high": 0.625, "num": 300}


@pytest.mark.parametrize(("step", "shown"), [(2, True), (1, False)])
def test_numbers_stand_on_the_card_of_the_step_that_was_evaluated(gan, step, shown):
    evaluation = {
        "kind": "images",
        "step": step,
        "seed": 0,
        "num_samples": 300,
        "num_train": 1500,
        "classes": ["a|b", "c"],
        "rows": [ROW | {"samples": CELL, "real": {"value": 0.75}}, ROW | {"name": "late", "samples": {"reason": "no"}}],
    }
    (gan / "evaluation.json").write_text(json.dumps(evaluation))
    found = card.evaluation_of(gan, 2)
    (gan / "evaluation.json").unlink()
    assert (found == evaluation) == shown
    if shown:
        text = card._numbers(found)
        assert "| recall (high) | pca | 0.5 [0.4, 0.625] | 0.75 |" in text and "late" not in text


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("digits", "digits"),
        ("cifar10:cat", "cifar10:cat"),
        ("folder:/home/ada/photos", "folder:photos"),
        ("npz:../data/sheep.npz", "npz:sheep.npz"),
        ("quickdraw:sheep", "quickdraw:sheep"),
        ("emnist/letters", "emnist/letters"),
        ("pairs:/home/ada/facades/", "pairs:facades"),
        ("unpaired:/home/ada/horses,folder:/home/ada/zebras", "unpaired:horses,folder:zebras"),
        ("prompts:folder:/home/ada/photos", "prompts:folder:photos"),
        ("prompts:fashion_mnist", "prompts:fashion_mnist"),
        ("edges:folder:/home/ada/photos", "edges:folder:photos"),
    ],
)
def test_the_card_does_not_tell_where_a_persons_data_lie(name, public):
    assert request.public_name(name) == public


@pytest.mark.parametrize("name", experiment.names())
def test_every_model_has_a_paper_on_its_card(name):
    title, paper = card.described(model_of(experiment.load(name).model))
    assert title and re.search(r"\b(19|20)\d\d\b.*\.$", paper)
    assert "`" not in paper


@pytest.mark.exhaustive
def test_programs_of_a_conditional_autoencoder_take_labels(tmp_path):
    run, out = small_runs.save(small_runs.PLANE, tmp_path / "run"), tmp_path / "out"
    assert exporting.write(run, out) == []
    _, _, _, state = restore.newest(run)
    labels, pixels = np.array([3, 1, 4], np.int32), np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), np.uint8)
    latents = exporting.call(out, "encoder", pixels, labels)
    np.testing.assert_allclose(latents, abilities.encoder(small_runs.PLANE)(state, pixels, labels), atol=1e-4)
    images = exporting.call(out, "decoder", latents, labels)
    wanted = abilities.decoder(small_runs.PLANE)(state, latents, labels)
    np.testing.assert_allclose(images.astype(int), wanted.astype(int), atol=1)
    in_turn = exporting.call(out, "sampler", np.uint32(5), np.arange(12, dtype=np.int32) % 10)
    np.testing.assert_allclose(in_turn.astype(int), sampling.draw(run, 12, 5)[1].astype(int), atol=1)
    others = exporting.call(out, "sampler", np.uint32(5), np.full(12, 3, np.int32))
    assert (others[3] == in_turn[3]).all() and (others != in_turn).any()
    assert "pipeline_tag" not in (out / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "say where to"),
        (["--out", "FULL"], "is there and not an empty folder"),
        (["--out", "FULL/file"], "is there and not an empty folder"),
        (["--out", "FULL/file/below"], "cannot write"),
        (["--out", "new", "--step", "7"], "no checkpoint of step 7; there are: 2"),
        (["--out", "new", "--step", "best"], "keeps no best checkpoint"),
        (["--out", "new", "--sampler.steps", "3"], "wgan_gp has no sampler"),
        (["--out", "FULL", "--as", "heightmap"], "is there and not an empty folder"),
        (["--out", "FULL/file/a.png", "--as", "heightmap"], "cannot write"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_sentence_and_leaves_nothing(gan, options, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FULL").mkdir()
    (tmp_path / "FULL" / "file").write_text("mine")
    with pytest.raises(UserError, match=re.escape(said)) as raised:
        export.main([str(gan), *options])
    assert "\n" not in str(raised.value)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["FULL", "file"]


def test_a_run_without_a_checkpoint_or_with_a_damaged_one_is_not_exported(tmp_path):
    run = small_runs.save(small_runs.GAN, tmp_path / "run")
    for path in (run / "checkpoints" / "2" / "state").rglob("*"):
        if path.is_file():
            path.write_bytes(b"damaged")
    with pytest.raises(UserError, match="2"):
        exporting.write(run, tmp_path / "out")
    with pytest.raises(UserError, match="not the folder of a run"):
        exporting.write(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_safetensors_it_says_what_to_install(gan, tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "PACKAGES", ("safetensors", "no_such_package"))
    with pytest.raises(UserError, match=r"needs no_such_package: pip install -e '\.\[export\]'"):
        exporting.write(gan, tmp_path / "out")


def test_a_failure_in_the_middle_leaves_nothing(gan, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(card, "text", full)
    with pytest.raises(UserError, match="No space left on device"):
        exporting.write(gan, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_is_taken_and_the_command_says_what_it_wrote(gan, tmp_path, capsys):
    with exporting.unchecked():
        assert export.main([str(gan), "--out", str(tmp_path), "--step", "2"]) == 0
    assert "step 2" in capsys.readouterr().out
    assert settings.from_json(json.loads((tmp_path / "config.json").read_text())) == small_runs.GAN
    assert export.main([]) == 0


def test_what_a_model_needs_for_a_sample_is_on_the_card(exported):
    text = (exported / "README.md").read_text(encoding="utf-8")
    assert examples.DRAWN in text
    assert "seed uint32[], places int32[num] to images uint8[num, 8, 8, 1]; for cpu, cuda, tpu" in text
    assert "latents float32[num, 3] to images uint8[num, 8, 8, 1]" in text
    assert jax.__version__ in text
