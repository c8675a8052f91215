"""Batches are the same numbers from the device, from memory and from disk, for every type of batch."""

import dataclasses
import threading
import time
from typing import NamedTuple

import chex
import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.command_line.errors import UserError
from experiments.data import feeds
from experiments.data.captions import encoded
from experiments.data.images import ImageSet, Window, window_of
from experiments.data.options import ImageOptions, StorageOptions
from experiments.data.order import Choice, Position
from experiments.data.rows import LazyRows, PictureError, Source
from jaxgen import parallel
from jaxgen.batches import Captioned, Column, Labelled, Paired, Unpaired, condition, target
from tests.experiments.pictures_on_disk import pixels

NUM, SIZE = 11, 8
NUMS = {"images": NUM, "targets": NUM, "others": 7}


class Sketched(NamedTuple):
    """A type of batch that only this test knows: a picture, its label, its sketch, and a second, free picture."""

    pictures: jax.Array
    kinds: jax.Array
    sketches: jax.Array
    free: jax.Array

    COLUMNS = (Column("images"), Column("labels"), Column("targets"), Column("images", rows="other"))
    CONDITION, TARGET = "sketches", "pictures"


TYPES = [None, Labelled, Paired, Unpaired, Captioned, Sketched]
WINDOWS = {
    "none": None,
    "padded": window_of((6, 5, 3), ImageOptions(pad=2)),
    "moving": window_of((9, 9, 3), ImageOptions(size=8, crop="random", flip=True)),
    "moving in padding": window_of((6, 5, 3), ImageOptions(pad=2, crop="random")),
    "mirrored": window_of((6, 5, 3), ImageOptions(flip=True)),
}


def some(num, seed, shape=(6, 5, 3)):
    return np.random.default_rng(seed).integers(0, 256, (num, *shape), np.uint8)


def source_of(images, decode=lambda image: image):
    return Source(
        "some", len(images), lambda chosen: [images[i] for i in chosen], decode, lambda index: f"number {index}"
    )


def image_set(window=None, lazy=False):
    shape = (9, 9, 3) if window == WINDOWS["moving"] else (6, 5, 3)
    columns = {name: some(num, seed, shape) for seed, (name, num) in enumerate(NUMS.items())}
    if lazy:
        columns = {name: LazyRows(source_of(array), shape) for name, array in columns.items()}
    captions, counts = encoded([["a"] * (1 + index % 3) + [f"picture {index}"] for index in range(NUM)], 12)
    return ImageSet(
        "some",
        labels=np.arange(NUM, dtype=np.int32) % 4,
        classes=tuple("abcd"),
        captions=captions,
        num_captions=counts,
        window=window,
        **columns,
    )


def batches_of(image_set, batch_type, **storage):
    with feeds.opened(image_set, batch_type, 3, Position(0, 0, SIZE), StorageOptions(**storage)) as feed:
        return [jax.device_get(feed(step, count)) for step, count in ((0, 2), (2, 1), (3, 2))]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("batch_type", TYPES)
def test_batches_are_the_same_wherever_the_images_lie(batch_type, window):
    chosen = image_set(WINDOWS[window])
    host = batches_of(chosen, batch_type, device_bytes=0)
    chex.assert_trees_all_equal(host, batches_of(chosen, batch_type, device_bytes=2**20))
    chex.assert_trees_all_equal(host, batches_of(image_set(WINDOWS[window], lazy=True), batch_type))
    assert isinstance(host[0], batch_type or np.ndarray)
    for leaf in jax.tree.leaves(host[0]):
        assert leaf.shape[:2] == (2, SIZE)


@pytest.mark.parametrize("wrap", [parallel.jit, parallel.pmap, parallel.shard_map])
def test_batches_on_the_devices_lie_as_the_step_wants_them(wrap):
    def update(config, state, batch, key, *, axis_name=None):
        total = parallel.pmean(batch.images.astype("float32").mean() + batch.labels.astype("float32").mean(), axis_name)
        return state + total, {}

    results = []
    for device_bytes in (0, 2**20):
        storage = StorageOptions(device_bytes=device_bytes)
        with feeds.opened(image_set(), Labelled, 0, Position(0, 0, SIZE), storage) as feed:
            batch = feed(0, 2)
            if device_bytes:
                assert batch.images.sharding.spec == jax.sharding.PartitionSpec(None, parallel.AXIS)
                assert len(batch.images.sharding.device_set) == 4
            state, _ = wrap(update, None, steps=2)(
                np.zeros((), np.float32), batch, jax.random.split(jax.random.key(0), 2)
            )
            results.append(float(state))
    assert results[0] == pytest.approx(results[1], rel=1e-6)


