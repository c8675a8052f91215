"""The table beside pythae: equal time, the same images, and the bounds that it prints."""

import importlib.util
import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from experiments.benchmarks import equal_time, vae_pythae
from experiments.benchmarks.rivals import pythae
from experiments.benchmarks.vae_pythae import MODELS, Options, Training
from experiments.command_line.errors import UserError
from jaxgen.autoencoders import vae

IMAGES = (np.random.default_rng(0).random((6, 28, 28, 1)) < 0.3).astype(np.float32)
PARAMETERS = 785 * 512 + 513 * 40 + 21 * 512 + 513 * 784


def test_the_one_that_has_used_less_time_trains_on_the_same_images(monkeypatch):
    now, seen = [0.0], ([], [])
    monkeypatch.setitem(equal_time.CLOCKS, "wall", lambda: now[0])

    def training(place, seconds):
        def block(batches):
            now[0] += seconds
            seen[place].append(batches)

        return Training(block, lambda images, noise: np.zeros(noise.shape[:2]), 0)

    options = Options(minutes=0.2, clock="wall", batch_size=3, num_likelihoods=2, num_latents=4)
    slow, fast = vae_pythae.side_by_side([training(0, 3.0), training(1, 1.0)], IMAGES, IMAGES, options, 0)
    assert (slow.updates, fast.updates) == (4 * 50, 12 * 50)
    assert seen[0][0].shape == (50, 3, 28, 28, 1)
    for one, other in itertools.pairwise([*seen[0], *seen[1][:4]]):
        assert not np.array_equal(one, other)
    for one, other in zip(seen[0], seen[1], strict=False):
        np.testing.assert_array_equal(one, other)


def test_bounds_are_the_means_of_log_weights(monkeypatch):
    now = itertools.count(0.0, 60.0)
    monkeypatch.setitem(equal_time.CLOCKS, "wall", lambda: next(now))
    found = []

    def log_weights(images, noise):
        found.append(noise[..., 0].astype(np.float64))
        return noise[..., 0]

    options = Options(minutes=1.0, clock="wall", batch_size=3, num_likelihoods=2, num_latents=4)
    training = Training(lambda batches: None, log_weights, 0)
    (result,) = vae_pythae.side_by_side([training], IMAGES, IMAGES, options, 0)
    bound, likelihood = found
    np.testing.assert_allclose(result.losses, -bound[:, 0])
    assert likelihood.shape == (2, 4)
    np.testing.assert_allclose(result.likelihoods, -np.log(np.exp(likelihood).mean(axis=1)))


def test_our_log_weights_are_those_of_the_definition():
    config = MODELS["vae"]
    training = vae_pythae.ours(config, 0, PARAMETERS)
    noise = np.random.default_rng(1).standard_normal((6, 3, 20), np.float32)
    state = vae_pythae.Blocks(config, 0).state
    q, _ = vae.encode(config, state.autoencoder.variables, jnp.asarray(IMAGES))
    mean, deviation = np.asarray(q.mean)[:, None], np.exp(np.asarray(q.logvar) / 2)[:, None]
    latents = mean + deviation * noise
    logits, _ = vae.decode(config, state.autoencoder.variables, jnp.asarray(latents.reshape(-1, 20)))
    wanted = stats.bernoulli.logpmf(IMAGES.repeat(3, axis=0), special.expit(logits)).sum(axis=(1, 2, 3)).reshape(6, 3)
    wanted += stats.norm.logpdf(latents).sum(axis=2) - stats.norm.logpdf(latents, mean, deviation).sum(axis=2)
    np.testing.assert_allclose(training.log_weights(IMAGES, noise), wanted, rtol=1e-4)
    with pytest.raises(ValueError, match=f"{PARAMETERS} parameters beside 7 of theirs"):
        vae_pythae.ours(config, 0, 7)


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="--models is gan, but must be of vae, beta_vae"):
        Options(models=("vae", "gan"))
    with pytest.raises(ValueError, match="--minutes is 0"):
        Options(minutes=0)


@pytest.mark.skipif(importlib.util.find_spec("pythae") is not None, reason="pythae is there")
def test_without_pythae_the_cure_is_named():
    with pytest.raises(UserError, match="is not installed: pip install pythae"):
        pythae.reference(MODELS["vae"], 100, 0)


@pytest.mark.parametrize("name", MODELS)
def test_theirs_has_the_settings_of_ours_and_learns(name):
    pytest.importorskip("pythae")
    theirs = pythae.reference(MODELS[name], 1_000, 0)
    vae_pythae.ours(MODELS[name], 0, theirs.parameters)
    noise = np.random.default_rng(1).standard_normal((6, 2, 20), np.float32)
    before = theirs.log_weights(IMAGES, noise)
    theirs.block(np.stack([IMAGES] * 20))
    after = theirs.log_weights(IMAGES, noise)
    assert before.shape == (6, 2)
    assert after.mean() > before.mean()
