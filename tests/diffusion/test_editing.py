"""RePaint and SDEdit: the walk over the levels, what is kept, and what fills a hole of data that are known exactly."""

import dataclasses
from collections import Counter

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion import drawing, editing
from jaxgen.diffusion.editing import Guide, RePaint, SDEdit
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.limits import NoLimit
from jaxgen.diffusion.predictions import along
from jaxgen.diffusion.samplers import DDIM, Ancestral, Churn, DPMSolver, Euler, Heun
from jaxgen.diffusion.schedules import Level, LinearBetas, Sigmas, Straight
from jaxgen.mode import EVALUATION, Mode
from jaxgen.parallel import example_keys
from tests.diffusion.networks import Config, Exact, Tiny
from tests.diffusion.test_drawing import KEY, LABELS, one_by_default, state_of

CONFIG = Config(num_classes=3, denoiser=Tiny(rate=0.0, norm="none"))
SAMPLERS = [Ancestral(4), DDIM(4), Euler(4), Heun(4, churn=Churn(2.0))]
NOTHING = Guide(jnp.zeros((4, 2, 2, 1)), jnp.zeros((4, 2, 2, 1)))
CORRELATION = 0.9

edit = jax.jit(editing.edit, static_argnums=(0, 4))
sample = jax.jit(drawing.sample, static_argnums=(0, 3))


class Correlated(nn.Module):
    """Predicts the noise of two pixels from N(0, [[1, c], [c, 1]]): their sum and their difference apart."""

    schedule: LinearBetas = LinearBetas()

    @nn.compact
    def __call__(self, inputs, times, condition, output_shape, *, mode: Mode = EVALUATION):
        level = Level(*(along(part, inputs) for part in self.schedule.level(times)))
        mean, half = inputs.mean(2, keepdims=True), 0.5 * (inputs[:, :, :1] - inputs[:, :, 1:])
        parts = [
            level.alpha * variance / (level.alpha**2 * variance + level.sigma**2) * part
            for part, variance in ((mean, 1 + CORRELATION), (half, 1 - CORRELATION))
        ]
        data = jnp.concatenate([parts[0] + parts[1], parts[0] - parts[1]], axis=2)
        return (inputs - level.alpha * data) / level.sigma * self.param("weight", nn.initializers.ones, ())


PIXELS = Config(
    image_shape=(1, 2, 1),
    value_range=None,
    denoiser=Correlated(),
    schedule=LinearBetas(),
    sampler=Ancestral(100, "small", limit=NoLimit()),
)


def test_the_list_of_the_paper_is_gone_through():
    """250 steps with jumps of 10, gone 10 times: 2,410 evaluations in the place of 250, and 2,160 single ascents."""
    assert RePaint(2, 2).times(6) == [5, 4, 3, 2, 3, 4, 3, 2, 1, 0, 1, 2, 1, 0, -1]
    times = RePaint().times(250)
    assert len(times) == 4571 and times[0] == 249 and times[-1] == -1
    assert Counter(np.diff(times)) == {-1: 2410, 1: 2160}
    assert len(RePaint().walk(250).row) == 2410
    assert RePaint(10, 1).times(7) == [6, 5, 4, 3, 2, 1, 0, -1] == RePaint(7, 5).times(7)


def test_a_walk_goes_each_step_and_knows_whence_it_comes():
    walk = RePaint(2, 2).walk(6)
    np.testing.assert_array_equal(walk.row, [0, 1, 2, 1, 2, 3, 4, 3, 4, 5])
    np.testing.assert_array_equal(walk.origin, [0, 1, 2, 3, 2, 3, 4, 5, 4, 5])
    walk = SDEdit(0.5, 2).walk(4)
    np.testing.assert_array_equal(walk.row, [2, 3, 2, 3])
    np.testing.assert_array_equal(walk.origin, [4, 3, 4, 3])
    np.testing.assert_array_equal(walk.draw, [0, 0, 1, 1])
    assert not len(SDEdit(0.0).walk(4).row) and SDEdit(1.0, 1).walk(4).row.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("schedule", [LinearBetas(), Straight(), Sigmas()], ids=lambda each: type(each).__name__)
