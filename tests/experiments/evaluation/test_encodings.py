"""What latents keep of images: by hand with an encoder that keeps two pixels, and on runs of other models."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from experiments.data.images import ImageSet
from experiments.evaluation import encodings, kinds
from experiments.evaluation.extractors import Extractor
from experiments.evaluation.outputs import Outputs
from experiments.evaluation.sets import Real
from experiments.models import abilities
from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import cvae, vae
from jaxgen.diffusion import ddpm
from tests.experiments import small_runs
from tests.gans.test_ali import TINY

RANDOM = np.random.default_rng(0)
LABELS = (np.arange(60) % 2).astype(np.int32)
PIXELS = RANDOM.integers(0, 100, (60, 4, 4, 1), np.uint8)
PIXELS[:, 0, 0, 0] += (155 * LABELS).astype(np.uint8)  # the first pixel tells the class
SET = ImageSet("made", PIXELS, LABELS, ("dark", "light"))
REAL = Real(SET, ImageSet("made", PIXELS[:40], LABELS[:40], ("dark", "light")))


def by_first_pixel(pixels):
    light = (pixels[:, 0, 0, 0] >= 128).astype(np.float32)
    return Outputs(light[:, None], np.stack([1 - light, light], axis=1))


JUDGE = Extractor("classifier", by_first_pixel, accuracy=1.0, classes=True)


def run(config) -> Any:
    return SimpleNamespace(experiment=SimpleNamespace(model=config), state=None)


@pytest.fixture
def kept(monkeypatch):
    """An encoder that keeps the first pixel, and a decoder to images of that pixel alone."""

    def reconstructed(_, pixels, __):
        return np.where(np.arange(16).reshape(1, 4, 4, 1) == 0, pixels, 0).astype(np.uint8)

    monkeypatch.setattr(abilities, "encoder", lambda _: lambda _, pixels, __: pixels[:, :1, 0, 0] / np.float32(255))
    monkeypatch.setattr(abilities, "reconstruction", lambda _: reconstructed)


def test_values_are_means_over_held_out_images(kept):
    error, classes, nearest = encodings.judge({"samples": run(TINY)}, REAL, [JUDGE], (), 0)
    cells: list[Any] = [row.cells["samples"] for row in (error, classes, nearest)]
    wanted = ((PIXELS[:40].reshape(40, 16)[:, 1:] / 255) ** 2).sum(axis=1) / 16
    assert cells[0].value == pytest.approx(wanted.mean(), rel=1e-5)
    assert cells[0].low < cells[0].value < cells[0].high and cells[0].num == 40
    assert [cell.value for cell in cells[1:]] == [1.0, 1.0]
    assert [row.cells["real"].value for row in (classes, nearest)] == [1.0, 1.0] and "real" not in error.cells
    assert [row.better for row in (error, classes, nearest)] == ["lower", "higher", "higher"]
    assert (nearest.num_reference, classes.classifier_accuracy) == (60, 1.0)


def test_a_latent_that_says_nothing_of_the_class_is_near_those_of_any(kept, monkeypatch):
    """Latents count up through the set, whose classes alternate: the nearest of another image is of the other class."""
    places = {image.tobytes(): place for place, image in enumerate(PIXELS)}

    def encode(_, pixels, __):
        found = np.array([places[image.tobytes()] for image in pixels], np.float32)
        return found[:, None] + (0.6 if len(pixels) == 40 else 0.0)

    monkeypatch.setattr(abilities, "encoder", lambda _: encode)
    (row,) = encodings.judge({"samples": run(TINY)}, REAL, [JUDGE], (encodings.NEAREST,), 0)
    assert row.cells["samples"].value == 0.0


def test_another_run_without_an_encoder_has_a_reason(kept):
    runs = {"samples": run(TINY), "against": run(small_runs.GAN)}
    for row in encodings.judge(runs, REAL, [JUDGE], (), 0):
        assert row.cells["against"].reason == "has no encoder to vectors of images alone"


def test_what_is_missing_is_said():
    runs = {"samples": run(TINY)}
    assert {row.reason for row in encodings.judge(runs, Real(SET, None), [JUDGE], (), 0)} == {"no held-out images"}
    plain = ImageSet("made", PIXELS)
    found = encodings.judge(runs, Real(plain, plain), [], encodings.NAMES[1:], 0)
    assert [row.reason for row in found] == [
        "needs --extractor classifier, for which a set must have labels",
        "the images have no labels",
    ]


def test_models_that_encode_images_alone_to_vectors_have_the_rows():
    assert encodings.are_there(TINY) and encodings.are_there(vae.Config())
    assert not any(map(encodings.are_there, (small_runs.GAN, cvae.Config(), ddpm.Config())))
    assert set(encodings.NAMES) <= set(kinds.names(Experiment(vae.Config())))
    assert not set(encodings.NAMES) & set(kinds.names(Experiment(small_runs.GAN)))
