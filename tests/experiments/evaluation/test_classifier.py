import dataclasses
import json

import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data.options import ImageOptions
from experiments.data.rows import LazyRows, Source
from experiments.evaluation import classifier, extractors
from tests.experiments.judged import TINY

AS_THEY_ARE = ImageOptions()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("classifiers")


@pytest.fixture(scope="module")
def sets():
    return data.load("digits"), data.load("digits", "test")


@pytest.fixture(scope="module")
def trained(sets, folder):
    return classifier.obtain(*sets, AS_THEY_ARE, folder=folder, chosen=TINY)


def test_digits_are_recognised_and_the_accuracy_is_that_of_its_answers(trained, sets):
    _, test = sets
    outputs = trained.outputs(test.batch(np.arange(len(test))))
    assert outputs.features.shape == (297, TINY.width)
    assert outputs.logits.shape == (297, 10)
    assert trained.accuracy == pytest.approx((outputs.logits.argmax(1) == test.labels).mean())
    assert trained.accuracy > 0.85
    assert f"{trained.accuracy:.2%} right on 297 held-out images" in trained.describe()


def test_it_is_trained_once_and_read_without_pickle(trained, sets, folder, monkeypatch):
    def never(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(classifier, "_train", never)
    again = classifier.obtain(*sets, AS_THEY_ARE, folder=folder, chosen=TINY)
    assert (again.accuracy, again.file) == (trained.accuracy, trained.file)
    images = sets[1].batch(np.arange(7))
    np.testing.assert_array_equal(again.outputs(images).logits, trained.outputs(images).logits)
    with np.load(trained.file, allow_pickle=False) as stored:
        assert json.loads(str(stored["record"]))["data"] == "digits"


def test_another_seed_other_options_or_images_are_another_classifier(trained, sets, folder, monkeypatch):
    asked = []

    def untrained(train, seed, chosen):
        asked.append(seed)
        with np.load(trained.file) as stored:
            return {name: array for name, array in stored.items() if name.startswith("params/")}

    monkeypatch.setattr(classifier, "_train", untrained)
    train, test = sets
    fewer = dataclasses.replace(train, images=train.images[1:], labels=train.labels[1:])
    darker = dataclasses.replace(train, images=train.images // 2)
    one_pixel = train.images.copy()
    one_pixel[1, 0, 0] ^= 1  # of an image amid the set
    other = dataclasses.replace(train, images=one_pixel)
    relabelled = dataclasses.replace(train, labels=np.roll(train.labels, 1))
    lazy = dataclasses.replace(train, images=_lazy(train.images), fingerprint=lambda: {"classes": ["a"]})
    lazy_other = dataclasses.replace(lazy, fingerprint=lambda: {"classes": ["b"]})
    for one, options, seed in (
        (train, AS_THEY_ARE, 1),
        (train, ImageOptions(resample="box"), 0),
        (fewer, AS_THEY_ARE, 0),
        (darker, AS_THEY_ARE, 0),
        (other, AS_THEY_ARE, 0),
        (relabelled, AS_THEY_ARE, 0),
        (lazy, AS_THEY_ARE, 0),
        (lazy_other, AS_THEY_ARE, 0),
    ):
        assert classifier.obtain(one, test, options, seed=seed, folder=folder, chosen=TINY).file != trained.file
    assert asked == [1, *[0] * 7]
    assert len(list(folder.glob("*.npz"))) == 9


def _lazy(images):
    source = Source("digits", len(images), lambda indices: [images[index] for index in indices], lambda one: one, str)
    return LazyRows(source, images.shape[1:])


def test_its_accuracy_is_that_on_what_is_held_out_now(trained, sets, folder):
    train, test = sets
    wrong = dataclasses.replace(test, labels=(test.labels + 1) % 10)
    for one in (wrong, dataclasses.replace(test, images=255 - test.images)):
        found = classifier.obtain(train, one, AS_THEY_ARE, folder=folder, chosen=TINY)
        assert found.file == trained.file
        assert found.accuracy < 0.3 < trained.accuracy
    without = extractors.Real(train, dataclasses.replace(test, labels=None))
    assert extractors.usual(without) == ("pca",)
    with pytest.raises(UserError, match="the images that digits holds out have no labels"):
        extractors.check(["classifier"], without)


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[: len(b) // 2], lambda b: b"\x93NUMPY" + b[6:]])
def test_a_damaged_file_is_told_and_made_again(trained, sets, tmp_path, damage, monkeypatch, capsys):
    content = trained.file.read_bytes()
    (tmp_path / trained.file.name).write_bytes(damage(content))
    with np.load(trained.file) as stored:
        weights = {name: array for name, array in stored.items() if name.startswith("params/")}
    monkeypatch.setattr(classifier, "_train", lambda *_: weights)
    again = classifier.obtain(*sets, AS_THEY_ARE, folder=tmp_path, chosen=TINY)
    assert again.accuracy == trained.accuracy
    assert "is damaged or of something else; the classifier is trained again" in capsys.readouterr().out


def test_every_image_is_seen_once_before_any_is_seen_again():
    whole = classifier._order(0, 0, 25, 10)
    assert sorted(whole[:10]) == sorted(whole[10:20]) == list(range(10))
    assert list(whole[:10]) != list(whole[10:20])
    np.testing.assert_array_equal(
        np.concatenate([classifier._order(0, start, 5, 10) for start in range(0, 25, 5)]), whole
    )


@pytest.mark.parametrize(("name", "reason"), [("ring8", "holds points, no images"), ("digits:3", "has one class only")])
def test_sets_that_cannot_be_classified_are_refused(name, reason, sets):
    with pytest.raises(UserError, match=reason):
        classifier.obtain(data.load(name), sets[1], AS_THEY_ARE)
    without = dataclasses.replace(sets[0], labels=None)
    assert classifier.why_not(without) == "digits has no labels to fit a classifier to"
    assert classifier.why_not(sets[0]) is None


def test_a_folder_that_cannot_be_written_to_is_told(sets, tmp_path, monkeypatch):
    monkeypatch.setattr(classifier, "_train", lambda *_: {})
    monkeypatch.setattr(classifier, "_accuracy", lambda *_: 0.5)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="choose another --cache-dir"):
        classifier.obtain(*sets, AS_THEY_ARE, folder=tmp_path / "file", chosen=TINY)


def test_the_cache_lies_where_the_system_wants_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert classifier.cache_folder() == tmp_path / "jaxgen" / "classifiers"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert classifier.cache_folder().parts[-3:] == (".cache", "jaxgen", "classifiers")