def test_an_ascent_leads_to_the_level_of_the_step(schedule):
    """Of x with alpha_n data and sigma_n noise it makes alpha_k and sigma_k, from the data as from between."""
    times = np.linspace(schedule.start, schedule.data, 9)[:-1]
    levels = Level(*(np.append(each, clean) for each, clean in zip(schedule.level(times), (1.0, 0.0), strict=True)))
    for walk in (RePaint(3, 2).walk(8), SDEdit(0.7, 2).walk(8), SDEdit(1.0, 1).walk(8)):
        scale, deviation = editing.ascents(levels, walk)
        stays = walk.row == walk.origin
        assert (scale[stays] == 1).all() and (deviation[stays] == 0).all() and not stays.all()
        np.testing.assert_allclose(scale * levels.alpha[walk.origin], levels.alpha[walk.row], atol=1e-12)
        variance = (scale * levels.sigma[walk.origin]) ** 2 + deviation**2
        np.testing.assert_allclose(variance, levels.sigma[walk.row] ** 2, rtol=1e-9)


@pytest.mark.parametrize("sampler", one_by_default(SAMPLERS), ids=lambda each: type(each).__name__)
def test_nothing_kept_and_nothing_gone_again_is_a_sample(sampler):
    config, state = dataclasses.replace(CONFIG, sampler=sampler), state_of(CONFIG)
    wanted = sample(config, state, KEY, 4, LABELS)
    np.testing.assert_allclose(edit(config, state, KEY, NOTHING, RePaint(2, 1), LABELS), wanted, atol=1e-6)
    again = edit(config, state, KEY, NOTHING, RePaint(2, 3), LABELS)
    assert np.abs(again - wanted).max() > 1e-3


@pytest.mark.parametrize("how", [RePaint(2, 2), SDEdit(1.0, 1), SDEdit(0.5, 2)], ids=str)
def test_kept_pixels_come_back_as_they_are_and_reach_the_others(how):
    config, state = dataclasses.replace(CONFIG, sampler=Ancestral(4)), state_of(CONFIG)
    images = jax.random.uniform(jax.random.key(1), (4, 2, 2, 1), minval=-0.9, maxval=0.9)
    kept = jnp.broadcast_to(jnp.array([[1.0, 0.0], [0.0, 1.0]])[None, :, :, None], images.shape)
    found = edit(config, state, KEY, Guide(images, kept), how, LABELS)
    np.testing.assert_array_equal(found[kept > 0], images[kept > 0])
    other = edit(config, state, KEY, Guide(jnp.where(kept > 0, -images, images), kept), how, LABELS)
    assert (np.abs(found - other)[kept == 0] > 1e-5).mean() > 0.8  # at a bound of the range some stay
    everything = edit(config, state, KEY, Guide(images, jnp.ones_like(kept)), how, LABELS)
    np.testing.assert_array_equal(everything, images)


def test_a_hole_follows_what_is_around_it_the_better_the_more_often_it_is_gone_back():
    """The mean of one pixel given the other is c times it: 0.9. Gone once, what fills the hole has seen too little."""
    state = state_of(PIXELS)
    images = jnp.broadcast_to(jnp.array([1.5, 0.0])[None, None, :, None], (2_000, 1, 2, 1))
    kept = jnp.broadcast_to(jnp.array([1.0, 0.0])[None, None, :, None], images.shape)
    means, deviations = [], []
    for resamples in (1, 10):
        found = edit(PIXELS, state, KEY, Guide(images, kept), RePaint(5, resamples))[:, 0, 1, 0]
        means.append(float(found.mean()))
        deviations.append(float(found.std()))
    wanted, spread = CORRELATION * 1.5, np.sqrt(1 - CORRELATION**2)
    assert abs(means[1] - wanted) < 0.1 and abs(means[0] - wanted) > 0.3
    assert abs(deviations[1] - spread) < 0.05


