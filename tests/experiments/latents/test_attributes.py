"""Groups of images by their attributes: held-out ones as the data say, draws as classifiers judge them."""

import numpy as np
import pytest

from experiments import latents
from experiments.command_line.errors import UserError
from experiments.evaluation import classifier
from experiments.latents import attributes, sources, trained
from experiments.latents.sources import Words
from tests.experiments import small_runs
from tests.experiments.latents.test_latents import draw, near, tile
from tests.experiments.pictures_on_disk import npz, write_all

NUM = 60
"""Held-out images."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the GAN draws: the left half is the brighter one with the first attribute, the upper one with the second.

    None has the third.
    """
    place = tmp_path_factory.mktemp("attributes")
    run = trained.load(small_runs.save(small_runs.GAN, place / "digits"))
    images = run.decode(run.draw(np.arange(200, 200 + 100 + NUM), 0))
    means = [images[:, :, :4], images[:, :, 4:], images[:, :4], images[:, 4:]]
    left, right, upper, lower = (half.mean(axis=(1, 2, 3)) for half in means)
    marks = np.stack([above_median(left - right), above_median(upper - lower), np.zeros(len(images))], axis=1).astype(
        int
    )
    parts = {
        "train": images[NUM:],
        "train_attributes": marks[NUM:],
        "test": images[:NUM],
        "test_attributes": marks[:NUM],
    }
    write_all(place, {"a.npz": npz(**parts)})
    return place, images[:NUM], marks[:NUM]


def above_median(values):
    return values > np.median(values)


@pytest.fixture(scope="module")
def runs(folder):
    place, *_ = folder
    models = {"gan": small_runs.GAN, "vae": small_runs.WIDE}
    return {name: small_runs.save(model, place / name, data=f"npz:{place}/a.npz") for name, model in models.items()}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(classifier, "USUAL", classifier.Settings(channels=2, width=4, steps=150, learning_rate=0.02))
    monkeypatch.setattr(attributes, "DRAWS", 50)


def test_held_out_images_are_those_that_have_all_that_is_named(folder, runs):
    _, images, marks = folder
    words = Words(trained.load(runs["vae"]))
    for name, there in (("0", marks[:, 0] == 1), ("-0", marks[:, 0] == 0), ("0,-1", (marks == [1, 0, 0]).all(axis=1))):
        points, _ = sources.points(words, [f"attributes:{name}"], NUM)
        np.testing.assert_array_equal(points.originals, images[there])
    few, _ = sources.points(words, ["attributes:1"], 2)
    assert few.names == tuple(f"test {place}" for place in np.flatnonzero(marks[:, 1])[:2])


def test_draws_are_those_that_classifiers_judge_so(runs, small):
    run = trained.load(runs["gan"])
    every = run.decode(run.draw(np.arange(50), 3))
    found, lines = {}, []
    for name in ("0", "-0"):
        points, lines = sources.points(Words(run, seed=3), [f"attributes:{name}"], NUM)
        found[name] = [int(one.removeprefix("sample ")) for one in points.names]
        np.testing.assert_array_equal(run.decode(points.latents), every[found[name]])
    assert sorted(found["0"] + found["-0"]) == list(range(50))
    left = every[:, :, :4].mean(axis=(1, 2, 3)) - every[:, :, 4:].mean(axis=(1, 2, 3))
    assert left[found["0"]].mean() > left[found["-0"]].mean()
    assert lines[0].startswith("0: convolutional classifier, ") and " right on 60 held-out images" in lines[0]
    assert lines[1] == f"{len(found['-0'])} of 50 draws are judged to be 'attributes:-0'"


def test_arithmetic_takes_groups_by_attributes(runs, small, tmp_path, capsys):
    options = ["--plus", "attributes:0", "--minus", "attributes:-0", "--images", "sample:0", "--strengths", 0, 1]
    found = draw(runs["gan"], "arithmetic", tmp_path / "a.png", *options)
    printed = capsys.readouterr().out
    assert "plus attributes:0: the mean of " in printed and "minus attributes:-0: the mean of " in printed
    run = trained.load(runs["gan"])
    assert near(tile(found, 0, 0, 1, 2), run.decode(run.draw(np.array([0]), 0))[0])
    assert not near(tile(found, 0, 1, 1, 2), run.decode(run.draw(np.array([0]), 0))[0])


@pytest.mark.parametrize(
    ("run", "words", "message"),
    [
        ("vae", "attributes:3", "'3' is no attribute of .*; there are: 0, 1, 2"),
        ("vae", "attributes:2", "has held out no image of 'attributes:2'; name fewer attributes"),
        ("gan", "attributes:smile", "'smile' is no attribute of"),
    ],
)
def test_attributes_that_are_not_there_are_named(runs, small, run, words, message):
    with pytest.raises(UserError, match=message):
        latents.main([str(runs[run]), "arithmetic", "--plus", words, "--minus", "attributes:0"])


def test_data_without_attributes_are_named(tmp_path):
    run = small_runs.save(small_runs.WIDE, tmp_path / "run")
    with pytest.raises(UserError, match="digits has no attributes; name classes, draws or files"):
        latents.main([str(run), "interpolate", "--images", "attributes:Smiling"])
