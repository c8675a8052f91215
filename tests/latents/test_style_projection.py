from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import noise_inputs, stylegan2, styles
from jaxgen.latents.style_projection import Projector, noise_regularity, project_styles, spread, whitened
from jaxgen.metrics.similarity import psnr
from tests.experiments import small_runs

CONFIG = small_runs.STYLED
SHORT = Projector(steps=300)


@pytest.fixture(scope="module")
def game():
    """A generator whose noise is heard, as a function of w and maps; where styles lie; maps."""
    state = jax.jit(partial(stylegan2.init, CONFIG))(jax.random.key(0))
    loud = jax.tree_util.tree_map_with_path(
        lambda path, leaf: leaf + 0.3 if "noise_strength" in str(path[-1]) else leaf, state.ema
    )
    state, num = state._replace(ema=loud), CONFIG.synthesis.num_styles(CONFIG.image_shape)

    def draw(w, maps):
        return stylegan2.from_w_plus(CONFIG, noise_inputs.with_maps(state, maps), styles.broadcast(w, num))

    ws = styles.to_w(CONFIG, state, CONFIG.prior.draw(jax.random.key(1), 200))
    sizes = noise_inputs.map_sizes(partial(stylegan2.from_w_plus, CONFIG, state), styles.broadcast(ws[:2], num))
    maps = {
        layer: jax.random.normal(jax.random.key(number), (2, *size, 1))
        for number, (layer, size) in enumerate(sizes.items())
    }
    return draw, ws, maps


def test_images_are_nearer_after_the_search_and_maps_stay_normal(game):
    draw, ws, maps = game
    images = draw(ws[:2], {layer: one[::-1] for layer, one in maps.items()})
    run = jax.jit(lambda weight_maps: project_styles(SHORT, draw, images, spread(ws), weight_maps, jax.random.key(2)))
    found = run(maps)
    ratios = psnr(draw(found.w, found.maps), images, data_range=2.0)
    begun = psnr(draw(jnp.broadcast_to(ws.mean(0)[None], (2, 4)), maps), images, data_range=2.0)
    assert (ratios > begun).all()
    np.testing.assert_allclose(found.values, ((draw(found.w, found.maps) - images) ** 2).mean((1, 2, 3)), rtol=1e-4)
    for one in found.maps.values():
        np.testing.assert_allclose(one.mean((1, 2, 3)), 0.0, atol=1e-4)
        np.testing.assert_allclose((one**2).mean((1, 2, 3)), 1.0, rtol=1e-4)


def test_each_image_is_on_its_own_and_devices_agree(game):
    draw, ws, maps = game
    images, keys = draw(ws[:2], maps), jax.random.split(jax.random.key(3), 2)
    settings = Projector(steps=20)
    run = jax.jit(lambda images, maps, keys: project_styles(settings, draw, images, spread(ws), maps, keys))
    found = run(images, maps, keys)
    broken = run(images.at[0].set(jnp.nan), maps, keys)
    assert np.isnan(broken.values[0])
    np.testing.assert_allclose(broken.w[1], found.w[1], atol=1e-4)
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:2]), ("i",))
    cut = jax.device_put((images, maps, keys), jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("i")))
    np.testing.assert_allclose(run(*cut).w, found.w, atol=1e-3)


def test_white_noise_is_regular_and_a_picture_in_it_is_not():
    white = jax.random.normal(jax.random.key(4), (4, 64, 64, 1))
    smooth = whitened((white + jnp.roll(white, 1, 1) + jnp.roll(white, 1, 2)) / 3)
    assert (noise_regularity(white) < 0.05).all() and (noise_regularity(smooth) > 5 * noise_regularity(white)).all()


def test_regularity_is_the_formula_at_each_scale():
    maps = np.asarray(jax.random.normal(jax.random.key(5), (2, 16, 8, 1)))
    halves = maps.reshape(2, 8, 2, 4, 2, 1).mean(axis=(2, 4))
    wanted = sum(
        (scale * np.roll(scale, 1, axis)).mean(axis=(1, 2, 3)) ** 2 for scale in (maps, halves) for axis in (1, 2)
    )
    np.testing.assert_allclose(noise_regularity(jnp.asarray(maps)), wanted, rtol=1e-4)


def test_a_map_without_variance_is_zero_with_finite_slopes():
    flat = jnp.ones((1, 4, 4, 1))
    np.testing.assert_array_equal(whitened(flat), 0.0)
    assert np.isfinite(jax.grad(lambda maps: whitened(maps).sum())(flat)).all()


def test_the_rate_rises_stays_and_falls():
    rates = [float(Projector().rate(jnp.float32(t))) for t in (0.0, 0.025, 0.05, 0.5, 0.75, 0.875, 1.0)]
    np.testing.assert_allclose(rates, [0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.0], atol=1e-6)


def test_the_spread_of_styles_is_numpys():
    ws = jax.random.normal(jax.random.key(6), (50, 3))
    found = spread(ws)
    np.testing.assert_allclose(found.mean, np.mean(ws, axis=0), atol=1e-6)
    np.testing.assert_allclose(found.deviation**2, np.var(np.asarray(ws), axis=0).sum(), rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps is 0, but must be at least 1"),
        ({"ramp_up": 0.0}, r"ramp_up is 0.0, but must be in \(0, 1\]"),
        ({"ramp_down": 2.0}, r"ramp_down is 2.0, but must be in \(0, 1\]"),
        ({"weight": -1.0}, "weight is -1.0, but must be at least 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Projector(**settings)
