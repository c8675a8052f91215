"""Rank-1 of enlarged faces: by hand, and of a run on digits in place of people."""

import json

import numpy as np
import pytest

from experiments import identity
from experiments.command_line.errors import UserError
from experiments.data.options import ImageOptions
from experiments.evaluation import classifier, recognising
from jaxgen.nets.conv import ConvCritic
from jaxgen.nets.srresnet import SRResNet
from jaxgen.translation import sigan
from tests.experiments import small_runs

CONFIG = sigan.Config(
    input_shape=(4, 4, 1),
    image_shape=(8, 8, 1),
    generator=SRResNet(channels=2, blocks=0),
    embedder=ConvCritic(2),
    discriminator=ConvCritic(2),
    embedding_dim=3,
)


def test_rank_1_is_the_share_of_the_nearest_that_are_right():
    known = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]], np.float32)
    features = np.array([[2.0, 0.1], [0.1, 0.3], [1.0, 0.9], [5.0, 5.0]], np.float32)
    right = np.array([[True, False, False], [True, True, False], [False, True, False], [False] * 3])
    found = recognising.rank_1(features, known, right)
    assert found["rank_1"] == pytest.approx(2 / 3) and found["num"] == 3
    assert found["low"] < 2 / 3 < found["high"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    images = ImageOptions(size=4, target_factor=2)
    return small_runs.save(CONFIG, tmp_path_factory.mktemp("runs"), data="smaller:digits", images=images)


def test_a_run_is_judged_beside_bicubic_interpolation_and_real_faces(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(classifier, "USUAL", classifier.Settings(steps=20))
    monkeypatch.setattr(classifier, "cache_folder", lambda: tmp_path)
    assert identity.main([str(run), "--people", "few_labels:digits:500:0"]) == 0
    found = json.loads((run / "identity.json").read_text())
    assert {"bicubic", "samples", "real"} <= found.keys() and found["real"]["num"] == 297
    assert found["real"]["rank_1"] > 0.5 and found["num_people"] == 10
    assert "real faces" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("people", "trained_on", "message"),
    [
        ("", "smaller:digits", "--people is not given"),
        ("digits", "smaller:digits", "--people digits are those of the run; give a set of others"),
    ],
)
def test_people_must_be_others(people, trained_on, message):
    with pytest.raises(UserError, match=message):
        recognising.check_people(people, trained_on)


def test_held_out_faces_of_strangers_alone_are_refused():
    with pytest.raises(UserError, match="nobody of the held-out faces of faces is among its training faces"):
        recognising._same_people(np.array([3, 4]), np.array([0, 1, 2]), "faces")
    np.testing.assert_array_equal(recognising._same_people(np.array([1]), np.array([0, 1]), "faces"), [[False, True]])
