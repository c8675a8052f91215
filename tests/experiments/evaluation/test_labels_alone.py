"""The classifier of few labels beside one that learns from those labels alone, on digits."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest

from experiments import data
from experiments.evaluation import classifier, heads, labels_alone, sets
from experiments.runs.experiment import Experiment
from jaxgen.gans import improved_gan
from jaxgen.images import scale
from jaxgen.nets.improved_gan import ImprovedMLPDiscriminator, ImprovedMLPGenerator
from jaxgen.optimizers import Adam, Optimizer
from tests.experiments import small_runs

CONFIG = improved_gan.Config(
    image_shape=(8, 8, 1),
    generator=ImprovedMLPGenerator((8,)),
    discriminator=ImprovedMLPDiscriminator((32,), input_noise=0.1, noise=0.1),
    discriminator_optimizer=Optimizer(1e-2, Adam()),
)
EXPERIMENT = Experiment(CONFIG, data="few_labels:digits:100:0", batch_size=50)


@pytest.fixture(scope="module")
def test_set():
    return sets.compared(CONFIG, data.load(EXPERIMENT.data, "test"))


def test_the_network_learns_the_labels_and_more(test_set):
    classify = labels_alone.fitted(EXPERIMENT, 100, 0)
    few = data.load(EXPERIMENT.data)

    def accuracy(image_set):
        logits = classify(scale(jax.numpy.asarray(image_set.batch(np.arange(len(image_set)))), CONFIG.value_range))
        return float((np.asarray(logits).argmax(axis=1) == image_set.labels).mean())

    assert accuracy(few) > 0.95 and 0.6 < accuracy(test_set) < accuracy(few)


def test_its_accuracy_stands_beside_that_of_the_run(test_set, monkeypatch):
    monkeypatch.setattr(classifier, "USUAL", dataclasses.replace(classifier.USUAL, steps=2))
    state = improved_gan.init(CONFIG, jax.random.key(0))
    run: Any = SimpleNamespace(experiment=EXPERIMENT, state=state, step=100)
    (row,) = heads.judge({"samples": run}, sets.Real(test_set, test_set), (), 0)
    assert row.cells.keys() == {"samples", "labels_alone"}
    assert all(cell.num == 297 and cell.low < cell.value < cell.high for cell in row.cells.values())
    assert labels_alone.are_there(CONFIG) and not labels_alone.are_there(small_runs.GAN)
