"""Captions of the rows of pictures: kept beside them while a run trains, and shown in the report."""

import json

import jax
import numpy as np
import pytest

from experiments import data, report
from experiments.data.options import ImageOptions
from experiments.pictures import captioned, figures
from experiments.runs import run_folder
from experiments.training.showing import Showing
from tests.experiments import small_runs
from tests.experiments.models.test_texts import CONFIG
from tests.experiments.pictures_on_disk import encoded, pixels, write_all


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """On pictures of which each has a caption of its own; six held-out ones are drawn."""
    folder = tmp_path_factory.mktemp("captioned")
    texts = {f"{part}/{index}.png": f"{part} <b>{index}\n of 6" for part in ("train", "test") for index in range(6)}
    files = {name: encoded(pixels(16, 16, 3, place)) for place, name in enumerate(texts)}
    write_all(folder / "data", files | {"captions.json": json.dumps(texts)})
    settings = {"data": f"captions:{folder / 'data'}", "images": ImageOptions(caption_length=24)}
    return small_runs.save(CONFIG, folder / "run", **settings, pictures=("samples",), num_samples=18)


def test_a_run_keeps_the_captions_of_its_pictures_and_the_report_shows_them(run, tmp_path):
    _, experiment = run_folder.read(run)
    Showing(run, data.load_for(experiment), jax.random.key(0)).enter_stage(experiment)
    wanted = tuple(f"test <b>{index} of 6" for index in range(6))
    assert captioned.read(run / "samples") == wanted
    out = tmp_path / "report.html"
    assert report.main([str(run), "--out", str(out)]) == 0
    assert "<li>" not in out.read_text()  # no picture is drawn yet
    figures.save_png(run / "samples" / "step_000002.png", np.zeros((4, 4, 3), np.uint8))
    assert report.main([str(run), "--out", str(out)]) == 0
    page = out.read_text()
    lines = "".join(f"<li>test &lt;b&gt;{index} of 6</li>" for index in range(6))
    assert f"captions of the rows of samples, from the top</p><ol>{lines}</ol>" in page
    assert page.index("samples, step 2") < page.index("<ol>")


def test_other_runs_keep_none_and_the_report_says_none(tmp_path):
    run = small_runs.save(small_runs.GAN, tmp_path / "run", pictures=("samples",))
    _, experiment = run_folder.read(run)
    Showing(run, data.load_for(experiment), jax.random.key(0)).enter_stage(experiment)
    assert not (run / "samples" / captioned.FILE).exists() and captioned.read(run / "samples") == ()
    figures.save_png(run / "samples" / "step_000002.png", np.zeros((4, 4, 3), np.uint8))
    assert report.main([str(run), "--out", str(tmp_path / "a.html")]) == 0
    assert "captions of the rows" not in (tmp_path / "a.html").read_text()
