"""From sentence to sentence: what stands in the rows and columns of the picture."""

import pathlib
import re
import shlex

import numpy as np
import pytest
from PIL import Image

from experiments import latents, sample
from experiments.command_line.errors import UserError
from experiments.latents import sheet
from tests.experiments import small_runs
from tests.experiments.models.test_texts import CONFIG

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "models" / "gan_cls.md"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return small_runs.save(CONFIG, tmp_path_factory.mktemp("texts") / "run")


def test_rows_lead_from_the_image_of_one_sentence_to_that_of_the_next(run, tmp_path, monkeypatch, capsys):
    seen = {}
    monkeypatch.setattr(sheet, "save", lambda made, out, loops: seen.update(made=made, loops=loops))
    argv = [str(run), "texts", "--text", "a red ring", "--text", "blue", "--num", "2", "--steps", "3"]
    assert latents.main(argv) == 0
    assert "3: blue" in capsys.readouterr().out
    pixels = seen["made"].pixels
    assert pixels.shape == (2, 4, 16, 16, 3) and not seen["loops"]
    for sentence, column in (("a red ring", 0), ("blue", 3)):
        file = tmp_path / f"{column}.npz"
        assert sample.main([str(run), "--text", sentence, "--num", "2", "--out", str(file)]) == 0
        images = np.load(file)["arr_0"].astype(int)
        assert np.abs(images - pixels[:, column]).max() <= 1
    assert latents.main([*argv, "--closed"]) == 0
    assert seen["made"].pixels.shape[1] == 6 and seen["loops"]


def test_what_cannot_be_drawn_is_said(run, tmp_path):
    with pytest.raises(UserError, match="--text names fewer than two sentences"):
        latents.main([str(run), "texts", "--text", "one"])
    plain = small_runs.save(small_runs.GAN, tmp_path / "plain")
    with pytest.raises(UserError, match="wgan_gp makes no images of embeddings of texts; use a run of gan_cls or"):
        latents.main([str(plain), "texts", "--text", "one", "--text", "two"])


@pytest.mark.exhaustive
def test_the_commands_of_the_page_run(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = re.findall(
        r"^python -m experiments\.(\w+) runs/gan_cls_shapes_captions (.*)$", PAGE.read_text(), re.MULTILINE
    )
    assert {name for name, _ in commands} == {"sample", "latents"}
    for name, line in commands:
        assert {"sample": sample, "latents": latents}[name].main([str(run), *shlex.split(line)]) == 0
    with Image.open(run / "texts.png") as picture:
        assert picture.width > picture.height
