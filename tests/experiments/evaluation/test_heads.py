"""Accuracy of models that name classes of held-out images."""

from types import SimpleNamespace
from typing import Any

import jax
import numpy as np

from experiments.data.images import ImageSet
from experiments.evaluation import heads, judging
from experiments.evaluation.sets import Real
from experiments.runs.experiment import Experiment
from jaxgen.images import scale
from jaxgen.translation import ccgan
from tests.experiments import small_runs
from tests.translation.test_ccgan import TINY
from tests.translation.test_partial_conv import TINY as WITHOUT_CLASSES

PIXELS = np.random.default_rng(0).integers(0, 256, (40, *TINY.image_shape), np.uint8)
STATE = jax.jit(ccgan.init, static_argnums=0)(TINY, jax.random.key(0))
LOGITS = np.asarray(ccgan.classify(TINY, STATE, scale(jax.numpy.asarray(PIXELS), TINY.value_range)))
LABELS = LOGITS.argmax(axis=1).astype(np.int32)
LABELS[:10] = (LABELS[:10] + 1) % 3
TEST = ImageSet("digits", PIXELS, LABELS, ("a", "b", "c"))


def run(config) -> Any:
    return SimpleNamespace(experiment=SimpleNamespace(model=config), state=STATE)


def test_the_share_of_right_classes_has_an_interval_and_so_has_that_of_the_other_run():
    (row,) = heads.judge({"samples": run(TINY), "against": run(TINY)}, Real(TEST, TEST), (), 0)
    cells: Any = row.cells
    for cell in (cells["samples"], cells["against"]):
        assert cell.value == 0.75 and cell.num == 40
        assert 0.55 < cell.low < 0.75 < cell.high < 0.95
    other = heads.judge({"samples": run(TINY), "against": run(WITHOUT_CLASSES)}, Real(TEST, TEST), (), 0)
    assert other[0].cells["against"].reason == "names no classes"


def test_it_is_asked_of_models_that_name_classes_alone():
    for config in (WITHOUT_CLASSES, small_runs.GAN):
        assert not heads.are_there(config) and not heads.judge({"samples": run(config)}, Real(TEST, TEST), (), 0)
    assert not heads.judge({"samples": run(TINY)}, Real(TEST, TEST), ("psnr",), 0)
    assert heads.judge({"samples": run(TINY)}, Real(TEST, TEST), ("psnr", "class_accuracy"), 0)
    assert not judging._chosen(("class_accuracy",), Experiment(TINY))


def test_without_held_out_labels_the_reason_is_said():
    (row,) = heads.judge({"samples": run(TINY)}, Real(TEST, None), (), 0)
    assert row.reason == "no held-out images with labels"
