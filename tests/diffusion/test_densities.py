"""The density by the ordinary equation: closed forms for Gaussian data, the trace's estimate, levels, batches."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from jaxgen.batches import Labelled
from jaxgen.diffusion import ddpm, densities, score_sde
from jaxgen.diffusion.densities import Integral
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.predictions import Noise, Preconditioned, Velocity
from jaxgen.diffusion.samplers import DDIM
from jaxgen.diffusion.schedules import VE, VP, Cosine, LinearBetas, Sigmas, Straight, SubVP
from tests.diffusion.networks import Exact, Tiny
from tests.diffusion.oracles import gaussian, marginal

POINTS = jnp.array([[0.3], [0.5], [-0.1]])
BASIS = jnp.ones((1, 3, 1))
SCHEDULES = [
    (VP(end=1e-5), Noise()),
    (SubVP(end=1e-5), Noise()),
    (VE(0.001, 50.0), Noise()),
    (Sigmas(), Preconditioned(0.5)),
    (Straight(1e-4), Velocity()),
    (Cosine(), Velocity()),
]


def closed_form(schedule, points, mean, deviation):
    """The density that the exact equation gives: an affine map to the prior, which is without the data's part."""
    levels = [schedule.level(np.float64(time)) for time in (schedule.end, schedule.start)]
    (first, before), (last, after) = (marginal(level, mean, deviation) for level in levels)
    ends = last + after / before * (points - first)
    return norm.logpdf(ends, 0.0, levels[1].sigma) + np.log(after / before)


@pytest.mark.parametrize(("schedule", "kind"), SCHEDULES, ids=str)
def test_the_density_of_gaussian_data_is_the_closed_form(schedule, kind):
    """In bits, to 1e-3, and for data about 0 their own density."""
    for mean, deviation in ((0.3, 0.2), (0.0, 0.5)):
        found = densities.integrated(schedule, gaussian(mean, deviation, kind), POINTS, Integral(100, 0), BASIS)
        wanted = closed_form(schedule, np.asarray(POINTS[:, 0], np.float64), mean, deviation)
        np.testing.assert_allclose(found / np.log(2), wanted / np.log(2), atol=1e-3)
    np.testing.assert_allclose(found / np.log(2), norm.logpdf(POINTS[:, 0], 0.0, 0.5) / np.log(2), atol=1e-3)


@pytest.mark.parametrize(
    ("schedule", "kind"),
    [
        pytest.param(*each, marks=() if isinstance(each[0], SubVP | Cosine) else pytest.mark.exhaustive)
        for each in SCHEDULES
    ],
    ids=str,
)
def test_with_adaptive_steps_it_is_the_closed_form_as_well(schedule, kind):
    found = densities.integrated(schedule, gaussian(0.3, 0.2, kind), POINTS, Integral(1, 0, 1e-5), BASIS)
    wanted = closed_form(schedule, np.asarray(POINTS[:, 0], np.float64), 0.3, 0.2)
    np.testing.assert_allclose(found / np.log(2), wanted / np.log(2), atol=1e-3)


def test_steps_are_of_order_four():
    schedule, errors = VP(end=1e-5), []
    wanted = closed_form(schedule, np.asarray(POINTS[:, 0], np.float64), 0.0, 0.5)
    for steps in (10, 20):
        found = densities.integrated(schedule, gaussian(0.0, 0.5, Noise()), POINTS, Integral(steps, 0), BASIS)
        errors.append(np.abs(found - wanted).max())
    assert errors[0] / errors[1] > 10


def model(**settings):
    """Data from N(.3, .2^2) in each of four numbers."""
    schedule = settings.pop("schedule", VP(end=1e-5))
    return score_sde.Config(
        image_shape=(4,), value_range=None, denoiser=Exact(schedule=schedule, told=999.0), schedule=schedule, **settings
    )


def test_random_signs_give_a_diagonal_trace_exactly():
    config, points = model(), jax.random.normal(jax.random.key(2), (5, 4))
    state = score_sde.init(config, jax.random.key(0))
    found = [
        score_sde.log_density(config, state, points, jax.random.key(seed), Integral(60, probes))
        for seed, probes in ((0, 0), (1, 1), (2, 3))
    ]
    wanted = closed_form(config.schedule, np.asarray(points, np.float64), 0.3, 0.2).sum(1)
    np.testing.assert_allclose(found[0], wanted, atol=0.05)
    np.testing.assert_allclose(found[1], found[0], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found[2], found[0], rtol=1e-4, atol=1e-3)


TINY = score_sde.Config(
    image_shape=(2, 2, 1),
    denoiser=Tiny(rate=0.0, norm="none"),
    num_classes=3,
    guidance=ClassifierFree(1.0),
    sampler=DDIM(2),
)


def test_an_examples_density_depends_on_its_key_and_class_and_not_on_the_batch():
    state = score_sde.init(TINY, jax.random.key(0))
    images = jax.random.randint(jax.random.key(1), (4, 2, 2, 1), 0, 256).astype(jnp.uint8)
    labels, keys = jnp.arange(4, dtype=jnp.int32) % 3, jax.random.split(jax.random.key(2), 4)
    evaluate = jax.jit(lambda batch, keys: score_sde.log_density(TINY, state, batch, keys, Integral(4, 2)))
    together = evaluate(Labelled(images, labels), keys)
    alone = evaluate(Labelled(images[2:3], labels[2:3]), keys[2:3])
    np.testing.assert_allclose(alone[0], together[2], rtol=1e-4)
    others = evaluate(Labelled(images, (labels + 1) % 3), keys), evaluate(Labelled(images, labels), keys[::-1])
    for each in others:
        assert (np.abs(each - together) > 1e-4).all()


def test_each_level_is_its_part_of_the_range():
    images = jnp.linspace(-1.0, 1.0, 256)[None, :, None]
    config = dataclasses.replace(TINY, image_shape=(256, 1))
    found = densities.dequantized(config, images, jax.random.split(jax.random.key(0), 1))
    parts = (found[0, :, 0] + 1.0) * 128.0
    np.testing.assert_array_equal(jnp.floor(parts), jnp.arange(256))
    assert 0.4 < float((parts - jnp.floor(parts)).mean()) < 0.6
    points = model()
    assert densities.dequantized(points, POINTS, jax.random.split(jax.random.key(0), 3)) is POINTS


def test_a_discrete_schedule_and_settings_out_of_range_are_refused():
    discrete = ddpm.Config(image_shape=(1,), value_range=None, denoiser=Exact(), schedule=LinearBetas())
    with pytest.raises(ValueError, match="must be in continuous time"):
        densities.log_density(discrete, None, POINTS, jax.random.key(0), Integral())
    with pytest.raises(ValueError, match="steps is 0"):
        Integral(steps=0)
    with pytest.raises(ValueError, match="tolerance is -1"):
        Integral(tolerance=-1.0)
    with pytest.raises(ValueError, match="probes is -1"):
        Integral(probes=-1)
