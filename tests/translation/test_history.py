"""A history of fakes: what it keeps and gives back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.translation.history import empty, exchange

IMAGES = jnp.arange(6.0)[:, None, None, None] + jnp.zeros((6, 2, 2, 1))


def keys(seed, num=6):
    return jax.random.split(jax.random.key(seed), num)


def numbers(images):
    return np.asarray(images)[:, 0, 0, 0].tolist()


def test_a_history_without_places_gives_back_what_it_is_given():
    shown, history = exchange(empty(0, (2, 2, 1)), IMAGES, keys(0))
    assert numbers(shown) == list(range(6)) and history.images.shape == (0, 2, 2, 1)
    with pytest.raises(ValueError, match="capacity is -1, but must be at least 0"):
        empty(-1, (2, 2, 1))


def test_while_there_is_room_images_are_kept_and_given_back():
    shown, history = exchange(empty(6, (2, 2, 1)), IMAGES, keys(0))
    assert numbers(shown) == numbers(history.images) == list(range(6)) and history.count == 6


def test_a_full_history_gives_an_earlier_image_half_of_the_time_and_keeps_the_new_one_in_its_place():
    _, full = exchange(empty(6, (2, 2, 1)), IMAGES, keys(0))
    old = 0
    for seed in range(100):
        shown, after = exchange(full, IMAGES[:1] + 100.0, keys(seed, 1))
        (number,) = numbers(shown)
        assert sorted([number, *numbers(after.images)]) == [0, 1, 2, 3, 4, 5, 100]  # none is lost, none twice
        if number < 100:
            assert numbers(after.images)[int(number)] == 100
            old += 1
    assert 35 <= old <= 65
    places = {numbers(exchange(full, IMAGES[:1] + 100.0, keys(seed, 1))[0])[0] for seed in range(60)}
    assert places == {0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 100.0}


def test_an_image_of_this_batch_can_be_given_back_for_a_later_one_of_it():
    shown = [numbers(exchange(empty(1, (2, 2, 1)), IMAGES, keys(seed))[0]) for seed in range(8)]
    assert any(later != sorted(later) or len(set(later)) < 6 or later != list(range(6)) for later in shown)
    assert all(one[0] == 0 for one in shown)


def test_devices_that_share_the_batch_keep_and_show_what_one_device_does():
    history = empty(3, (2, 2, 1))
    images, given = jnp.concatenate([IMAGES, IMAGES[:2] + 10.0]), keys(5, 8)
    wanted = exchange(history, images, given)
    shared = jax.vmap(lambda *each: exchange(*each, axis_name="shards"), in_axes=(None, 0, 0), axis_name="shards")
    shown, kept = shared(history, images.reshape(4, 2, 2, 2, 1), given.reshape(4, 2))
    np.testing.assert_array_equal(shown.reshape(8, 2, 2, 1), wanted[0])
    for device in range(4):
        np.testing.assert_array_equal(kept.images[device], wanted[1].images)
    assert kept.count.tolist() == [3] * 4


def test_no_gradient_flows_through_it():
    def total(images):
        return exchange(empty(2, (2, 2, 1)), images, keys(0))[0].sum()

    assert not jax.grad(total)(IMAGES).any()
