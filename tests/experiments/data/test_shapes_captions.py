import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data import shapes_captions
from experiments.data.captions import decoded
from experiments.data.options import ImageOptions
from experiments.data.shapes_captions import ATTRIBUTES, COMBINATIONS, UNSEEN, drawn, sentences
from jaxgen.batches import Captioned

PLACES = np.arange(40)


@pytest.fixture(scope="module")
def test():
    return data.load("shapes_captions", "test")


def test_a_fifth_of_the_combinations_is_never_trained_on_and_any_two_values_are_seen_together():
    labels = shapes_captions.collection().labels
    parts = {name: labels[shapes_captions.collection().indices(name)] for name in shapes_captions.NUM}
    assert len(COMBINATIONS) == 240 and UNSEEN.sum() == 48
    assert not UNSEEN[parts["train"]].any() and not UNSEEN[parts["test"]].any() and UNSEEN[parts["unseen"]].all()
    assert {name: len(np.unique(part)) for name, part in parts.items()} == {
        "train": 192,
        "test": 192,
        "unseen": 48,
        "judge": 240,
    }
    for one in range(4):
        for other in range(one):
            together = {tuple(row) for row in COMBINATIONS[np.unique(parts["train"])][:, [one, other]].tolist()}
            assert len(together) == len(ATTRIBUTES[one].values) * len(ATTRIBUTES[other].values)


def test_a_picture_is_a_function_of_its_number_and_shows_what_its_label_says(test):
    again = data.load("shapes_captions", "test")
    np.testing.assert_array_equal(test.images, again.images)
    labels = np.repeat(np.arange(240), 3)
    pictures = drawn(np.arange(720), labels).astype(np.float32)
    np.testing.assert_array_equal(drawn(np.array([7]), np.array([30])), drawn(np.array([3, 7]), np.array([9, 30]))[1:])
    shapes, colours, places, sizes = COMBINATIONS[labels].T
    bright = (pictures.max(axis=-1) > 110).astype(np.float32)  # of no ground, of every colour
    area = bright.sum(axis=(1, 2))
    for shape in range(5):
        assert area[(shapes == shape) & (sizes == 1)].min() > area[(shapes == shape) & (sizes == 0)].max()
    rows, columns = (np.einsum("nij,i->n", bright.swapaxes(1, axis), np.arange(32)) / area >= 16 for axis in (1, 2))
    np.testing.assert_array_equal(2 * rows + columns, places)
    paint = (bright[..., None] * pictures).sum(axis=(1, 2)) / area[:, None]
    known = np.array(tuple(shapes_captions.COLOURS.values()))
    np.testing.assert_array_equal(((paint[:, None] - known) ** 2).sum(axis=-1).argmin(axis=1), colours)
    means = np.stack([bright[(shapes == shape) & (sizes == 1) & (places == 0)].mean(axis=0) for shape in range(5)])
    apart = np.abs(means[:, None] - means).sum(axis=(2, 3))
    assert apart[~np.eye(5, dtype=bool)].min() > 15  # pixels: five silhouettes


def test_sentences_say_all_that_the_label_says_and_nothing_else(test):
    for label in (0, 101, 239):
        values = [one.values[value] for one, value in zip(ATTRIBUTES, COMBINATIONS[label], strict=True)]
        said = sentences(label)
        assert len(set(said)) == 10
        for sentence in said:
            assert all(value in sentence for value in values[:3]), sentence
            assert any(word in sentence for word in shapes_captions.SIZES[values[3]]), sentence
            others = {value for one in ATTRIBUTES[:3] for value in one.values} - set(values)
            assert not any(f" {value}" in f" {sentence}" for value in others), sentence
    for place in PLACES:
        texts = [decoded(caption) for caption in test.captions[place]]
        assert len(set(texts)) == 4 and set(texts) <= set(sentences(test.labels[place]))
    assert max(len(sentence.encode()) for label in range(240) for sentence in sentences(label)) <= 64


def test_it_is_a_set_like_any_other(test):
    smaller = data.load("shapes_captions", "test", images=ImageOptions(size=16, channels=1, caption_length=64))
    assert smaller.image_shape == (16, 16, 1) and smaller.captions.shape == (2_000, 4, 64)
    batch = test.batch(PLACES, Captioned)
    assert batch.images.shape == (40, 32, 32, 3) and batch.captions.dtype == np.uint8
    assert "2,000 images of 32x32x3" in test.describe()
    assert test.fingerprint() == smaller.fingerprint()
    with pytest.raises(UserError, match="no split 'half'; there are: train, test, unseen, judge, all"):
        data.load("shapes_captions", "half")
