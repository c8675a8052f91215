"""Files of the authors' form come back as arrays by name, and nothing in a file is ever run."""

import os
import pathlib
import pickle
import sys

import numpy as np
import pytest

from experiments.weights import nvlabs
from tests.experiments.weights import nvidia

RANDOM = np.random.default_rng(0)
WEIGHT = RANDOM.normal(size=(3, 4)).astype(np.float32)
BIAS = np.arange(3.0, dtype=np.float32)
COUNT = np.array(7, np.int64)


@pytest.fixture(autouse=True)
def modules(monkeypatch):
    nvidia.installed(monkeypatch)


def generator(weight=None):
    mapping = nvidia.module(
        "MappingNetwork",
        buffers={"w_avg": nvidia.tensor(BIAS)},
        modules={"fc0": nvidia.module("Layer", {"weight": weight or nvidia.parameter(WEIGHT), "bias": None})},
        z_dim=4,
        cutoff=np.float64(2.5),
    )
    buffers = {"count": nvidia.tensor(COUNT), "half": nvidia.tensor(BIAS.astype(np.float16))}
    sizes = {"sizes": np.array([1.0, 2.0]), "nested": nvidia.EasyDict(blocks=[1, (2, None)])}
    return nvidia.module("Generator", {}, buffers, {"mapping": mapping}, (4,), channel_max=8, **sizes)


def written(tmp_path, content, protocol=4):
    path = tmp_path / "network.pkl"
    path.write_bytes(pickle.dumps(content, protocol))
    return path


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_parameters_buffers_and_arguments_come_back_by_name(tmp_path, protocol):
    content = {"G_ema": generator(), "D": None, "training_set_kwargs": nvidia.EasyDict(path="data.zip")}
    found = nvlabs.read(written(tmp_path, content, protocol))
    assert list(found) == ["G_ema"]
    network = found["G_ema"]
    assert network.kind == "Generator" and network.arguments == (4,)
    assert set(network.arrays) == {"count", "half", "mapping.w_avg", "mapping.fc0.weight"}
    for name, wanted in (("mapping.fc0.weight", WEIGHT), ("mapping.w_avg", BIAS), ("count", COUNT)):
        np.testing.assert_array_equal(network.arrays[name], wanted)
        assert network.arrays[name].dtype == wanted.dtype
    assert network.arrays["half"].dtype == np.float16
    assert network.keywords["channel_max"] == 8 and network.keywords["nested"] == {"blocks": [1, (2, None)]}
    np.testing.assert_array_equal(network.keywords["sizes"], [1.0, 2.0])


def test_tensors_are_windows_of_their_storage(tmp_path):
    """A transposed view that begins at 2 of a storage of 14."""
    storage = nvidia.Storage(np.arange(14, dtype=np.float32))
    view = nvidia.tensor(np.zeros((4, 3), np.float32), storage, offset=2, stride=(1, 4))
    found = nvlabs.read(written(tmp_path, {"G": generator(view)}))["G"].arrays["mapping.fc0.weight"]
    np.testing.assert_array_equal(found, np.arange(2.0, 14.0).reshape(3, 4).T)
    found += 1.0  # in memory of its own


@pytest.mark.parametrize(
    ("size", "offset", "stride"), [((4, 4), 0, (4, 1)), ((3, 4), 1, (4, 1)), ((2,), -1, (1,)), ((9, 9), 0, (0, 0))]
)
def test_windows_beyond_a_storage_are_refused(tmp_path, size, offset, stride):
    storage = nvidia.Storage(np.zeros(12, np.float32))
    view = nvidia.tensor(np.zeros(size, np.float32), storage, offset, stride)
    with pytest.raises(ValueError, match=r"a tensor (that is larger than its storage|of an impossible shape)"):
        nvlabs.read(written(tmp_path, {"G": generator(view)}))


EVIL = {
    "os.system": lambda command: nvidia.Call(os.system, command),
    "eval": lambda command: nvidia.Call(eval, f"__import__('os').system({command!r})"),
    "exec": lambda command: nvidia.Call(exec, f"import os; os.system({command!r})"),
    "getattr": lambda command: nvidia.Call(getattr, nvidia.Call(__import__, "os"), "system"),
    "mkdir": lambda command: nvidia.Call(os.mkdir, command.removeprefix("touch ")),
}


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_calls_anything_else_is_refused_before_it_runs(tmp_path, name, protocol):
    mark = tmp_path / "it_ran"
    path = written(tmp_path, {"G": EVIL[name](f"touch {mark}")}, protocol)
    with pytest.raises(
        ValueError, match=r"it asks for \w+\.\w+, which no file of weights needs; nothing in it was run"
    ):
        nvlabs.read(path)
    assert not mark.exists()
    pickle.loads(path.read_bytes())  # the same file does run where nothing is refused
    assert mark.exists() or name == "getattr"


