"""Byte pairs: what is learned, what a caption becomes, the file of a run, and what is refused."""

import dataclasses
import importlib.util
import json

import numpy as np
import pytest

from experiments import data, evaluate
from experiments.command_line.errors import UserError
from experiments.data import tokens
from experiments.data.options import ImageOptions
from experiments.data.request import Request
from experiments.evaluation import r_precision, sets
from experiments.exports import programs
from experiments.models import matching, texts
from experiments.runs import restore, run_folder
from experiments.training import checks, runner
from jaxgen.nets.text.pooled import PooledText
from jaxgen.nets.text.transformer import TextTransformer
from tests.experiments import small_runs
from tests.experiments.evaluation.test_retrieval import CONFIG as OF_BYTES
from tests.experiments.pictures_on_disk import encoded, pixels, write_all

pytest.importorskip("tokenizers")

TEXTS = [["a red circle", "a red ring"], ["a blue circle, red inside"]] * 4
OPTIONS = ImageOptions(caption_length=12, tokens=300)
CONFIG = dataclasses.replace(
    OF_BYTES, caption_length=12, text_encoder=PooledText(TextTransformer(4, 1, 1, vocabulary=300))
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokens")
    names = [f"{part}/{index}.png" for part in ("train", "test") for index in range(12)]
    written = {name: f"a red circle {chr(97 + place % 12)} on the left" for place, name in enumerate(names)}
    files = {name: encoded(pixels(4, 4, 3, place)) for place, name in enumerate(names)}
    write_all(folder, files | {"captions.json": json.dumps(written)})
    return f"captions:{folder}"


def experiment_on(place, **settings):
    short = {"steps": 2, "batch_size": 8, "steps_per_call": 2, "num_samples": 12, "pictures": ("retrievals",)}
    return small_runs.Experiment(CONFIG, place, images=OPTIONS, **(short | settings))


def test_the_same_captions_give_the_same_vocabulary_of_frequent_pairs_and_any_text_comes_back():
    found = tokens.learned(TEXTS, 300)
    assert found.content == tokens.learned(TEXTS, 300).content and found.size <= 300
    assert len(found.tokens("a red circle")) < len("a red circle") and found.tokens("") == []
    for text in ("a red circle", "ein grüner Ring", "赤い", f"x{tokens.PADDING}"):
        assert 0 not in found.tokens(text)
        assert found.decoded(np.array(found.tokens(text))) == text.replace(tokens.PADDING, "")


def test_captions_are_padded_with_0_and_cut():
    found = tokens.learned(TEXTS, 300)
    rows, counts = found.encoded([["a red circle", ""], ["x" * 9]], 5)
    assert rows.dtype == np.uint16 and rows.shape == (2, 2, 5) and counts.tolist() == [2, 1]
    own = found.tokens("a red circle")
    assert rows[0, 0].tolist() == (own + [0] * 5)[:5] and not rows[0, 1].any() and not rows[1, 1].any()
    assert found.decoded(rows[1, 0]) == "x" * 5 and found.decoded(rows[0, 1]) == ""


def test_all_parts_of_a_set_are_read_with_the_vocabulary_of_its_training_captions(place):
    train, test = (data.load(place, part, images=OPTIONS) for part in ("train", "test"))
    assert train.reader is not None and test.reader is not None and train.reader.content == test.reader.content
    assert test.captions is not None and test.captions.dtype == np.uint16
    assert f"captions are read as {train.reader.size} byte pairs" in train.notes
    plain = data.load(place, "test", images=ImageOptions(caption_length=12))
    assert plain.captions is not None and plain.captions.dtype == np.uint8 and plain.reader is None
    assert test.text(test.captions[3, 0]).startswith(plain.text(plain.captions[3, 0])[:12])


@pytest.fixture(scope="module")
def run(place, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokens") / "run"
    assert runner.train("caption_encoder_shapes_captions", experiment_on(place), folder) == 0
    return folder


def test_a_run_keeps_its_vocabulary_and_goes_on_and_is_judged_with_it(run, place, monkeypatch, capsys):
    record = run_folder.read_config(run)
    own = tokens.read(run)
    assert record["tokenizer"] == own.checksum
    monkeypatch.setattr(tokens, "learned", lambda *_: pytest.fail("learned again"))
    assert runner.train("caption_encoder_shapes_captions", experiment_on(place, steps=4), run) == 0
    experiment, _, step, _ = restore.newest(run)
    assert step == 4 and experiment.tokenizer == run / tokens.FILE
    kept = tokens.of(experiment)
    assert kept is not None and kept.content == own.content
    assert evaluate.main([str(run), "--num-samples", "12"]) == 0
    assert "text to image" in capsys.readouterr().out
    lines = (run / "retrievals" / "captions.txt").read_text().splitlines()
    assert lines[0].startswith("a red circle a")


def test_another_run_reads_captions_with_it(run, place):
    request = Request("train", None, OPTIONS, tokenizer=run)
    found = tokens.reader(request, lambda: pytest.fail("learned"))
    assert found is not None and found.content == tokens.read(run).content
    small = Request("train", None, dataclasses.replace(OPTIONS, tokens=0), tokenizer=run)
    assert tokens.reader(small, lambda: pytest.fail("learned")) is None


def test_sentences_and_exported_programs_have_its_tokens(run, capsys):
    experiment, _, _, _ = restore.newest(run)
    reader = tokens.of(experiment)
    rows = texts.encoded(experiment.model, ["a red circle", "z" * 15], reader)
    assert rows.dtype == np.uint16 and rows.shape == (2, 12) and reader is not None
    assert rows[0, : len(reader.tokens("a red circle"))].tolist() == reader.tokens("a red circle")
    assert "3 tokens of 'zzzzzzzzzzzzzzz' are left out: the model reads 12" in capsys.readouterr().out
    assert programs._condition(experiment)[0][2] == np.uint16
    pairs = matching.pairs_of(experiment.model, data.load_for(experiment, "test"), 3)
    assert pairs.text(pairs.captions[0]).startswith("a red circle")


def test_a_judge_reads_the_same_tokens(run, place, tmp_path):
    """A run that judges another one's samples has the captions that it was asked for."""
    judged = sets.run(run, "newest")
    other = dataclasses.replace(judged.experiment, tokenizer=tmp_path / "other.json")
    content = tokens.learned([["other words", "others"]], 300).content
    (tmp_path / "other.json").write_text(content)
    makes_images = dataclasses.replace(judged, experiment=other)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "takes_texts", lambda _: True)
        assert r_precision.matcher(run, judged).name == judged.name
        with pytest.raises(UserError, match="reads captions with another vocabulary than"):
            r_precision.matcher(run, makes_images)


def test_a_lost_or_changed_vocabulary_is_told(run, place, tmp_path):
    path, content = run / tokens.FILE, (run / tokens.FILE).read_text()
    try:
        path.write_text(content + " ")
        with pytest.raises(UserError, match="is not the file that the run began with; put it back, or --no-resume"):
            restore.newest(run)
        path.unlink()
        with pytest.raises(UserError, match="cannot be read: No such file or directory; put it back"):
            evaluate.main([str(run)])
    finally:
        path.write_text(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file or directory; give tokenizer.json or a run's folder"),
        ("{}", "is no file of the library tokenizers"),
    ],
)
def test_what_is_no_vocabulary_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / tokens.FILE).write_text(content)
    with pytest.raises(UserError, match=message):
        tokens.read(tmp_path)


