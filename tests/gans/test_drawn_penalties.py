"""Penalties at drawn points: closed forms for known slopes, where the points lie, the same on any devices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans.drawn_penalties import AROUND, BETWEEN, Divergence, Perturbed, divergence, perturbed_penalty
from tests.gans.games import training

NUM, SHAPE = 8, (4, 4, 1)
REAL, FAKE = jax.random.normal(jax.random.key(0), (2, NUM, *SHAPE))
MODE = training(jax.random.key(1), NUM)
WEIGHTS = jax.random.normal(jax.random.key(2), SHAPE)
LENGTH = float(jnp.linalg.norm(WEIGHTS.ravel()))


def linear(points):
    return jnp.einsum("bhwc,hwc->b", points, WEIGHTS)


def bowl(points):
    """|x|^2 / 2, whose slope is x."""
    return (points**2).sum((1, 2, 3)) / 2


def test_a_linear_critic_pays_for_its_slope_wherever_the_points_lie():
    found = perturbed_penalty(Perturbed(10.0), linear, REAL, MODE)
    np.testing.assert_allclose(found, np.full(NUM, 10 * (LENGTH - 1) ** 2), rtol=1e-5)
    found = divergence(Divergence(2.0, 4.0), linear, REAL, FAKE, MODE)
    np.testing.assert_allclose(found, np.full(NUM, 2 * LENGTH**4), rtol=1e-4)


def test_usual_settings_are_those_of_the_papers():
    assert Perturbed().scale == 0.5 and Divergence().power == 6.0
    Divergence(power=1.5)


def norms(points):
    return np.linalg.norm(np.asarray(points).reshape(NUM, -1), axis=1)


@pytest.mark.parametrize("scale", [0.5, 0.2])
def test_points_of_dragan_lie_above_the_data_by_up_to_so_many_deviations_of_the_batch(scale):
    of_noise, of_mix = jax.vmap(jax.random.split)(MODE.stream(AROUND).keys).swapaxes(0, 1)
    noise = jax.vmap(lambda key: jax.random.uniform(key, SHAPE))(of_noise)
    mix = jax.vmap(jax.random.uniform)(of_mix)
    points = REAL + mix[:, None, None, None] * scale * REAL.std() * noise
    found = perturbed_penalty(Perturbed(3.0, scale), bowl, REAL, MODE)
    np.testing.assert_allclose(found, 3 * (norms(points) - 1) ** 2, rtol=1e-4)


def test_a_batch_of_equal_pixels_is_not_moved():
    constant = jnp.full_like(REAL, 0.5)
    found = perturbed_penalty(Perturbed(1.0), bowl, constant, MODE)
    np.testing.assert_allclose(found, np.full(NUM, (0.5 * 4 - 1) ** 2), rtol=1e-5)


def test_points_of_wgan_div_lie_between_each_real_example_and_its_fake():
    mix = jax.vmap(jax.random.uniform)(MODE.stream(BETWEEN).keys)[:, None, None, None]
    found = divergence(Divergence(1.0, 3.0), bowl, REAL, FAKE, MODE)
    np.testing.assert_allclose(found, norms(mix * REAL + (1 - mix) * FAKE) ** 3, rtol=1e-4)


def test_devices_that_share_the_batch_draw_the_points_of_one():
    settings = Perturbed(2.0, scale=0.7)
    wanted = perturbed_penalty(settings, bowl, REAL, MODE), divergence(Divergence(2.0), bowl, REAL, FAKE, MODE)

    def of_share(real, fake, keys):
        mode = MODE.with_keys(keys).replace(axis_name="i")
        return perturbed_penalty(settings, bowl, real, mode), divergence(Divergence(2.0), bowl, real, fake, mode)

    shares = [each.reshape(4, 2, *each.shape[1:]) for each in (REAL, FAKE, MODE.keys)]
    found = jax.vmap(of_share, axis_name="i")(*shares)
    for one, many in zip(wanted, found, strict=True):
        np.testing.assert_allclose(many.ravel(), one, rtol=1e-4)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (Perturbed, {"weight": -1.0}, "weight is -1.0, but must be at least 0"),
        (Perturbed, {"scale": 0.0}, "scale is 0.0, but must be above 0"),
        (Divergence, {"weight": -1.0}, "weight is -1.0, but must be at least 0"),
        (Divergence, {"power": 1.0}, "power is 1.0, but must be above 1"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(**settings)
