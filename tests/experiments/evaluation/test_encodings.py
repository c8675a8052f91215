"""What latents keep of images: by hand with an encoder that keeps two pixels, and on runs of other models."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from experiments.command_line.errors import UserError
from experiments.data.images import ImageSet
from experiments.evaluation import encodings, kinds
from experiments.evaluation.extractors import Extractor
from experiments.evaluation.outputs import Outputs
from experiments.evaluation.sets import Real
from experiments.models import abilities
from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import cvae, kl_autoencoder, vae, vq_vae
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


GRID = vq_vae.Config(image_shape=(8, 8, 1))


def run(config) -> Any:
    return SimpleNamespace(experiment=SimpleNamespace(model=config), state=None)


@pytest.fixture
def kept(monkeypatch):
    """An encoder that keeps the first pixel, and a decoder to images of that pixel alone."""

    def offered(config):
        if config == small_runs.GAN:
            raise UserError("has none")
        return reconstructed

    def reconstructed(_, pixels, __):
        return np.where(np.arange(16).reshape(1, 4, 4, 1) == 0, pixels, 0).astype(np.uint8)

    monkeypatch.setattr(abilities, "encoder", lambda _: lambda _, pixels, __: pixels[:, :1, 0, 0] / np.float32(255))
    monkeypatch.setattr(abilities, "reconstruction", offered)


def test_values_are_means_over_held_out_images(kept):
    error, _, classes, nearest = encodings.judge({"samples": run(TINY)}, REAL, [JUDGE], (), 0)
    cells: list[Any] = [row.cells["samples"] for row in (error, classes, nearest)]
    wanted = ((PIXELS[:40].reshape(40, 16)[:, 1:] / 255) ** 2).sum(axis=1) / 16
    assert cells[0].value == pytest.approx(wanted.mean(), rel=1e-5)
    assert cells[0].low < cells[0].value < cells[0].high and cells[0].num == 40
    assert [cell.value for cell in cells[1:]] == [1.0, 1.0]
    assert [row.cells["real"].value for row in (classes, nearest)] == [1.0, 1.0] and "real" not in error.cells
    assert [row.better for row in (error, classes, nearest)] == ["lower", "higher", "higher"]
    assert (nearest.num_reference, classes.classifier_accuracy) == (60, 1.0)


def brightness(pixels):
    """Two features: the mean of the first pixel, and that of all others."""
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    return Outputs(np.stack([flat[:, 0], flat[:, 1:].mean(axis=1)], axis=1), None)


def test_the_distance_of_reconstructions_is_that_of_their_features_to_those_of_the_images(kept):
    """The first pixel is kept; the second feature has another mean, and no variance: C = diag(v, 0)."""
    made = [Extractor("brightness", brightness), replace(JUDGE, name="other")]
    rows = encodings.judge({"samples": run(TINY)}, REAL, made, (encodings.DISTANCE,), 0)
    assert [row.extractor for row in rows] == ["brightness", "other"]
    cell: Any = rows[0].cells["samples"]
    features = brightness(PIXELS[:40]).features.astype(np.float64)
    first, both = features.var(axis=0, ddof=1)[0], np.cov(features.T)
    root = np.sqrt(first * both[0, 0])  # the trace of the root of diag(v, 0) C
    wanted = features[:, 1].mean() ** 2 + first + np.trace(both) - 2 * root
    assert cell.value == pytest.approx(wanted, rel=1e-4) and cell.low < cell.value < cell.high
    assert (rows[0].better, rows[0].num_reference, cell.num) == ("lower", 40, 40)
    assert rows[1].cells["samples"].value == pytest.approx(0.0, abs=1e-5)  # the class is kept


def test_few_images_have_no_distance(kept):
    few = Real(SET, ImageSet("made", PIXELS[:1], LABELS[:1], ("dark", "light")))
    (row,) = encodings.judge({"samples": run(TINY)}, few, [JUDGE], (encodings.DISTANCE,), 0)
    assert row.cells["samples"].reason == "needs at least 2 examples, but there are 1"


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
    """And one whose codes are a grid has the rows of reconstructions alone."""
    kinds_of_run = {"samples": run(TINY), "against": run(small_runs.GAN), "grid": run(GRID)}
    found = {row.metric: row.cells for row in encodings.judge(kinds_of_run, REAL, [JUDGE], (), 0)}
    of_vectors = found.pop(encodings.NEAREST)
    assert {of_vectors[name].reason for name in ("against", "grid")} == {encodings.NO_VECTORS}
    assert set(found) == set(encodings.OF_IMAGES)
    assert {cells["against"].reason for cells in found.values()} == {"decodes no image from its code alone"}
    assert all(cells["grid"] == cells["samples"] for cells in found.values())


def test_what_is_missing_is_said(kept):
    runs = {"samples": run(TINY)}
    assert {row.reason for row in encodings.judge(runs, Real(SET, None), [JUDGE], (), 0)} == {"no held-out images"}
    plain = ImageSet("made", PIXELS)
    found = encodings.judge(runs, Real(plain, plain), [], (*encodings.OF_IMAGES[1:], encodings.NEAREST), 0)
    assert [row.reason for row in found] == [
        "needs --extractor",
        "needs --extractor classifier, for which a set must have labels",
        "the images have no labels",
    ]


def test_models_that_are_given_images_alone_have_the_rows():
    """That of vectors where codes are vectors."""
    everything = (*encodings.OF_IMAGES, encodings.NEAREST)
    assert encodings.names_of(TINY) == encodings.names_of(vae.Config()) == everything
    assert encodings.names_of(GRID) == encodings.names_of(kl_autoencoder.Config()) == encodings.OF_IMAGES
    assert not any(map(encodings.names_of, (small_runs.GAN, cvae.Config(), ddpm.Config())))
    assert set(everything) <= set(kinds.names(Experiment(vae.Config())))
    assert not set(everything) & set(kinds.names(Experiment(small_runs.GAN)))
