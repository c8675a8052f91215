"""Accuracy under attack, on the bundled digits."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from experiments import adversarial
from experiments.command_line.errors import UserError
from experiments.evaluation import attacking, classifier
from tests.experiments.judged import TINY


@pytest.mark.exhaustive
def test_attacks_lower_the_accuracy_and_training_on_their_examples_gives_some_of_it_back(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(classifier, "USUAL", TINY)
    words = ["--data", "digits", "--out", str(tmp_path / "out"), "--cache-dir", str(tmp_path / "cache")]
    words += ["--epsilons", "0", "0.1", "--steps", "5", "--train-steps", "3", "--train-epsilon", "0.1"]
    assert adversarial.main(words) == 0
    found = json.loads((tmp_path / "out" / "adversarial.json").read_text())
    assert found["num_test"] == 297 and found["classifiers"].keys() == attacking.SAID.keys()
    accuracy = {
        name: {kind: [point["accuracy"] for point in points] for kind, points in kinds.items()}
        for name, kinds in found["classifiers"].items()
    }
    for kinds in accuracy.values():
        assert kinds["fgsm"][0] == kinds["pgd"][0] > 0.7  # a ball without a radius
        assert kinds["pgd"][1] <= kinds["fgsm"][1] + 0.05 and kinds["fgsm"][1] < kinds["fgsm"][0]
    assert accuracy["adversarial"]["pgd"][1] > accuracy["usual"]["pgd"][1] + 0.1
    point = found["classifiers"]["usual"]["pgd"][1]
    assert point["low"] < point["accuracy"] < point["high"]
    assert f"{point['accuracy']:18.2%}" in capsys.readouterr().out
    for name in ("accuracy.png", "examples.png"):
        assert np.asarray(Image.open(tmp_path / "out" / name)).std() > 0


OPTIONS = adversarial.Options(data="digits", epsilons=(0.0, 0.3), norm="l2", steps=5, train_steps=2)


def test_the_steps_of_an_attack_can_cross_its_ball():
    attack = attacking.of_size(OPTIONS, 0.3)
    assert (attack.epsilon, attack.norm, attack.steps) == (0.3, "l2", 5)
    assert attack.steps * attack.step_size == pytest.approx(2.5 * 0.3)
    assert attacking.of_size(OPTIONS, 0.3, training=True).steps == 2
    assert attacking.of_size(OPTIONS, 0.0).step_size > 0


def test_a_set_without_labels_is_refused_before_anything_is_made(tmp_path):
    options = dataclasses.replace(OPTIONS, data="ring8", out=tmp_path / "out")
    with pytest.raises(UserError, match="holds points, no images; choose another --data"):
        attacking.run(options)
    assert not options.out.exists()


def test_lines_have_a_row_for_each_radius():
    points = [{"epsilon": 0.1, "accuracy": 0.5, "low": 0.4, "high": 0.6}]
    kinds = {"fgsm": points, "pgd": points}
    record = {"num_test": 10, "data": "digits", "norm": "linf", "classifiers": dict.fromkeys(attacking.SAID, kinds)}
    head, titles, row, *said = attacking.lines(record)
    assert "10 held-out images of digits" in head and "usual, fgsm" in titles and len(said) == 2
    assert row.split() == ["0.100", *["50.00%"] * 4]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilons": ()}, "--epsilons is"),
        ({"epsilons": (0.1, -0.1)}, "--epsilons is"),
        ({"steps": 0}, "--steps is 0"),
        ({"train_epsilon": 0.0}, "--train-epsilon is 0.0"),
        ({"train_steps": 0}, "--train-steps is 0"),
        ({"shown_epsilon": 0.0}, "--shown-epsilon is 0.0"),
        ({"num_images": 0}, "--num-images is 0"),
        ({"seed": -1}, "--seed is -1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        adversarial.Options(**settings)
