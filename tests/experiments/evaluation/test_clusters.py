"""Clusters of held-out images, by hand; and of models with and without an encoder."""

from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest

from experiments.data.images import ImageSet
from experiments.evaluation import clusters, kinds
from experiments.evaluation.sets import Examples, Real
from experiments.models import abilities
from experiments.runs.experiment import Experiment
from jaxgen.gans import clustergan, infogan
from tests.experiments import small_runs
from tests.gans.test_clustergan import TINY

LABELS = (np.arange(60) % 3).astype(np.int32)
PIXELS = np.random.default_rng(0).integers(0, 256, (60, 4, 4, 1), np.uint8)
REAL = Real(*(ImageSet("made", PIXELS, LABELS, ("a", "b", "c")),) * 2)
STATE = jax.jit(clustergan.init, static_argnums=0)(TINY, jax.random.key(0))


def values(found):
    return [found[name].value for name in clusters.NAMES]


def test_clusters_that_are_the_classes_under_other_names_are_perfect():
    found = clusters.cells((LABELS + 1) % 3, Examples(PIXELS, LABELS), 0)
    assert values(found) == pytest.approx([1.0, 1.0, 1.0])


def test_what_clusters_are_called_changes_nothing():
    named = np.random.default_rng(1).integers(0, 3, 60)
    images = Examples(PIXELS, LABELS)
    assert values(clusters.cells(named, images, 0)) == pytest.approx(values(clusters.cells(2 - named, images, 0)))


def test_one_cluster_of_all_tells_nothing_and_one_class_too_many_costs_its_images():
    accuracy, information, rand = values(clusters.cells(np.zeros(60, int), Examples(PIXELS, LABELS), 0))
    assert (accuracy, information, rand) == pytest.approx((1 / 3, 0.0, 0.0))
    split = np.where((LABELS == 0) & (np.arange(60) >= 30), 3, LABELS)  # half of a class is a cluster of its own
    assert clusters.cells(split, Examples(PIXELS, LABELS), 0)[clusters.ACCURACY].value == pytest.approx(50 / 60)


def run(config, state=STATE) -> Any:
    return SimpleNamespace(experiment=SimpleNamespace(model=config), state=state)


def test_a_model_with_an_encoder_has_clusters_of_its_latents(monkeypatch):
    """Latents that are far apart by class, beside pixels that say nothing."""
    apart = np.float32(10) * np.eye(3, dtype=np.float32)[LABELS]
    monkeypatch.setattr(abilities, "encoder", lambda config: lambda state, pixels, labels: apart)
    accuracy, information, rand = clusters.judge({"samples": run(TINY)}, REAL, (), 0)
    assert [row.cells["samples"].value for row in (accuracy, information, rand)] == pytest.approx([1.0, 1.0, 1.0])
    assert all(row.cells["real"].value < 0.7 and row.better == "higher" for row in (accuracy, information, rand))
    cell: Any = accuracy.cells["real"]
    assert cell.low < cell.value < cell.high and cell.num == 60


def test_the_clusters_of_a_model_without_an_encoder_are_its_codes(monkeypatch):
    named = np.stack([LABELS, LABELS * 0], axis=1)
    monkeypatch.setattr(abilities, "code_namer", lambda config: lambda state, pixels: named)
    (row,) = clusters.judge({"samples": run(infogan.Config())}, REAL, (clusters.RAND,), 0)
    assert row.cells["samples"].value == pytest.approx(1.0)


def test_latents_of_a_run_are_clustered_as_many_times_as_it_has_classes():
    """An encoder with random weights: any clusters, but as many as classes, and no run without codes has any."""
    runs = {"samples": run(TINY), "against": run(small_runs.GAN)}
    accuracy, *_ = clusters.judge(runs, REAL, (), 0)
    value: Any = accuracy.cells["samples"].value
    assert 1 / 3 <= value < 1 and accuracy.cells["against"].reason == "has no codes"
    latents = abilities.encoder(TINY)(STATE, PIXELS, None)
    assert set(clusters.k_means(latents, 3, 0)) == {0, 1, 2}


def test_what_is_missing_is_said_and_what_is_not_asked_for_is_left_out():
    runs = {"samples": run(TINY)}
    for real in (Real(REAL.train, None), Real(REAL.train, ImageSet("made", PIXELS))):
        assert {row.reason for row in clusters.judge(runs, real, (), 0)} == {"no held-out images with labels"}
    assert not clusters.judge(runs, REAL, ("frechet",), 0)
    assert set(clusters.NAMES) <= set(kinds.names(Experiment(TINY)))
    assert not set(clusters.NAMES) & set(kinds.names(Experiment(small_runs.GAN)))
