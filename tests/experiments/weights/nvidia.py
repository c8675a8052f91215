"""Files of the form of NVIDIA's, made without PyTorch: modules of the names that a pickle of theirs asks for.

Facts of the form, from the authors' `torch_utils/persistence.py` and PyTorch's `torch.storage` and `torch._utils`: a
module is `_reconstruct_persistent_obj(meta)`, its tensors are `_rebuild_tensor_v2(storage, offset, size, stride, ...)`,
parameters `_rebuild_parameter(tensor, ...)`, and a storage is `_load_from_bytes(file of torch.save)`.
"""

import collections
import io
import pickle
import struct
import sys
import types

import numpy as np


def stand_in(module, name):
    """A function, or class, that pickles as that name."""

    def function(*_):
        raise AssertionError("nothing is called while a file is written")

    function.__module__, function.__qualname__, function.__name__ = module, name, name
    return function


NAMES = [
    *[("torch", name) for name in ("FloatStorage", "LongStorage", "HalfStorage")],
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch.storage", "_load_from_bytes"),
    ("torch_utils.persistence", "_reconstruct_persistent_obj"),
]

FOUND = {name: stand_in(*name) for name in NAMES}


class EasyDict(dict):
    """As `dnnlib.util.EasyDict`."""


EasyDict.__module__, EasyDict.__qualname__ = "dnnlib.util", "EasyDict"


def installed(monkeypatch):
    """The modules, for as long as a test runs."""
    for (module, name), function in {**FOUND, ("dnnlib.util", "EasyDict"): EasyDict}.items():
        for parent in (module.partition(".")[0], module):
            if parent not in sys.modules:
                monkeypatch.setitem(sys.modules, parent, types.ModuleType(parent))
        setattr(sys.modules[module], name, function)


class Call:
    """What pickles as a call of one of the names, or of anything."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


class Storage:
    """A storage within its own file."""

    def __init__(self, array):
        self.array = array

    def __reduce__(self):
        return FOUND["torch.storage", "_load_from_bytes"], (storage_file(self.array),)


def storage_file(array, num=None):
    """The bytes of `torch.save` of a storage, before the zip files."""
    kinds = {"f4": "FloatStorage", "i8": "LongStorage", "f2": "HalfStorage"}
    kind = FOUND["torch", kinds[array.dtype.str[1:]]]
    num, file = array.size if num is None else num, io.BytesIO()

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return ("storage", kind, "94", "cuda:0", num, None) if obj is array else None

    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    for each in (0x1950A86A20F9469CFC6C, 1001, system):
        pickle.dump(each, file, protocol=2)
    Pickler(file, protocol=2).dump(array)
    pickle.dump(["94"], file, protocol=2)
    file.write(struct.pack("<q", num) + array.tobytes())
    return file.getvalue()


def tensor(array, storage=None, offset=0, stride=None):
    """A tensor, of a storage of its own or a window of another."""
    storage = Storage(array.ravel()) if storage is None else storage
    stride = tuple(step // array.itemsize for step in array.strides) if stride is None else stride
    rebuild = FOUND["torch._utils", "_rebuild_tensor_v2"]
    return Call(rebuild, storage, offset, array.shape, stride, False, collections.OrderedDict())


def parameter(array):
    return Call(FOUND["torch._utils", "_rebuild_parameter"], tensor(array), True, collections.OrderedDict())


def module(kind, parameters=(), buffers=(), modules=(), arguments=(), **keywords):
    """A module of the authors' decorator."""
    state = {
        "training": False,
        "_parameters": collections.OrderedDict(parameters),
        "_buffers": collections.OrderedDict(buffers),
        "_non_persistent_buffers_set": set(),
        "_backward_hooks": collections.OrderedDict(),
        "_modules": collections.OrderedDict(modules),
        "in_size": np.broadcast_to(np.asarray(36), [2]).copy(),
        "_init_args": arguments,
        "_init_kwargs": EasyDict(keywords),
    }
    meta = {"type": "class", "version": 6, "module_src": "raise SystemExit('the source ran')", "class_name": kind}
    return Call(FOUND["torch_utils.persistence", "_reconstruct_persistent_obj"], {**meta, "state": state})
