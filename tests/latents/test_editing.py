import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.latents.editing import Constraints, Editing, Layer, around, edit, masked_error, moved, over
from jaxgen.minimization import LBFGS, Descent
from jaxgen.optimizers import Adam, Optimizer
from tests.latents.test_projection import SECOND, SHAPE, draws, linear, network

MASK = jnp.zeros((2, *SHAPE)).at[:, 1:3, :2].set(1.0)
RED = Layer(jnp.full((2, *SHAPE), 0.9), MASK)
STARTS = around(draws(2), draws(2, 4))


def found(constraints, settings=None, generate=network, starts=STARTS):
    settings = settings or Editing(cell=2)
    return jax.jit(functools.partial(edit, settings, generate))(constraints, starts)


def test_without_a_mask_the_colour_term_is_zero_even_of_nan():
    nothing = Layer(jnp.full((2, *SHAPE), jnp.nan), jnp.zeros_like(MASK))
    np.testing.assert_array_equal(masked_error(network(draws(2)), *nothing), 0.0)
    kept = found(Constraints(nothing), starts=draws(2)[None])
    np.testing.assert_array_equal(kept.latents[0], draws(2))
    np.testing.assert_array_equal(kept.values, 0.0)


def test_the_colour_term_is_the_mean_of_the_painted_pixels():
    images = network(draws(2))
    error = np.asarray((images - RED.images) ** 2)[np.asarray(MASK) > 0].reshape(2, -1).mean(axis=1)
    np.testing.assert_allclose(masked_error(images, *RED), error, rtol=1e-3)


def test_an_image_edited_towards_itself_keeps_its_latents():
    images = network(draws(2))
    layer = Layer(images, jnp.ones_like(MASK))
    kept = found(Constraints(layer, layer))
    np.testing.assert_array_equal(kept.latents[0], draws(2))
    np.testing.assert_allclose(kept.values[0], 0.0, atol=1e-9)
    assert (kept.values[1:] > 0).all()


def test_the_pull_to_where_the_edit_began_is_the_mean_of_squares():
    nothing, still = Constraints(Layer(RED.images, jnp.zeros_like(MASK))), Descent(Optimizer(1e-9, Adam()), steps=1)
    kept = found(nothing, Editing(still))
    wanted = np.sort(5 * np.mean((0.5 * np.asarray(draws(2, 4))) ** 2, axis=2), axis=0)
    np.testing.assert_allclose(kept.values[1:], wanted, rtol=1e-4)
    np.testing.assert_array_equal(kept.values[0], 0.0)


def test_a_stroke_moves_the_pixels_under_it_towards_its_colour():
    before, after = network(draws(2)), found(Constraints(RED))

    def distance(images):
        return masked_error(images, *RED)

    assert (distance(after.images[0]) < distance(before)).all()
    free = found(Constraints(RED), Editing(closeness=0.0))
    assert (distance(free.images[0]) < distance(after.images[0])).all()
    assert (jnp.diff(after.values, axis=0) >= 0).all() and after.values.shape == (5, 2)
    np.testing.assert_allclose(after.images, jax.vmap(network)(after.latents), atol=1e-6)


def test_a_linear_generator_gives_the_latents_of_least_squares():
    kept = found(Constraints(RED), Editing(LBFGS(), keep=1), linear)
    painted = np.asarray(MASK[0]).ravel() > 0
    matrix, share = SECOND[:3].T[painted], painted.mean() / (painted.mean() + 1e-5)
    for latent, start in zip(kept.latents[0], draws(2), strict=True):
        left = share * matrix.T @ matrix / painted.sum() + 5 / 3 * np.eye(3)
        right = share * matrix.T @ np.full(painted.sum(), 0.9) / painted.sum() + 5 / 3 * np.asarray(start)
        np.testing.assert_allclose(latent, np.linalg.solve(left, right), atol=1e-3)


def test_edges_are_drawn_where_there_were_none():
    def generate(latents):
        ramp = jnp.tanh(jnp.arange(-7.5, 8.0))[None, None, :, None]
        return jnp.broadcast_to(latents[:, :1, None, None] * ramp, (len(latents), 16, 16, 1))

    line = jnp.zeros((1, 16, 16, 1)).at[:, :, 7:9].set(1.0)
    starts = jnp.full((1, 1, 1), 0.4)
    drawn = found(Constraints(edges=Layer(2 * line - 1, line)), Editing(cell=4, closeness=0.0), generate, starts)
    assert float(drawn.latents[0, 0, 0]) > 0.6  # the edge is stronger
    without = found(
        Constraints(edges=Layer(2 * line - 1, line)), Editing(edge_weight=0.0, closeness=0.0), generate, starts
    )
    np.testing.assert_allclose(without.values, 0.0)


