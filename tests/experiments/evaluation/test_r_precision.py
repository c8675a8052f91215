"""How often the caption of a sample is found, by a run that matches images and captions."""

import dataclasses
import types

import numpy as np
import pytest

from experiments.command_line.errors import UserError
from experiments.evaluation import r_precision, retrieval, sets
from tests.experiments import small_runs
from tests.experiments.evaluation.test_retrieval import run  # noqa: F401
from tests.experiments.models.test_texts import CONFIG


@pytest.fixture(scope="module")
def by(run):  # noqa: F811
    return sets.run(run, "newest")


def maker(by, caption_length=8):
    """A run that makes images of the captions that `by` reads, or of longer ones."""
    model = dataclasses.replace(CONFIG, caption_length=caption_length, image_shape=(16, 16, 3))
    experiment = dataclasses.replace(by.experiment, model=model)
    return types.SimpleNamespace(experiment=experiment, given=by.given, name="gan_cls")


def test_the_images_themselves_are_found_as_often_as_the_encoders_find_them(by):
    batch = by.given.batch(np.arange(len(by.given)), by.experiment.model.batch_type)
    samples = {"samples": np.asarray(batch.images), "against": np.zeros((len(by.given), 8, 8, 3), np.uint8)}
    (row,) = r_precision.judge(by, {"samples": maker(by)}, samples, 0)
    cells = row.cells
    pairs = retrieval.matching.Pairs(np.asarray(batch.images), np.asarray(batch.captions))
    wanted = retrieval.values(by.experiment.model, by.state, pairs)["image to text among 10"].mean()
    assert cells["samples"].value == cells["real"].value == pytest.approx(wanted)
    assert cells["chance"].value == 0.1 and cells["real"].low <= wanted <= cells["real"].high
    assert cells["against"].num == len(by.given) and 0 <= cells["against"].value <= 1


def test_larger_images_are_judged_by_the_means_of_blocks():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 4, 3), np.uint8)
    np.testing.assert_array_equal(r_precision.fitted(pixels, (8, 4, 3)), pixels)
    found = r_precision.fitted(pixels, (4, 4, 3))
    np.testing.assert_allclose(found, pixels.reshape(3, 4, 2, 4, 3).mean(axis=2), atol=0.5)
    with pytest.raises(UserError, match="judges images of 3x4x3, of which 8x4x3 is no multiple"):
        r_precision.fitted(pixels, (3, 4, 3))


def test_a_run_that_does_not_fit_is_refused(run, by):  # noqa: F811
    assert r_precision.matcher(run, maker(by)).name == by.name
    with pytest.raises(UserError, match="reads 8 bytes of a caption, but gan_cls 9; choose one that reads as many"):
        r_precision.matcher(run, maker(by, 9))
    plain = types.SimpleNamespace(experiment=types.SimpleNamespace(model=small_runs.GAN), name="wgan_gp")
    with pytest.raises(UserError, match="--matcher is given, but wgan_gp makes no images of texts; leave it out"):
        r_precision.matcher(run, plain)