def test_a_set_goes_to_the_devices_only_if_the_settings_allow_its_bytes():
    columns = image_set().columns(Labelled)
    num_bytes = NUM * 6 * 5 * 3 + NUM * 4
    for cuts in (False, True):
        assert feeds.lies_on_device(columns, StorageOptions(device_bytes=num_bytes), cuts=cuts)
        assert not feeds.lies_on_device(columns, StorageOptions(device_bytes=num_bytes - 1), cuts=cuts)
        assert feeds.lies_on_device(columns, StorageOptions(), cuts=cuts) == cuts  # this is a CPU
    assert not feeds.lies_on_device(image_set(lazy=True).columns(None), StorageOptions(device_bytes=2**30), cuts=True)


class TestWindows:
    """Against the same cuts made one image at a time."""

    @staticmethod
    def cut(image, window, draws):
        padded = np.pad(image, ((window.pad, window.pad), (window.pad, window.pad), (0, 0)), mode="edge")
        room_y, room_x = padded.shape[0] - window.height, padded.shape[1] - window.width
        top, left = (draws[0] % (room_y + 1), draws[1] % (room_x + 1)) if window.moves else (room_y // 2, room_x // 2)
        found = padded[top : top + window.height, left : left + window.width]
        return found[:, ::-1] if window.flips and draws[2] % 2 else found

    @given(
        height=st.integers(1, 6),
        width=st.integers(1, 6),
        pad=st.integers(0, 3),
        moves=st.booleans(),
        flips=st.booleans(),
        seed=st.integers(0, 2**32 - 1),
    )
    def test_a_batch_is_cut_padded_and_mirrored_by_its_draws(self, height, width, pad, moves, flips, seed):
        window = Window(height, width, pad, moves, flips)
        images = some(NUM, 0, (6, 6, 3))
        chosen = dataclasses.replace(ImageSet("some", images), window=window)
        choice = feeds._chosen(chosen, chosen.num_others(None), seed, Position(0, 0, SIZE), 5)
        wanted = [self.cut(images[i], window, draws) for i, draws in zip(choice.indices, choice.draws, strict=True)]
        np.testing.assert_array_equal(chosen.take(choice), wanted)

    def test_pairs_are_cut_and_mirrored_alike(self):
        images = some(NUM, 0, (9, 9, 3))
        window = WINDOWS["moving"]
        chosen = ImageSet("some", images, targets=255 - images, window=window)
        inputs, targets = chosen.take(
            feeds._chosen(chosen, chosen.num_others(Paired), 0, Position(0, 0, SIZE), 0), Paired
        )
        np.testing.assert_array_equal(inputs, 255 - targets)

    def test_both_halves_of_a_moving_window_are_reached(self):
        chosen = image_set(WINDOWS["moving"])
        draws = feeds._chosen(chosen, chosen.num_others(None), 0, Position(0, 0, 1000), 0).draws
        assert {tuple(place) for place in draws[:, :2] % 2} == {(0, 0), (0, 1), (1, 0), (1, 1)}

    def test_without_draws_the_middle_is_taken(self):
        images = some(2, 0, (8, 8, 1))
        chosen = ImageSet("some", images, window=Window(4, 4, moves=True, flips=True))
        np.testing.assert_array_equal(chosen.batch([0, 1]), images[:, 2:6, 2:6])


def test_captions_are_drawn_from_those_of_the_image():
    chosen = image_set()
    seen = set()
    for step in range(40):
        choice = feeds._chosen(chosen, chosen.num_others(Captioned), 0, Position(0, 0, SIZE), step)
        for index, caption in zip(choice.indices, chosen.take(choice, Captioned).captions, strict=True):
            text = bytes(caption).rstrip(b"\0").decode()
            assert text in ("a", f"picture {index}")
            seen.add((int(index), text))
    assert len(seen) == 2 * NUM  # both captions of each image


def test_a_new_type_of_batch_is_its_declaration_alone():
    chosen = image_set()
    choice = feeds._chosen(chosen, chosen.num_others(Sketched), 0, Position(0, 0, SIZE), 3)
    batch = chosen.take(choice, Sketched)
    np.testing.assert_array_equal(batch.pictures, np.asarray(chosen.images)[choice.indices])
    np.testing.assert_array_equal(batch.kinds, choice.indices % 4)
    np.testing.assert_array_equal(batch.sketches, np.asarray(chosen.targets)[choice.indices])
    np.testing.assert_array_equal(batch.free, np.asarray(chosen.images)[choice.others])
    assert (choice.others != choice.indices).any()
    assert condition(batch) is batch.sketches
    assert target(batch) is batch.pictures


def test_unpaired_domains_are_drawn_independently():
    chosen = image_set()
    choices = [
        feeds._chosen(chosen, chosen.num_others(Unpaired), 0, Position(0, 0, 7), step) for step in range(11)
    ]  # each image of both domains 7 or 11 times
    pairs = {(int(a), int(b)) for choice in choices for a, b in zip(choice.indices, choice.others, strict=True)}
    assert len(pairs) > 40  # 77 draws of 77 pairs: 49 different ones are expected


class TestAhead:
    def test_what_is_read_ahead_is_bounded_and_ends_with_the_context(self):
        made = []

        def make(step):
            made.append(step)
            return np.zeros((SIZE, 100), np.uint8)

        before = threading.active_count()
        with feeds._Ahead(make, StorageOptions(threads=2, ahead_bytes=5 * SIZE * 100)) as ahead:
            for call in range(4):
                ahead(10 * call, 10)
            while ahead._coming and not all(future.done() for future in ahead._coming.values()):
                time.sleep(0.001)
            assert sorted(made) == list(range(45))  # 40 asked for and 5 ahead, each once
        assert threading.active_count() == before

    def test_reading_ahead_of_nothing_still_gives_every_batch(self):
        with feeds._Ahead(lambda step: np.full((1, 1), step), StorageOptions(ahead_bytes=0)) as ahead:
            for step in range(3):
                np.testing.assert_array_equal(ahead(step, 1), [[[step]]])
            np.testing.assert_array_equal(ahead(1, 2), [[[1]], [[2]]])  # a step may be asked for again

    def test_a_picture_that_is_damaged_stops_the_batch_that_holds_it(self):
        def decode(image):
            if image is bad:
                raise PictureError("is cut short")
            return image

        images = [pixels() for _ in range(20)]
        bad = images[13]
        chosen = ImageSet("some", LazyRows(source_of(images, decode), (8, 8, 3)))
        with (
            feeds.opened(chosen, None, 0, Position(0, 0, 4), StorageOptions()) as feed,
            pytest.raises(UserError, match="number 13 is cut short; mend or remove"),
        ):
            feed(0, 5)


@pytest.mark.parametrize(
    ("batch_type", "lacks"),
    [(Labelled, "labels"), (Paired, "pairs of images"), (Unpaired, "a second domain"), (Captioned, "captions")],
)
def test_a_set_that_lacks_what_a_batch_needs_says_so(batch_type, lacks):
    with pytest.raises(UserError, match=f"needs {lacks}, but some has none"):
        ImageSet("some", some(3, 0)).batch([0], batch_type)


def test_unpaired_domains_are_mirrored_independently():
    images = some(7, 0)
    chosen = ImageSet("some", images, others=images, window=WINDOWS["mirrored"])
    draws = feeds._chosen(chosen, chosen.num_others(Unpaired), 0, Position(0, 0, 400), 0).draws
    a, b = chosen.take(Choice(np.zeros(400, int), np.zeros(400, int), draws), Unpaired)
    alike = (a == b).all(axis=(1, 2, 3)).mean()
    assert abs(alike - 0.5) < 5 * 0.5 / np.sqrt(400)  # five standard deviations
