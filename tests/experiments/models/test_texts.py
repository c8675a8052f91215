"""Sentences that a model of texts is asked for: of the command line, of a file, in a picture, in a folder."""

import csv

import numpy as np
import pytest

from experiments import sample
from experiments.command_line.errors import UserError
from experiments.data.captions import decoded
from experiments.models import texts
from experiments.pictures import by_class, figures
from jaxgen.nets.gan_cls import TextDiscriminator, TextGenerator
from jaxgen.nets.text.char_cnn_rnn import CharCNNRNN
from jaxgen.priors import Normal
from jaxgen.text_to_image import gan_cls
from tests.experiments import small_runs

CONFIG = gan_cls.Config(
    image_shape=(16, 16, 3),
    caption_length=24,
    text_features=4,
    encoder=CharCNNRNN((2,), (2,), width=2),
    prior=Normal(2),
    generator=TextGenerator(4, 2, norm="none"),
    discriminator=TextDiscriminator(2, 2),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return small_runs.save(CONFIG, tmp_path_factory.mktemp("texts") / "run")


def test_sentences_of_the_command_line_come_before_those_of_a_file(tmp_path):
    file = tmp_path / "lines.txt"
    file.write_text("\n a red circle \n\nblau\n", encoding="utf-8")
    assert texts.read(("one ",), file) == ("one", "a red circle", "blau")
    assert texts.read((), None) == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "lines.txt cannot be read: No such file or directory; give a file with a sentence a line"),
        (b"\n \n", "lines.txt holds no sentence; write one a line"),
        (b"\xff", "lines.txt cannot be read: it is not UTF-8"),
    ],
)
def test_a_file_without_sentences_is_refused(tmp_path, content, message):
    file = tmp_path / "lines.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UserError, match=message):
        texts.read((), file)


def test_what_the_model_cannot_read_of_a_sentence_is_said(capsys):
    encoder = CharCNNRNN((2,), (0,), width=2)
    model = gan_cls.Config(caption_length=8, text_features=4, encoder=encoder)
    rows = texts.encoded(model, ["grün, long", "short"])
    assert [decoded(row) for row in rows] == ["grün, l", "short"]
    said = capsys.readouterr().out
    assert "3 bytes of 'grün, long' are left out: the model reads 8" in said
    assert "the encoder does not know ü of 'grün, long', and passes over it" in said
    source = texts.in_turn(texts.encoded(CONFIG, ["a", "b", "c"]))
    assert [decoded(row) for row in source(np.array([0, 4, 5]))] == ["a", "b", "c"]
    assert not capsys.readouterr().out


def test_a_picture_has_a_row_a_sentence_and_a_folder_a_table(run, tmp_path, monkeypatch, capsys):
    seen = {}
    monkeypatch.setattr(
        by_class,
        "picture",
        lambda pixels, names, columns, **options: seen.update(names=names, columns=columns) or pixels[0],
    )
    asked = [str(run), "--text", "a red ring", "--text", "blue", "--num", "6"]
    assert sample.main([*asked, "--out", str(tmp_path / "a.png")]) == 0
    assert seen == {"names": ["a red ring", "blue"], "columns": 3}
    assert "6 images of step 2, rows of a text each, to" in capsys.readouterr().out
    assert sample.main([*asked, "--out", str(tmp_path / "folder")]) == 0
    rows = list(csv.reader((tmp_path / "folder" / "captions.csv").read_text().splitlines()))
    assert rows[:3] == [["file", "caption"], ["000000.png", "a red ring"], ["000001.png", "blue"]] and len(rows) == 7
    with pytest.raises(UserError, match="holds other samples"):
        sample.main([str(run), "--text", "another", "--num", "6", "--out", str(tmp_path / "folder")])


def test_each_sample_is_of_its_sentence(run, tmp_path):
    for name, options in {"both": ("--text", "red", "--text", "blue"), "one": ("--text", "blue")}.items():
        assert sample.main([str(run), *options, "--num", "4", "--out", str(tmp_path / f"{name}.npz")]) == 0
    both, one = (np.load(tmp_path / f"{name}.npz")["arr_0"] for name in ("both", "one"))
    np.testing.assert_array_equal(both[1::2], one[1::2])
    assert (both[0] != one[0]).any()


def test_a_text_is_of_no_use_to_another_model(tmp_path):
    plain = small_runs.save(small_runs.GAN, tmp_path / "plain")
    with pytest.raises(UserError, match="--text is given, but wgan_gp makes no images of texts; leave it out"):
        sample.main([str(plain), "--text", "red"])


def test_long_labels_are_cut_where_they_are_told_to_be():
    pixels = np.zeros((4, 32, 32, 3), np.uint8)
    narrow, wide = (
        by_class.picture(pixels, ("word " * 30, "b"), 2, rows=True, longest=longest) for longest in (100, 300)
    )
    assert 150 < wide.shape[1] - narrow.shape[1] < 250 and narrow.shape[0] == wide.shape[0] == 70
    assert figures.side_by_side({"a": pixels}, ["one"] * 4).shape[1] > figures.side_by_side({"a": pixels}).shape[1]
