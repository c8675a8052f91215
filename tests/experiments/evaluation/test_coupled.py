"""Pairs of one class: by hand with classifiers that see the brightness, and pictures of pairs."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest

from experiments.data.images import ImageSet
from experiments.evaluation import classifier, coupled, kinds, sets
from experiments.evaluation.extractors import Cache
from experiments.evaluation.outputs import Outputs
from experiments.models import coupled as models
from experiments.pictures import kinds as pictures
from experiments.runs.experiment import Experiment
from jaxgen.gans import cogan
from tests.experiments import small_runs
from tests.gans.test_cogan import TINY

STATE = jax.jit(cogan.init, static_argnums=0)(TINY, jax.random.key(0))
LABELS = (np.arange(40) % 2).astype(np.int32)
LIGHT = np.broadcast_to((200 * LABELS).astype(np.uint8)[:, None, None, None], (40, 4, 4, 1))
DOMAINS = ImageSet("light", LIGHT, LABELS, ("dark", "light")), ImageSet("dark", 255 - LIGHT, LABELS, ("dark", "light"))
EXPERIMENT = Experiment(TINY, data="unpaired:light,inverted:light")


def obtained(train, test, images, **_):
    """A classifier by brightness; in the second domain the class is the other way round."""

    def outputs(pixels):
        light = (pixels.mean(axis=(1, 2, 3)) >= 128) != (train.name == "dark")
        return Outputs(np.zeros((len(pixels), 1)), np.stack([~light, light], axis=1).astype(np.float32))

    return SimpleNamespace(outputs=outputs, accuracy=0.9 if train.name == "dark" else 1.0)


@pytest.fixture
def judged(monkeypatch):
    monkeypatch.setattr(sets, "of_domain", lambda experiment, which, split: DOMAINS[which])
    monkeypatch.setattr(classifier, "obtain", obtained)


def run(config) -> Any:
    return SimpleNamespace(experiment=dataclasses.replace(EXPERIMENT, model=config), state=STATE)


def made(share):
    """Pairs of which a share is of one class: a light image and, in the other domain, a dark one."""
    num = 40
    first = np.where(np.arange(num) % 4 < 2, 255, 0)
    second = np.where(np.arange(num) < share * num, 255 - first, first)
    pixels = np.stack([first, second], axis=1).astype(np.uint8)
    return np.broadcast_to(pixels[:, :, None, None, None], (num, 2, 4, 4, 1))


def test_the_share_of_pairs_of_one_class_has_real_images_and_chance_beside_it(judged, monkeypatch):
    monkeypatch.setattr(models, "pair_decoder", lambda config: lambda state, latents: made(0.75))
    runs = {"samples": run(TINY), "against": run(small_runs.GAN)}
    (row,) = coupled.judge(runs, 40, 0, Cache())
    cells: Any = row.cells
    assert (cells["samples"].value, cells["samples"].num) == (0.75, 40)
    assert cells["samples"].low < 0.75 < cells["samples"].high
    assert cells["real"].value == 1.0 and 0.3 < cells["chance"].value < 0.7
    assert cells["against"].reason == "makes images of one domain"
    assert (row.classifier_accuracy, row.better, row.extractor) == (0.9, "higher", "classifier")


def test_domains_of_other_images_have_no_real_pairs(judged, monkeypatch):
    monkeypatch.setattr(models, "pair_decoder", lambda config: lambda state, latents: made(0.5))
    other = dataclasses.replace(DOMAINS[1], labels=1 - LABELS)
    monkeypatch.setattr(sets, "of_domain", lambda experiment, which, split: (DOMAINS[0], other)[which])
    (row,) = coupled.judge({"samples": run(TINY)}, 40, 0, Cache())
    assert "real" not in row.cells


def test_domains_without_labels_have_a_reason(monkeypatch):
    plain = ImageSet("plain", LIGHT)
    monkeypatch.setattr(sets, "of_domain", lambda experiment, which, split: plain)
    (row,) = coupled.judge({"samples": run(TINY)}, 40, 0, Cache())
    assert row.reason == "plain has no labels to fit a classifier to"


def test_each_domain_of_a_run_is_a_set_with_its_own_labels():
    experiment = dataclasses.replace(EXPERIMENT, data="unpaired:digits,inverted:digits")
    a, b = (sets.of_domain(experiment, which, "test") for which in range(2))
    np.testing.assert_array_equal(np.asarray(b.images), 255 - np.asarray(a.images))
    assert coupled._same_labels(a, b)


def test_samples_are_compared_with_the_first_domain():
    image_set = dataclasses.replace(DOMAINS[0], others=DOMAINS[1].images)
    assert sets.compared(TINY, image_set) is image_set


def test_a_picture_has_each_image_of_a_above_that_of_b_of_the_same_latent():
    experiment = dataclasses.replace(EXPERIMENT, num_samples=16)
    key = jax.random.key(3)
    found = pictures.drawings(experiment, DOMAINS[0], key)["samples"](STATE)
    both = models.pair_decoder(TINY)(STATE, np.asarray(TINY.prior.draw(key, 8)))
    assert both.shape == (8, 2, 4, 4, 1)
    np.testing.assert_array_equal(found, pictures.pairs(both[:, 0], both[:, 1], ("a", "b")))


def test_the_metric_is_of_coupled_models_alone():
    assert coupled.NAME in kinds.names(EXPERIMENT)
    assert coupled.NAME not in kinds.names(Experiment(small_runs.GAN))