def test_a_guide_is_left_alone_at_strength_0_and_forgotten_at_1():
    config = dataclasses.replace(Config(denoiser=Exact(), schedule=LinearBetas()), sampler=Ancestral(20))
    state = state_of(config)
    images = jnp.linspace(-0.9, 0.9, 16).reshape(4, 2, 2, 1)
    nothing = jnp.zeros((4, 2, 2, 1))
    np.testing.assert_array_equal(edit(config, state, KEY, Guide(images, nothing), SDEdit(0.0)), images)
    far = [
        float(np.abs(edit(config, state, KEY, Guide(images, nothing), SDEdit(strength, 1)) - images).mean())
        for strength in (0.1, 0.5)
    ]
    assert 0 < far[0] < far[1]
    both = [edit(config, state, KEY, Guide(each, nothing), SDEdit(1.0, 1)) for each in (images, -images)]
    np.testing.assert_allclose(*both, atol=0.02)


def test_guides_end_where_the_data_are():
    """Of data from N(0.3, 0.2^2), a guide of -0.9 is far away; after three repeats it is among them."""
    config = dataclasses.replace(Config(denoiser=Exact(), schedule=LinearBetas()), sampler=Ancestral(20))
    guide = Guide(jnp.full((500, 2, 2, 1), -0.9), jnp.zeros((500, 2, 2, 1)))
    once, thrice = (edit(config, state_of(config), KEY, guide, SDEdit(0.5, num)).mean() for num in (1, 3))
    assert -0.9 < float(once) < float(thrice) and abs(float(thrice) - 0.3) < 0.05


def test_an_image_does_not_depend_on_those_beside_it():
    config, state = dataclasses.replace(CONFIG, sampler=Ancestral(4)), state_of(CONFIG)
    images = jax.random.uniform(jax.random.key(1), (4, 2, 2, 1), minval=-0.9, maxval=0.9)
    guide, how = Guide(images, (images > 0).astype(jnp.float32)), RePaint(2, 2)
    together = edit(config, state, KEY, guide, how, LABELS)
    alone = edit(config, state, example_keys(KEY, 4)[2:3], Guide(*(each[2:3] for each in guide)), how, LABELS[2:3])
    np.testing.assert_allclose(alone, together[2:3], atol=1e-6)


def test_classes_are_told():
    config = dataclasses.replace(CONFIG, sampler=Ancestral(4), guidance=ClassifierFree(2.0))
    found = [edit(config, state_of(CONFIG), KEY, NOTHING, RePaint(2, 1), LABELS + shift) for shift in (0, 1)]
    assert np.abs(found[0] - found[1]).max() > 1e-4


def test_samplers_that_remember_steps_and_odd_values_are_refused():
    config = dataclasses.replace(CONFIG, sampler=DPMSolver(4, 2))
    with pytest.raises(ValueError, match=r"sampler is DPMSolver.*DDIM, Ancestral, Euler or Heun"):
        editing.edit(config, state_of(CONFIG), KEY, NOTHING, RePaint())
    with pytest.raises(ValueError, match=r"shape of the images is \(4, 3, 2, 1\).*\(4, 2, 2, 1\)"):
        editing.edit(CONFIG, state_of(CONFIG), KEY, Guide(*2 * (jnp.zeros((4, 3, 2, 1)),)), RePaint())
    with pytest.raises(ValueError, match=r"shape of what is kept is \(4, 2, 1, 1\).*\(4, 2, 2, 1\)"):
        editing.edit(CONFIG, state_of(CONFIG), KEY, NOTHING._replace(kept=jnp.zeros((4, 2, 1, 1))), RePaint())
    with pytest.raises(ValueError, match=r"strength is 1\.5"):
        SDEdit(1.5)
    with pytest.raises(ValueError, match="jump is 0"):
        RePaint(0)
