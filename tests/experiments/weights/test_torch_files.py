"""Files of torch.save in both forms, assembled here byte by byte: read, and refused where they hold more."""

import io
import os
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from experiments.weights import pickles, torch_files

TENSORS = {
    "features.0.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "features.0.bias": np.array([1.5, -2.0], np.float32),
    "halves": np.array([0.5, 2.0, -1.0], np.float16),
    "count": np.array(7, np.int64),
}
KINDS = {"f4": "FloatStorage", "f2": "HalfStorage", "i8": "LongStorage"}


class Storage:
    """What a pickle refers to by its persistent number."""

    def __init__(self, key, array):
        self.key, self.array = key, array


class Tensor:
    def __init__(self, storage):
        self.storage = storage


class Pickler(pickle.Pickler):
    """Writes the names of PyTorch where there is no PyTorch."""

    extra = (None,)

    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            kind = getattr(sys.modules["torch"], KINDS[obj.array.dtype.str[1:]])
            return ("storage", kind, obj.key, "cpu", obj.array.size, *self.extra)
        return None

    def reducer_override(self, obj):
        if isinstance(obj, Tensor):
            array = obj.storage.array
            strides = tuple(step // array.itemsize for step in array.strides)
            rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
            return rebuild, (obj.storage, 0, array.shape, strides, False, OrderedDict())
        return NotImplemented


class ZipPickler(Pickler):
    extra = ()


@pytest.fixture
def names(monkeypatch):
    """Stand-ins for PyTorch's names, which a pickle holds as text."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2():
        pass

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    for name in KINDS.values():
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def content_of(tensors):
    """A dict of tensors with an attribute, as `state_dict` gives it; and its storages."""
    storages = [Storage(str(number), array) for number, array in enumerate(tensors.values())]
    found = OrderedDict(zip(tensors, map(Tensor, storages), strict=True))
    found._metadata = OrderedDict(version=1)
    return found, storages


def pickled(pickler, content):
    file = io.BytesIO()
    pickler(file, 2).dump(content)
    return file.getvalue()


def zipped(path, content, storages, order=b"little"):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vgg/data.pkl", pickled(ZipPickler, content))
        archive.writestr("vgg/byteorder", order)
        for storage in storages:
            archive.writestr(f"vgg/data/{storage.key}", storage.array.tobytes())
        archive.writestr("vgg/version", "3\n")


def in_a_row(path, content, storages, magic=pickles.MAGIC):
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    parts = [pickle.dumps(one, 2) for one in (magic, 1001, system)]
    parts += [pickled(Pickler, content), pickle.dumps([storage.key for storage in storages], 2)]
    for storage in storages:
        parts += [struct.pack("<q", storage.array.size), storage.array.tobytes()]
    path.write_bytes(b"".join(parts))


FORMS = [zipped, in_a_row]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("inside", [False, True])
def test_tensors_come_back_by_name(names, tmp_path, form, inside):
    content, storages = content_of(TENSORS)
    form(tmp_path / "a.pth", {"state_dict": content, "epoch": 3} if inside else content, storages)
    found = torch_files.load(tmp_path / "a.pth")
    assert found.keys() == TENSORS.keys()
    for name, array in TENSORS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_asks_for_more_than_tensors_is_refused_and_nothing_in_it_runs(names, tmp_path, form):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    form(tmp_path / "a.pth", {"a": Evil()}, [])
    with pytest.raises(ValueError, match=r"it asks for (posix|nt)\.mkdir, which no file of weights needs; nothing in"):
        torch_files.load(tmp_path / "a.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("form", FORMS)
def test_contents_that_are_no_tensors_by_name_are_refused(names, tmp_path, form):
    for content in ({"a": 3}, [1, 2]):
        form(tmp_path / "a.pth", content, [])
        with pytest.raises(ValueError, match="it holds something else than tensors by name"):
            torch_files.load(tmp_path / "a.pth")


@pytest.mark.parametrize("form", FORMS)
def test_files_that_are_cut_short_missing_or_of_another_form_are_refused(names, tmp_path, form):
    path = tmp_path / "a.pth"
    form(path, *content_of(TENSORS))
    content = path.read_bytes()
    for end in (0, 10, len(content) // 2, len(content) - 9):
        path.write_bytes(content[:end])
        with pytest.raises(ValueError, match=r"a\.pth cannot be read as tensors of torch\.save"):
            torch_files.load(path)
    with pytest.raises(ValueError, match=r"b\.pth cannot be read: No such file"):
        torch_files.load(tmp_path / "b.pth")


def test_numbers_of_another_order_and_other_magic_are_refused(names, tmp_path):
    zipped(tmp_path / "a.pth", *content_of(TENSORS), order=b"big")
    with pytest.raises(ValueError, match="in an unknown order of bytes"):
        torch_files.load(tmp_path / "a.pth")
    in_a_row(tmp_path / "a.pth", *content_of(TENSORS), magic=3)
    with pytest.raises(ValueError, match="storages of an unknown form"):
        torch_files.load(tmp_path / "a.pth")
