import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion import drawing
from jaxgen.diffusion.denoising import create_denoiser
from jaxgen.diffusion.drawing import without_noise
from jaxgen.diffusion.grids import Even, Linspace, LogSNR
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.limits import Clip, NoLimit
from jaxgen.diffusion.samplers import DDIM, Adaptive, Ancestral, Churn, DPMSolver, Euler, Heun, Renoise
from jaxgen.diffusion.schedules import VP, LinearBetas
from jaxgen.parallel import example_keys
from tests.diffusion.networks import Config, Exact, Tiny

KEY = jax.random.key(7)
CONFIG = Config(num_classes=3, denoiser=Tiny(rate=0.0, norm="none"))
EXACT = Config(denoiser=Exact(), schedule=LinearBetas())
WIDE = Config(denoiser=Exact(deviation=2.0), schedule=LinearBetas())  # data beyond the value range


sample = jax.jit(drawing.sample, static_argnums=(0, 3))
trajectory = jax.jit(drawing.trajectory, static_argnums=(0, 3))
from_latents, to_latents = (jax.jit(each, static_argnums=0) for each in (drawing.from_latents, drawing.to_latents))


@functools.cache
def state_of(config):
    """The sampler and the guidance are left out: the state does not depend on them."""
    return jax.jit(lambda key: create_denoiser(config, key))(jax.random.key(0))


LABELS = jnp.arange(4) % 3
DETERMINISTIC = [DDIM(4), Euler(4), Heun(4, Even()), DPMSolver(4, 2)]
STOCHASTIC = [Ancestral(4), DDIM(4, 0.5), Heun(4, Even(), churn=Churn(2.0))]


def one_by_default(samplers):
    """The first; the rest is exhaustive."""
    return [pytest.param(each, marks=pytest.mark.exhaustive if i else ()) for i, each in enumerate(samplers)]


@pytest.mark.parametrize("sampler", one_by_default(DETERMINISTIC), ids=lambda each: type(each).__name__)
def test_images_of_the_drawn_latents_are_the_samples(sampler):
    config, state = dataclasses.replace(CONFIG, sampler=sampler), state_of(CONFIG)
    found = from_latents(config, state, config.prior.draw(KEY, 4), LABELS)
    np.testing.assert_allclose(found, sample(config, state, KEY, 4, LABELS), atol=1e-6)


@pytest.mark.parametrize(
    ("sampler", "counterpart"),
    [
        *((each, each) for each in DETERMINISTIC),
        (DDIM(7, 0.5, Linspace(), NoLimit()), DDIM(7, 0.0, Linspace(), NoLimit())),
        (Ancestral(7, "small", Linspace(), NoLimit()), DDIM(7, 0.0, Linspace(), NoLimit())),
        (Ancestral(7, to_data=False), DDIM(7, to_data=False)),
        (Renoise(3, Even()), Renoise(1, Even())),
        (Euler(7, churn=Churn(2.0)), Euler(7)),
        (Heun(7, limit=Clip(), churn=Churn(2.0)), Heun(7, limit=Clip())),
    ],
    ids=str,
)
def test_latents_are_decoded_by_the_counterpart_that_draws_no_noise(sampler, counterpart):
    assert without_noise(sampler) == counterpart and not counterpart.stochastic


@pytest.mark.parametrize("sampler", one_by_default(STOCHASTIC), ids=lambda each: type(each).__name__)
def test_latents_are_decoded_without_noise(sampler):
    """The same images as with the counterpart, and others than the samples."""
    config, state = dataclasses.replace(CONFIG, sampler=sampler), state_of(CONFIG)
    latents = config.prior.draw(KEY, 4)
    found = from_latents(config, state, latents, LABELS)
    wanted = from_latents(dataclasses.replace(config, sampler=without_noise(sampler)), state, latents, LABELS)
    np.testing.assert_array_equal(found, wanted)
    assert np.abs(found - sample(config, state, KEY, 4, LABELS)).max() > 1e-3


def test_images_come_back_from_their_latents_up_to_the_error_of_the_steps():
    state = state_of(EXACT)
    images = jnp.clip(0.3 + 0.2 * jax.random.normal(KEY, (3, 2, 2, 1)), -1.0, 1.0)
    config = dataclasses.replace(EXACT, sampler=DDIM(160, 0.3, Linspace(), NoLimit()))
    latents = to_latents(config, state, images)
    np.testing.assert_allclose(from_latents(config, state, latents), images, atol=0.04)
    assert 0.3 < float(latents.std()) < 3.0  # of N(0, 1)


SMOOTH = Config(denoiser=Exact(schedule=VP(), told=999.0), schedule=VP(), sampler=Adaptive(tolerance=1e-4))