def test_the_prior_draws_candidates_to_what_is_like_the_data():
    def bright(images):
        return -images.mean(axis=(1, 2, 3))

    plain, drawn = found(Constraints(RED)), found(Constraints(RED), Editing(prior=bright, prior_weight=100.0))
    assert (drawn.images[0].mean(axis=(1, 2, 3)) > plain.images[0].mean(axis=(1, 2, 3))).all()
    spoilt = Editing(cell=2, prior=lambda images: jnp.nan * bright(images))
    np.testing.assert_array_equal(found(Constraints(RED), spoilt).images, plain.images)  # it is not computed


def test_the_best_are_kept_and_nan_is_the_last():
    starts = STARTS.at[2].set(jnp.nan)
    three = found(Constraints(RED), Editing(keep=3), starts=starts)
    every = found(Constraints(RED), Editing(keep=9), starts=starts)
    assert len(three.values) == 3 and len(every.values) == 5
    np.testing.assert_array_equal(three.values, every.values[:3])
    assert np.isnan(every.values[-1]).all() and np.isfinite(every.values[:-1]).all()


def test_latents_keep_to_the_support():
    small = Editing(support=lambda latents: latents.clip(-0.1, 0.1))
    assert np.abs(found(Constraints(RED), small).latents).max() <= 0.1


def test_labels_and_latents_of_any_shape_pass():
    def generate(latents, labels):
        return network(latents.reshape(len(latents), 3)) + labels[:, None, None, None].astype(jnp.float32)

    starts = STARTS.reshape(5, 2, 1, 3)
    kept = jax.jit(functools.partial(edit, Editing(), generate))(Constraints(RED), starts, (jnp.array([0, 1]),))
    assert kept.latents.shape == (5, 2, 1, 3) and (kept.images[:, 1] >= 1).all()


def test_a_batch_over_devices_is_edited_as_the_whole():
    four = jax.tree.map(lambda leaf: jnp.concatenate([leaf, leaf]), Constraints(RED, RED))
    starts = around(draws(4), draws(4, 3))
    wanted = found(four, starts=starts)
    mesh, spec = jax.sharding.Mesh(np.array(jax.devices()), ("i",)), jax.sharding.PartitionSpec
    batch, several = (jax.sharding.NamedSharding(mesh, part) for part in (spec("i"), spec(None, "i")))
    placed = found(jax.device_put(four, batch), starts=jax.device_put(starts, several))
    np.testing.assert_allclose(placed.images, wanted.images, atol=1e-3)


def test_a_patch_goes_to_its_place_and_is_cut_at_the_border():
    images = jax.random.normal(jax.random.key(0), (2, 6, 8, 3))
    layer = moved(images, jnp.array([[2, 2], [0, 7]]), jnp.array([[3, 5], [5, 0]]), 3)
    wanted, mask = np.zeros(images.shape, np.float32), np.zeros((6, 8), np.float32)
    wanted[:, 2:5, 4:7], mask[2:5, 4:7] = images[:, 1:4, 1:4], 1
    wanted[:, 5:, :1], mask[5:, :1] = images[:, :1, 7:], 1  # the upper right corner to the lower left one
    np.testing.assert_array_equal(layer.mask, np.broadcast_to(mask[None, :, :, None], (2, 6, 8, 1)))
    np.testing.assert_array_equal(np.where(layer.mask > 0, layer.images, 0), wanted)


def test_of_two_layers_the_upper_one_is_seen():
    below, above = (
        Layer(jnp.zeros((1, 1, 2, 1)), jnp.ones((1, 1, 2, 1))),
        Layer(jnp.ones((1, 1, 2, 1)), jnp.array([0.5, 0.0]).reshape(1, 1, 2, 1)),
    )
    both = over(below, above)
    assert both.images.ravel().tolist() == [1, 0] and both.mask.ravel().tolist() == [0.5, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: found(Constraints()), "constraints is .*, but must be colors or edges, or both"),
        (lambda: found(Constraints(Layer(RED.images, MASK[:1]))), r"shape of mask is \(1, 4, 4, 1\)"),
        (lambda: found(Constraints(RED), starts=draws(3, 1)), r"shape of starts is \(1, 3, 3\)"),
        (lambda: found(Constraints(jax.tree.map(lambda leaf: leaf[:, :3], RED))), r"shape of images is \(2, 3, 4, 1\)"),
        (lambda: Editing(keep=0), "keep is 0, but must be at least 1"),
        (lambda: Editing(closeness=-1.0), "closeness is -1.0, but must be at least 0"),
        (lambda: around(draws(2), draws(3, 1)), r"shape of draws is \(1, 3, 3\)"),
        (lambda: moved(RED.images, jnp.zeros((1, 2), int), jnp.zeros((1, 2), int), 2), "side is 2, but must be odd"),
        (lambda: moved(RED.images, jnp.zeros((1, 2), int), jnp.zeros((2, 2), int), 3), "shapes of sources and targets"),
    ],
)
def test_what_cannot_be_edited_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()
