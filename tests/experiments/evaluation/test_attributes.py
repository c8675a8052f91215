"""Attributes that samples have, as their texts ask for them: with a judge that knows every picture."""

import types

import numpy as np
import pytest

from experiments import data
from experiments.data import shapes_captions
from experiments.evaluation import attributes, classifier
from experiments.evaluation.extractors import Cache
from experiments.evaluation.outputs import Outputs
from experiments.runs.experiment import Experiment
from tests.experiments.models.test_texts import CONFIG

EXPERIMENT = Experiment(model=CONFIG, data="shapes_captions")


@pytest.fixture
def judged(monkeypatch):
    """The rows of a model that draws what `drawn(pictures)` makes of the right ones, by their names."""
    known = {}
    for part in attributes.PARTS:
        image_set = data.load_for(EXPERIMENT, part)
        known |= {picture.tobytes(): label for picture, label in zip(image_set.images, image_set.labels, strict=True)}

    def outputs(pixels):
        logits = np.zeros((len(pixels), 240), np.float32)
        logits[np.arange(len(pixels)), [known[picture.tobytes()] for picture in pixels]] = 1
        return Outputs(np.zeros((len(pixels), 1), np.float32), logits)

    judge = types.SimpleNamespace(outputs=outputs, accuracy=1.0)
    monkeypatch.setattr(classifier, "obtain", lambda train, *_, **__: {24_000: judge}[len(train)])

    def rows(drawn):
        monkeypatch.setattr(
            attributes, "_drawn", lambda run, image_set, places, seed: drawn(np.asarray(image_set.batch(places)))
        )
        run = types.SimpleNamespace(experiment=EXPERIMENT)
        samples = drawn(np.asarray(data.load_for(EXPERIMENT, "test").batch(np.arange(400))))
        return {row.name: row.cells for row in attributes.judge({"samples": run}, {"samples": samples}, 0, Cache())}

    return rows


def test_right_pictures_are_right_and_those_of_other_texts_are_chance(judged):
    found = judged(lambda pictures: pictures)
    assert len(found) == 10 and all(cells["samples"].value == cells["real"].value == 1 for cells in found.values())
    chance = [1 / len(one.values) for one in shapes_captions.ATTRIBUTES]
    for part in attributes.PARTS.values():
        shuffled = [found[f"{one.name} as asked, {part}"]["shuffled"].value for one in shapes_captions.ATTRIBUTES]
        np.testing.assert_allclose(shuffled, chance, atol=0.08)
        cell = found[f"all four as asked, {part}"]["shuffled"]
        assert cell.value < 0.05 and cell.low <= cell.value <= cell.high and cell.num == 400


@pytest.mark.exhaustive
def test_pictures_of_the_next_text_are_as_often_right_as_chance_has_it(judged):
    found = judged(lambda pictures: np.roll(pictures, 1, axis=0))
    for cells in found.values():
        assert cells["samples"].value < 0.7 and cells["real"].value == 1


def test_there_are_attributes_of_texts_of_this_set_alone():
    assert attributes.are_there(EXPERIMENT)
    assert not attributes.are_there(Experiment(model=CONFIG, data="captions:photos"))
