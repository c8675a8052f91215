import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data import changed, domains
from experiments.data.options import ImageOptions, StorageOptions
from experiments.data.rows import LazyRows
from jaxgen.batches import Coupled
from tests.experiments.pictures_on_disk import encoded, write_all


def test_an_inverted_image_and_the_image_are_white_together():
    plain, other = data.load("digits"), data.load("inverted:digits")
    assert (np.asarray(plain.images).astype(int) + other.images == 255).all()
    np.testing.assert_array_equal(other.labels, plain.labels)
    assert other.classes == plain.classes and other.name == "inverted:digits"


def test_edges_are_bright_beside_what_is_bright_and_black_inside_and_far_away():
    image = np.zeros((1, 6, 7, 1), np.uint8)
    image[0, 2:5, 2:5] = 200
    found = changed.edges(image)[0, :, :, 0]
    wanted = np.zeros((6, 7), np.uint8)
    wanted[1:6, 1:6] = 200
    wanted[2:5, 2:5] = 0
    np.testing.assert_array_equal(found, wanted)
    assert not changed.edges(np.full((1, 4, 4, 1), 90, np.uint8)).any()


def test_a_set_and_the_changed_one_are_two_domains_of_one_batch():
    both = data.load("unpaired:digits,edges:digits")
    batch = both.batch([0, 5], Coupled)
    np.testing.assert_array_equal(batch.b, changed.edges(batch.a))
    assert both.labels is not None and domains.names_of("digits,edges:digits") == ["digits", "edges:digits"]


def test_sets_that_are_changed_otherwise_are_others():
    found = [data.load(name).fingerprint() for name in ("digits", "inverted:digits", "edges:digits")]
    assert len({str(one) for one in found}) == 3


def test_pictures_that_are_read_as_they_are_needed_are_changed_then(tmp_path):
    write_all(tmp_path, {f"{place}.png": encoded(np.full((4, 4, 3), 50 * place, np.uint8)) for place in range(3)})
    name, split = f"folder:{tmp_path}", "all"
    options = ImageOptions(size=4), StorageOptions(host_bytes=0)
    plain, lazy = (data.load(one, split, None, *options).images for one in (name, f"inverted:{name}"))
    assert isinstance(lazy, LazyRows) and lazy.shape == plain.shape and len(lazy) == 3
    np.testing.assert_array_equal(lazy[np.arange(3)], 255 - plain[np.arange(3)])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("inverted:ring8", "inverted:ring8 needs images, but the set holds points"),
        ("edges:", "--data is empty"),
    ],
)
def test_what_has_no_images_is_refused(name, message):
    with pytest.raises(UserError, match=message):
        data.load(name)