def test_adaptive_steps_find_the_latents_of_images_again_to_their_tolerance():
    state = state_of(SMOOTH)
    images = jnp.clip(0.3 + 0.2 * jax.random.normal(KEY, (3, 2, 2, 1)), -1.0, 1.0)
    latents = to_latents(SMOOTH, state, images)
    np.testing.assert_allclose(from_latents(SMOOTH, state, latents), images, atol=2e-3)
    assert 0.3 < float(latents.std()) < 3.0
    drawn = from_latents(SMOOTH, state, SMOOTH.prior.draw(KEY, 3))
    np.testing.assert_allclose(drawn, sample(SMOOTH, state, KEY, 3), atol=1e-4)


def test_adaptive_steps_keep_to_the_limit_of_their_sampler():
    """Of data mostly beyond the value range: at the end all estimates are within it, without a limit few are."""
    wide = dataclasses.replace(SMOOTH, denoiser=Exact(deviation=2.0, schedule=VP(), told=999.0))
    free, limited = (
        trajectory(dataclasses.replace(wide, sampler=Adaptive(tolerance=1e-3, limit=limit)), state_of(wide), KEY, 16)
        for limit in (NoLimit(), Clip())
    )
    assert float(jnp.abs(free[-1]).max()) > 1.5
    assert float(jnp.abs(limited[-1]).max()) <= 1.0


def test_a_trajectory_goes_from_the_latents_to_the_samples_before_they_are_clipped():
    config = dataclasses.replace(WIDE, sampler=DDIM(4, 0.5, limit=NoLimit()))
    states = trajectory(config, state_of(WIDE), KEY, 4)
    assert states.shape == (5, 4, 2, 2, 1)
    np.testing.assert_allclose(states[0], config.prior.draw(KEY, 4), atol=1e-6)
    assert np.abs(states[-1]).max() > 1.5
    np.testing.assert_allclose(np.clip(states[-1], -1, 1), sample(config, state_of(WIDE), KEY, 4), atol=1e-6)
    unbounded = dataclasses.replace(config, value_range=None)
    np.testing.assert_allclose(states[-1], sample(unbounded, state_of(WIDE), KEY, 4), atol=1e-6)


def test_images_are_of_their_labels_in_turn_without_any_and_of_no_class_for_minus_1():
    state = state_of(CONFIG)
    in_turn, labelled, without = (sample(CONFIG, state, KEY, 4, labels) for labels in (None, LABELS, jnp.full(4, -1)))
    np.testing.assert_array_equal(in_turn, labelled)
    assert (np.abs(without - labelled).max((1, 2, 3)) > 1e-4).all()
    unguided = dataclasses.replace(CONFIG, guidance=ClassifierFree(0.0))
    np.testing.assert_allclose(without, sample(unguided, state, KEY, 4, LABELS), atol=1e-6)


def test_the_sampler_and_the_guidance_are_replaced_when_drawing():
    images = sample(CONFIG, state_of(CONFIG), KEY, 4, LABELS)
    for settings in ({"sampler": DDIM(3)}, {"sampler": Ancestral(4)}, {"guidance": ClassifierFree(3.0)}):
        other = sample(dataclasses.replace(CONFIG, **settings), state_of(CONFIG), KEY, 4, LABELS)
        assert np.abs(other - images).max() > 1e-4, settings


def test_an_image_depends_on_its_own_key_alone():
    config, state, keys = dataclasses.replace(CONFIG, sampler=Ancestral(4)), state_of(CONFIG), example_keys(KEY, 4)
    together = sample(config, state, KEY, 4, LABELS)
    np.testing.assert_allclose(sample(config, state, keys, 4, LABELS), together, atol=1e-6)
    alone = sample(config, state, keys[2:3], 1, LABELS[2:3])
    np.testing.assert_allclose(alone, together[2:3], atol=1e-6)
    assert np.abs(together[0] - together[3]).max() > 1e-3  # of one class, by other keys


def test_images_are_those_of_the_average():
    """Not of the network that learns."""
    state, latents = state_of(CONFIG), CONFIG.prior.draw(KEY, 4)
    other = state.replace(denoiser=state.denoiser.replace(params=jax.tree.map(jnp.zeros_like, state.denoiser.params)))
    moved = state.replace(ema=jax.tree.map(lambda leaf: leaf + 0.1, state.ema))
    draws = [
        (sample(CONFIG, each, KEY, 4, LABELS), from_latents(CONFIG, each, latents, LABELS))
        for each in (state, other, moved)
    ]
    for images, unchanged, changed in zip(*draws, strict=True):
        np.testing.assert_array_equal(unchanged, images)
        assert np.abs(changed - images).max() > 1e-4


def test_samples_are_those_of_the_data_the_network_knows():
    """1000 numbers from N(.3, .2^2)."""
    config = dataclasses.replace(EXACT, sampler=DPMSolver(20, 2, grid=LogSNR()))
    images = np.asarray(sample(config, state_of(EXACT), KEY, 250))
    assert images.mean() == pytest.approx(0.3, abs=4 * 0.2 / 1000**0.5)
    assert images.std() == pytest.approx(0.2, rel=4 / 2000**0.5)
