"""Arrays of NumPy in any form that its pickles take, without NumPy's own functions for them."""

import io
import pickle
import struct

import numpy as np
import pytest

from experiments.weights import pickles
from tests.experiments.weights import nvidia

ARRAYS = {
    "matrix": np.arange(6.0).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "big-endian": np.array([1, -2], ">i4"),
    "scalar": np.array(3.5, np.float32),
    "bools": np.array([True, False]),
    "empty": np.zeros((0, 3)),
}


def read(content, protocol):
    return pickles.plain(pickles.Reader(io.BytesIO(pickle.dumps(content, protocol)), {}).load())


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_back(name, protocol):
    found = read([ARRAYS[name]], protocol)[0]
    np.testing.assert_array_equal(found, ARRAYS[name])
    assert found.dtype == ARRAYS[name].dtype


@pytest.mark.parametrize("protocol", [3, 4])
def test_numbers_of_numpy_are_pythons(protocol):
    found = read({"a": np.float64(0.25), "b": np.int32(-3), "c": {np.int64(1)}}, protocol)
    assert found == {"a": 0.25, "b": -3, "c": {1}} and type(found["a"]) is float


@pytest.mark.parametrize("array", [np.array([{}]), np.array(["text"])], ids=["objects", "strings"])
def test_arrays_of_anything_but_numbers_are_refused(array):
    with pytest.raises(ValueError, match="is no number"):
        read(array, 4)


def test_arrays_of_an_unknown_order_of_bytes_are_refused():
    content = pickle.dumps(np.array([1, -2], ">i4"), 4)
    assert content.count(b"\x8c\x01>") == 1
    with pytest.raises(ValueError, match=r"of the order '\?' of bytes"):
        pickles.Reader(io.BytesIO(content.replace(b"\x8c\x01>", b"\x8c\x01?")), {}).load()


def test_arrays_whose_bytes_do_not_fit_their_shape_are_refused():
    content = pickle.dumps(np.arange(4, dtype=np.int8), 3)
    assert content.count(b"K\x04\x85") == 1
    with pytest.raises(ValueError, match="reshape"):
        pickles.Reader(io.BytesIO(content.replace(b"K\x04\x85", b"K\x05\x85")), {}).load()


def test_a_pickle_cannot_change_what_the_next_one_finds():
    """BUILD with a pair sets attributes of what it is given, here of what stands for NumPy's class of arrays."""
    program = b"cnumpy\nndarray\n(N}V__name__\nVchanged\nstb."
    assert pickles.Reader(io.BytesIO(program), {}).load().__name__ == "changed"
    assert pickles.Reader(io.BytesIO(b"cnumpy\nndarray\n."), {}).load().__name__ != "changed"
    with pytest.raises(pickles.FAULTS):
        pickles.Reader(io.BytesIO(b"cnumpy\ndtype\n(N}Vvalue\nI3\nstb."), {}).load()
    np.testing.assert_array_equal(read(ARRAYS["matrix"], 4), ARRAYS["matrix"])


def test_a_reader_admits_the_names_that_it_is_given_and_no_others():
    reader = pickles.Reader(io.BytesIO(b"cmine\nthing\n."), {("mine", "thing"): dict})
    assert reader.load() is dict
    with pytest.raises(pickles.RefusedError, match=r"it asks for mine\.thing\.more"):
        pickles.Reader(io.BytesIO(b"cmine\nthing.more\n."), {("mine", "thing"): dict}).load()
    with pytest.raises(ValueError, match="refers to a part outside of itself: elsewhere"):
        pickles.Reader(io.BytesIO(b"Pelsewhere\n."), {}).load()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file[:-1], "buffer size must be|ends within a storage"),
        (lambda file: file[:-4], "ends within a storage"),
        (lambda file: file.replace(b"\xe9\x03", b"\xe8\x03"), "a storage of an unknown form"),
        (lambda file: file.replace(struct.pack("<q", 3), struct.pack("<q", 2)), "does not fit its own description"),
    ],
)
def test_a_damaged_storage_is_refused(monkeypatch, change, said):
    nvidia.installed(monkeypatch)
    file = nvidia.storage_file(np.arange(3, dtype=np.float32))
    assert change(file) != file
    load = nvidia.FOUND["torch.storage", "_load_from_bytes"]
    with pytest.raises(ValueError, match=said):
        read(nvidia.Call(load, change(file)), 4)
    np.testing.assert_array_equal(read(nvidia.Call(load, file), 4), [0.0, 1.0, 2.0])
