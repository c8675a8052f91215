"""Captions that a model cannot read as they are: every command says so, or refuses them, in one sentence."""

import json

import numpy as np
import pytest

from experiments import data, evaluate, export, latents, report, sample
from experiments.command_line.errors import UserError
from experiments.data import captions
from experiments.data.images import ImageSet
from experiments.data.options import ImageOptions
from experiments.models import unread
from experiments.pictures import captioned, figures
from experiments.runs import run_folder
from experiments.training import messages
from jaxgen.text_to_image import caption_encoder
from tests.experiments import small_runs
from tests.experiments.evaluation.test_retrieval import CONFIG as MATCHER
from tests.experiments.models.test_texts import CONFIG
from tests.experiments.pictures_on_disk import encoded, pixels, write_all

TEXTS = ("ein grüner Ring", "a cross", "a caption of more than twenty-four bytes")
CUT = "2 of 6 captions fill --images.caption-length 24 and may have been cut; give more"
UNKNOWN = "2 of 6 captions have characters that the encoder does not know, ü"


def image_set_of(texts, length=24):
    rows, counts = captions.encoded(texts, length)
    return ImageSet("some", np.zeros((len(texts), 16, 16, 3), np.uint8), captions=rows, num_captions=counts)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Six pictures of training and six held out; captions are cut, or unknown in part."""
    folder = tmp_path_factory.mktemp("unread")
    names = [f"{part}/{index}.png" for part in ("train", "test") for index in range(6)]
    files = {name: encoded(pixels(16, 16, 3, number)) for number, name in enumerate(names)}
    texts = {name: TEXTS[number % 3] for number, name in enumerate(names)}
    write_all(folder, files | {"captions.json": json.dumps(texts)})
    return folder


@pytest.fixture(scope="module")
def run(place, tmp_path_factory):
    settings = {"data": f"captions:{place}", "images": ImageOptions(caption_length=24)}
    return small_runs.save(CONFIG, tmp_path_factory.mktemp("unread") / "run", **settings, num_samples=18)


def test_what_is_cut_empty_or_unknown_is_counted_among_the_captions_that_there_are():
    found = image_set_of([["a ring", "übermaß"], [""], ["x" * 30]])
    cut, empty, unknown = unread.warnings(CONFIG, found)
    assert cut.startswith("1 of 4 captions fill --images.caption-length 24 and may have been cut")
    assert empty == "1 of 4 captions are empty; write them if that is a mistake"
    assert unknown == "1 of 4 captions have characters that the encoder does not know, ü ß"
    assert unread.warnings(CONFIG, image_set_of([["a ring"], ["A RING!"]])) == []
    assert unread.warnings(small_runs.GAN, found) == [] and unread.characters(small_runs.GAN, "ü") == []


def test_train_says_it_before_the_first_step(run):
    _, experiment = run_folder.read(run)
    lines = messages.about_data(data.load_for(experiment), experiment)
    assert [line for line in lines if "captions" in line][1:] == [
        f"warning: {CUT}",
        f"warning: {UNKNOWN}",
    ]


def test_sample_says_it_of_held_out_captions_and_of_sentences(run, tmp_path, capsys):
    assert sample.main([str(run), "--num", "2", "--out", str(tmp_path / "a.npz")]) == 0
    said = capsys.readouterr().out
    assert said.count("warning: of captions:") == 2 and CUT in said and UNKNOWN in said
    argv = [str(run), "--num", "2", "--text", "ein grüner Ring, und noch mehr", "--out", str(tmp_path / "b.npz")]
    assert sample.main(argv) == 0
    said = capsys.readouterr().out
    assert "7 bytes of 'ein grüner Ring, und noch mehr' are left out: the model reads 24" in said
    assert "the encoder does not know ü of" in said and "warning: of captions:" not in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--text", ""], "the value of --text is empty"),
        (["--text", "  "], "--text is empty; write what is to be drawn"),
        (["--text", "gr\udcfcn"], "is not UTF-8; write it in a file and give --text-file"),
    ],
)
@pytest.mark.parametrize("command", ["sample", "latents"])
def test_what_is_no_sentence_is_refused(run, command, words, message):
    with pytest.raises(UserError, match=message) as error:
        sample.main([str(run), *words]) if command == "sample" else latents.main([str(run), "texts", *words])
    assert "\n" not in str(error.value)


def test_latents_says_it_of_sentences(run, tmp_path, capsys):
    words = ["--text", "grün", "--text", "a caption of more than twenty-four bytes", "--num", "1", "--steps", "1"]
    assert latents.main([str(run), "texts", *words, "--out", str(tmp_path / "a.png")]) == 0
    said = capsys.readouterr().out
    assert "does not know ü of 'grün'" in said and "16 bytes of 'a caption of more than" in said


def test_evaluate_says_it_of_held_out_captions(place, tmp_path, capsys):
    settings = {"data": f"captions:{place}", "images": ImageOptions(caption_length=24, size=4)}
    config = caption_encoder.Config(
        (4, 4, 3), (-1.0, 1.0), 24, 3, MATCHER.image_encoder, MATCHER.text_encoder, MATCHER.objective
    )
    run = small_runs.save(config, tmp_path / "run", **settings)
    assert evaluate.main([str(run), "--num-samples", "6"]) == 0
    said = capsys.readouterr().out
    assert said.count("warning: of captions:") == 2 and CUT in said and UNKNOWN in said


@pytest.mark.exhaustive
def test_export_says_it_of_the_captions_of_its_picture(run, tmp_path, capsys):
    assert export.main([str(run), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert said.count("warning: of captions:") == 2 and CUT in said and UNKNOWN in said
    assert export.main([str(run), "--as", "heightmap", "--out", str(tmp_path / "a.png")]) == 0
    assert capsys.readouterr().out.count("warning: of captions:") == 2


def test_report_shows_captions_of_any_length_and_says_where_there_is_none(tmp_path):
    run = small_runs.save(CONFIG, tmp_path / "run")
    captioned.write(run / "samples", ("ü" * 500, "", "a\nb"))
    figures.save_png(run / "samples" / "step_000002.png", np.zeros((4, 4, 3), np.uint8))
    assert report.main([str(run), "--out", str(tmp_path / "a.html")]) == 0
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert f"<ol><li>{'ü' * 500}</li><li>(no caption)</li><li>a b</li></ol>" in page
