import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.latents.edit_transfer import (
    Change,
    Transfer,
    apply,
    change_along,
    change_between,
    joined,
    resized,
    transfer,
)

SIDE = 24
WAVES = np.random.default_rng(0).normal(size=(12, 3, 3))
"""For 12 waves of an endless picture their frequency, in rows and columns, and their phase; in three colours."""


def scene(down=0.0, right=0.0, side=SIDE, channels=1):
    """(1, side, side, channels): a smooth picture in (-1, 1), read at other places."""
    rows, columns = np.mgrid[:side, :side] * (SIDE / side)
    waves = WAVES[..., :channels, None, None]
    angles = 0.35 * (waves[:, 0] * (rows + down) + waves[:, 1] * (columns + right)) + 3 * waves[:, 2]
    return jnp.asarray(np.tanh(np.sin(angles).sum(axis=0) / 3).transpose(1, 2, 0)[None], jnp.float32)


between = jax.jit(functools.partial(change_between, Transfer()))


def inner(values, margin=6):
    return np.asarray(values)[..., margin:-margin, margin:-margin, :]


def some_change(seed, shape=(1, 8, 8), channels=2):
    keys = jax.random.split(jax.random.key(seed))
    return Change(jnp.zeros((*shape, 2)), jax.random.normal(keys[1], (*shape, channels, channels + 1)))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_known_shift_and_change_of_colour_are_recovered(channels):
    images, targets = scene(channels=channels), 0.8 * scene(1.5, -0.75, channels=channels) + 0.15
    change = between(images, targets)
    np.testing.assert_allclose(inner(change.flow).mean(axis=(0, 1, 2)), [1.5, -0.75], atol=0.1)
    assert np.abs(inner(apply(change, images) - targets, 3)).max() < 0.05
    np.testing.assert_allclose(inner(apply(change, scene(channels=channels)) - targets, 6).mean(), 0.0, atol=0.005)


def test_a_change_of_colour_alone_moves_nothing():
    change = between(scene(), scene() + 0.25)
    assert np.abs(change.flow).max() < 0.05
    np.testing.assert_allclose(apply(change, scene()), scene() + 0.25, atol=0.01)


def test_equal_images_change_nothing_at_all():
    for leaf in between(scene(channels=3), scene(channels=3)):
        np.testing.assert_array_equal(leaf, 0.0)


def test_no_change_keeps_photographs_of_any_size_bit_for_bit():
    nothing = Change(jnp.zeros((2, 8, 8, 2)), jnp.zeros((2, 8, 8, 3, 4)))
    photographs = jax.random.normal(jax.random.key(0), (2, 30, 20, 3))
    np.testing.assert_array_equal(jax.jit(apply)(nothing, photographs), photographs)


def test_an_edit_that_goes_nowhere_keeps_the_photograph_bit_for_bit():
    def generate(latents):
        return jnp.tanh(latents @ WAVES[:, 0, :1].T.astype(np.float32) @ jnp.ones((12, 64))).reshape(-1, 8, 8, 1)

    latents, photographs = jnp.array([[0.3], [-0.7]]), jax.random.normal(jax.random.key(0), (2, 19, 21, 1))
    moved = jax.jit(functools.partial(transfer, Transfer(frames=3), generate))((latents, latents), photographs)
    np.testing.assert_array_equal(moved, photographs)


def test_the_photograph_moves_as_the_generator_does_and_keeps_its_detail():
    far = jnp.arange(float(SIDE))

    def generate(latents):
        """A soft disc that the latent moves to the right."""
        middle = 8 + 6 * latents[:, 0][:, None, None]
        squares = (far[None, :, None] - 12) ** 2 + (far[None, None, :] - middle) ** 2
        return (2 * jax.nn.sigmoid((30 - squares) / 6) - 1)[..., None]

    ends = jnp.zeros((1, 1)), jnp.ones((1, 1))
    detail = 0.1 * (-1.0) ** (far[:, None] + far[None, :])
    photograph = generate(ends[0]) + detail[None, :, :, None]
    moved = jax.jit(functools.partial(transfer, Transfer(frames=6), generate))(ends, photograph)
    before, after = (np.abs(np.asarray(image - generate(ends[1]))).mean() for image in (photograph, moved))
    assert after < 0.5 * before
    inside = np.asarray(moved)[0, 10:15, 12:17, 0]
    assert inside.mean() > 0.7 and inside.std() > 0.01  # the disc is there now, and its detail with it


