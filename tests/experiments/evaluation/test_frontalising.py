"""Frontal views judged pose by pose: on drawn people, who are told apart by a stripe, and by a network of digits."""

import json

import numpy as np
import pytest

from experiments import identity
from experiments.command_line.errors import UserError
from experiments.data.options import ImageOptions
from experiments.evaluation import classifier, frontalising, recognising
from jaxgen.nets.tp_gan import CoarseDiscriminator, GlobalPathway, LocalPathway
from jaxgen.priors import Normal
from jaxgen.translation import tp_gan
from jaxgen.translation.templates import Place, Template
from tests.experiments import small_runs
from tests.experiments.pictures_on_disk import encoded, write_all

SIDE, PEOPLE = 16, 7
CONFIG = tp_gan.Config(
    image_shape=(SIDE, SIDE, 1),
    num_classes=PEOPLE,
    template=Template(Place(0, 0, 8, 8), Place(0, 8, 8, 8), Place(4, 4, 8, 8), Place(8, 0, 8, 16)),
    prior=Normal(3),
    generator=GlobalPathway(8, 4, (3, 1), norm="none"),
    local=LocalPathway(2, 1, norm="none"),
    discriminator=CoarseDiscriminator(2, norm="none"),
    features=None,
)


def face(person, pose, expression):
    """A bright row for the person, a bright column for a turned pose, a corner for the expression."""
    image = np.zeros((24, 24, 1), np.uint8)
    image[5 + 2 * person] = 250
    if pose != "straight":
        image[:, {"left": 6, "right": 16, "up": 11}[pose]] += 5
    image[4:6, 4:6] += expression
    return encoded(image)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    found = tmp_path_factory.mktemp("faces")
    pictures = {
        f"{person}/p{person}_{pose}_{('sad', 'happy')[expression]}_open.png": face(person, pose, expression)
        for person in range(PEOPLE)
        for pose in ("left", "right", "up", "straight")
        for expression in range(2)
    }
    return write_all(found, pictures)


@pytest.fixture(scope="module")
def runs(people, tmp_path_factory):
    images = ImageOptions(size=SIDE, channels=1)
    return [
        small_runs.save(CONFIG, tmp_path_factory.mktemp("runs"), data=f"frontal:{people}:{fold}", images=images)
        for fold in range(2)
    ]


def test_each_pose_is_judged_beside_the_turned_and_the_straight_face(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(classifier, "USUAL", classifier.Settings(steps=20))
    monkeypatch.setattr(classifier, "cache_folder", lambda: tmp_path)
    assert identity.main([str(runs[0]), "--people", "digits", "--folds", str(runs[1])]) == 0
    found = json.loads((runs[0] / "identity.json").read_text())
    assert list(found["poses"]) == ["left", "right", "up", "all"] and len(found["data"]) == 2
    assert found["num_people"] == PEOPLE and found["num_gallery"] == 2 * PEOPLE
    for pose, num in (("left", 12), ("right", 12), ("up", 12), ("all", 36)):
        cells = found["poses"][pose]
        assert {cell["num"] for cell in cells.values()} == {num}
        assert "psnr" not in cells["real"] and cells["identity"]["psnr"] > cells["samples"]["psnr"]
    assert "the turned face itself" in capsys.readouterr().out
    assert identity.main(["fit", "--people", "digits", "--size", str(SIDE)]) == 0
    assert str(tmp_path) in capsys.readouterr().out


def test_a_face_is_not_looked_up_among_pictures_that_are_barred():
    known = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], np.float32)
    features, right = np.array([[1.0, 0.1]], np.float32), np.array([[False, False, True]])
    assert recognising.recognised(features, known, right).tolist() == [0.0]
    barred = np.array([[True, False, False]])
    assert recognising.recognised(features, known, right, barred).tolist() == [1.0]


def test_runs_of_one_fold_or_of_other_data_are_refused(runs, people):
    with pytest.raises(UserError, match="give each fold once"):
        frontalising.evaluate([runs[0], runs[0]], "digits")
    with pytest.raises(UserError, match="are those of the run; give a set of others"):
        frontalising.evaluate([runs[0]], f"folder:{people}")