def test_a_vocabulary_without_padding_or_with_too_many_tokens_is_refused(run, tmp_path):
    other = json.loads(tokens.read(run).content)
    other["model"]["vocab"] = {"<|start|>": 0}
    other["model"]["merges"], other["added_tokens"] = [], []
    (tmp_path / "a.json").write_text(json.dumps(other))
    with pytest.raises(UserError, match=r"has no <\|padding\|> as token 0; give the file of a run"):
        tokens.read(tmp_path / "a.json")
    words = [[f"{a}{b}{b}{a} {b}{a}" for a in "abcdefgh" for b in "ijklmnop"]]
    (tmp_path / "b.json").write_text(tokens.learned(words, 320).content)
    with pytest.raises(UserError, match=r"has 3\d\d tokens; give --images.tokens 3\d\d beside it"):
        tokens.reader(Request("train", None, OPTIONS, tokenizer=tmp_path / "b.json"), list)
    with pytest.raises(ValueError, match=r"--images.tokens is 200, but must be 0 or in \[300, 65,536\]"):
        ImageOptions(tokens=200)


def test_an_encoder_that_does_not_know_the_tokens_is_refused(place):
    image_set = data.load(place, images=OPTIONS)
    small = dataclasses.replace(CONFIG, text_encoder=PooledText(TextTransformer(4, 1, 1)))
    with pytest.raises(UserError, match=r"but the encoder knows 256; give --model.text-encoder.net.vocabulary 285"):
        checks.check_model(small_runs.Experiment(small, images=OPTIONS), image_set)
    with pytest.raises(UserError, match=r"--images.tokens is given, but the encoder reads characters"):
        texts.check_vocabulary(OF_BYTES, image_set.reader)


def test_without_the_library_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs the library tokenizers: pip install -e '\.\[tokens\]'"):
        tokens.learned(TEXTS, 300)