def test_joined_changes_are_the_one_after_the_other():
    first, second = some_change(0), some_change(1)
    images = jax.random.normal(jax.random.key(2), (1, 8, 8, 2))
    both = jax.vmap(joined)(first, second)
    np.testing.assert_allclose(apply(both, images), apply(second, apply(first, images)), rtol=1e-4, atol=1e-4)
    shift = Change(jnp.ones((1, 8, 8, 2)), first.color)  # whole pixels: reading twice does not blur
    both = jax.vmap(joined)(first, shift)
    np.testing.assert_allclose(apply(both, images), apply(shift, apply(first, images)), rtol=1e-4, atol=1e-4)


def test_a_way_of_frames_is_joined_to_its_whole():
    frames = jnp.stack([scene(0.0, place) for place in (0.0, 1.0, 2.0, 3.0)])
    change = jax.jit(functools.partial(change_along, Transfer()))(frames)
    np.testing.assert_allclose(inner(change.flow).mean(axis=(0, 1, 2)), [0.0, 3.0], atol=0.15)


def test_a_flow_grows_with_the_image():
    change = Change(jnp.ones((4, 4, 2)), jnp.full((4, 4, 1, 2), 0.5))
    large = resized(change, (8, 12))
    np.testing.assert_allclose(large.flow, np.broadcast_to([2.0, 3.0], (8, 12, 2)))
    np.testing.assert_allclose(large.color, 0.5)
    small, fine = scene(), scene(side=2 * SIDE)
    shift = Change(jnp.broadcast_to(jnp.array([0.0, 2.0]), (1, SIDE, SIDE, 2)), jnp.zeros((1, SIDE, SIDE, 1, 2)))
    np.testing.assert_allclose(apply(shift, fine)[:, ::2, ::2][:, :, :-2], apply(shift, small)[:, :, :-2], atol=1e-5)


def test_a_batch_over_devices_changes_as_the_whole():
    images, targets = (jnp.concatenate([scene(shift, shift + by) for shift in range(4)]) for by in (0.0, 0.7))
    wanted = between(images, targets)
    mesh, spec = jax.sharding.Mesh(np.array(jax.devices()), ("i",)), jax.sharding.PartitionSpec
    found = between(*jax.device_put((images, targets), jax.sharding.NamedSharding(mesh, spec("i"))))
    np.testing.assert_allclose(found.flow, wanted.flow, atol=1e-2)
    np.testing.assert_allclose(apply(found, images), apply(wanted, images), atol=1e-3)


def generate(latents):
    return jnp.zeros((len(latents), 8, 8, 1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Transfer(frames=1), "frames is 1, but must be at least 2: both ends"),
        (lambda: Transfer(smooth_flow=0.0), "smooth_flow is 0.0, but must be above 0"),
        (lambda: between(scene(), scene(side=8)), r"\(1, 24, 24, 1\).*\(1, 8, 8, 1\).* differ"),
        (
            lambda: transfer(Transfer(), generate, (jnp.zeros((1, 2)), jnp.zeros((2, 2))), scene()),
            r"shape of the last latents is \(2, 2\)",
        ),
        (
            lambda: transfer(Transfer(), generate, (jnp.zeros((1, 2)),) * 2, scene(channels=3)),
            r"shape of photographs is \(1, 24, 24, 3\), but must be \(1, height, width, 1\)",
        ),
    ],
)
def test_what_cannot_be_transferred_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()
