"""The table of deterministic autoencoders beside pythae: what is computed of both, and by which latents."""

import importlib.util

import jax.numpy as jnp
import numpy as np
import pytest

from experiments.benchmarks import autoencoders_pythae, equal_time
from experiments.benchmarks.autoencoders_pythae import MODELS, Options, Training
from experiments.benchmarks.judge import Judge
from experiments.benchmarks.rivals import pythae
from experiments.command_line.errors import UserError
from experiments.evaluation.outputs import Outputs
from jaxgen import metrics

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1)).astype(np.uint8)
PARAMETERS = 785 * 512 + 513 * 20 + 21 * 512 + 513 * 784
OPTIONS = Options(minutes=0.1, clock="wall", batch_size=3, num_samples=30)


def judged(images):
    """Rows of pixels as features; sure of every image whose first pixel is above the middle."""
    sure = 20.0 * (images[:, 0, 0, 0] > 127)
    return Outputs(
        images.reshape(len(images), -1)[:, :3].astype(np.float32), np.stack([sure, 0 * sure], 1).astype(np.float32)
    )


def found_of(name, decode, monkeypatch):
    now = iter(range(0, 1_000, 100))
    monkeypatch.setitem(equal_time.CLOCKS, "wall", lambda: float(next(now)))
    judge = Judge(judged, IMAGES)
    training = Training(lambda batches: None, lambda images: images.reshape(len(images), -1)[:, :20], decode)
    return autoencoders_pythae.side_by_side(name, [training], (IMAGES, IMAGES), judge, OPTIONS, 0)[0]


def test_errors_are_those_of_the_pixels_and_samples_come_from_the_prior(monkeypatch):
    given = []

    def decode(latents):
        given.append(latents)
        return np.full((len(latents), 28, 28, 1), 0.75, np.float32)

    result = found_of("wae", decode, monkeypatch)
    wanted = ((IMAGES / 255 - 0.75) ** 2).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(result.errors, wanted, rtol=1e-5)
    assert result.updates == 50 and result.verdict.recognised.all()
    np.testing.assert_array_equal(given[1], np.random.default_rng(0).standard_normal((30, 20), np.float32))
    same = metrics.moments(jnp.asarray(judged(np.full((30, 28, 28, 1), 191, np.uint8)).features))
    reference = metrics.moments(jnp.asarray(judged(IMAGES).features))
    assert result.verdict.distance == pytest.approx(float(metrics.frechet_distance(reference, same)), rel=1e-4)


def test_latents_of_the_plain_autoencoder_are_as_those_of_training_images(monkeypatch):
    given = []

    def decode(latents):
        given.append(latents)
        return np.zeros((len(latents), 28, 28, 1), np.float32)

    found_of("autoencoder", decode, monkeypatch)
    codes = IMAGES.reshape(40, -1)[:, :20] / 255
    factor = np.linalg.cholesky(np.cov(codes.T))
    noise = np.random.default_rng(0).standard_normal((30, 20), np.float32)
    np.testing.assert_allclose(given[1], codes.mean(axis=0) + noise @ factor.T, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_our_side_encodes_decodes_and_learns(name):
    training = autoencoders_pythae.ours(MODELS[name], 0, PARAMETERS)
    images = IMAGES[:8].astype(np.float32) / 255

    def error():
        return float(((training.decode(training.encode(images)) - images) ** 2).mean())

    before = error()
    training.block(np.stack([images] * 10))
    assert error() < before
    with pytest.raises(ValueError, match=f"{PARAMETERS} parameters beside 7 of theirs"):
        autoencoders_pythae.ours(MODELS[name], 0, 7)


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="--models is gan, but must be of autoencoder, wae, aae"):
        Options(models=("wae", "gan"))
    with pytest.raises(ValueError, match="--minutes is 0"):
        Options(minutes=0)


@pytest.mark.skipif(importlib.util.find_spec("pythae") is not None, reason="pythae is there")
def test_without_pythae_the_cure_is_named():
    with pytest.raises(UserError, match="is not installed: pip install pythae"):
        pythae.deterministic(MODELS["wae"], 100, 0)


@pytest.mark.parametrize("name", MODELS)
def test_theirs_has_the_settings_of_ours_and_learns(name):
    pytest.importorskip("pythae")
    theirs = pythae.deterministic(MODELS[name], 1_000, 0)
    assert theirs.parameters == PARAMETERS
    images = IMAGES[:8].astype(np.float32) / 255
    before = ((theirs.decode(theirs.encode(images)) - images) ** 2).mean()
    theirs.block(np.stack([images] * 20))
    assert ((theirs.decode(theirs.encode(images)) - images) ** 2).mean() < before