@pytest.mark.parametrize("place", ["a parameter", "a storage", "the meta"])
def test_what_is_hidden_deeper_is_refused_too(tmp_path, place):
    mark = tmp_path / "it_ran"
    evil = nvidia.Call(os.system, f"touch {mark}")
    hidden = {
        "a parameter": generator(evil),
        "a storage": generator(
            nvidia.Call(
                nvidia.FOUND["torch._utils", "_rebuild_tensor_v2"],
                *(nvidia.Call(nvidia.FOUND["torch.storage", "_load_from_bytes"], pickle.dumps(evil)), 0, (1,), (1,)),
            )
        ),
        "the meta": nvidia.Call(nvidia.FOUND["torch_utils.persistence", "_reconstruct_persistent_obj"], evil),
    }
    with pytest.raises(ValueError, match=r"it asks for \w+\.system"):
        nvlabs.read(written(tmp_path, {"G": hidden[place]}))
    assert not mark.exists()


def test_the_source_of_the_classes_is_never_run_and_no_module_is_imported(tmp_path):
    """Its source would end the program, and the name of a module that is not there yet is not looked for."""
    path = written(tmp_path, {"G": generator()})
    before = set(sys.modules)
    nvlabs.read(path)
    assert set(sys.modules) == before
    program = b"cthis_module_is_nowhere\nfunction\n."
    (tmp_path / "other.pkl").write_bytes(program)
    with pytest.raises(ValueError, match=r"it asks for this_module_is_nowhere\.function"):
        nvlabs.read(tmp_path / "other.pkl")


@pytest.mark.parametrize("seed", range(8))
def test_damaged_files_raise_one_sentence_and_nothing_else(tmp_path, seed, monkeypatch):
    """Random bytes replaced, and the file cut, fifty times; a few may still be read."""
    whole = written(tmp_path, {"G": generator()}, protocol=3 + seed % 2).read_bytes()
    random, refused = np.random.default_rng(seed), []
    monkeypatch.setattr(os, "system", lambda *_: pytest.fail("it ran"))
    for _ in range(50):
        content = bytearray(whole[: random.integers(1, len(whole) + 1)] if random.random() < 0.3 else whole)
        for place in random.integers(0, len(content), random.integers(1, 4)):
            content[place] = random.integers(0, 256)
        path = tmp_path / "damaged.pkl"
        path.write_bytes(content)
        try:
            nvlabs.read(path)
        except ValueError as error:
            refused.append(str(error))
    assert len(refused) >= 5
    assert all(each.startswith(f"{path} cannot be read as the networks of a .pkl file") for each in refused)


def test_persistent_objects_of_another_kind_are_refused(tmp_path):
    meta = {"type": "function", "class_name": "G", "state": {}}
    function = nvidia.Call(nvidia.FOUND["torch_utils.persistence", "_reconstruct_persistent_obj"], meta)
    with pytest.raises(ValueError, match="it holds an object of the kind 'function', not a class"):
        nvlabs.read(written(tmp_path, {"G": function}))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1, 2], "it holds no dict of networks"),
        ({"G": 3}, "it holds none"),
        ({}, "it holds none"),
    ],
)
def test_other_contents_are_said(tmp_path, content, said):
    with pytest.raises(ValueError, match=said):
        nvlabs.read(written(tmp_path, content))


def test_tensorflows_files_and_missing_ones_are_said(tmp_path):
    (tmp_path / "old.pkl").write_bytes(b"cdnnlib.tflib.network\nNetwork\n.")
    with pytest.raises(ValueError, match=r"asks for dnnlib\.tflib\.network\.Network"):
        nvlabs.read(tmp_path / "old.pkl")
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        nvlabs.read(pathlib.Path(tmp_path / "none.pkl"))


def test_a_module_that_holds_itself_is_refused(tmp_path):
    """A pickle can say that; its names would have no end."""
    program = (
        b"}p0\n0"  # its modules, none so far
        b"}(Vtype\nVclass\nVclass_name\nVG\nVstate\n}V_modules\ng0\nsup1\n0"
        b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n(g1\ntRp2\n0"
        b"g0\nVagain\ng2\ns0}VG\ng2\ns."
    )
    (tmp_path / "circle.pkl").write_bytes(program)
    with pytest.raises(ValueError, match=r"cannot be read as the networks of a \.pkl file: maximum recursion"):
        nvlabs.read(tmp_path / "circle.pkl")
