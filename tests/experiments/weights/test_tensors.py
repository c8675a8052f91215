"""Arrays by name in a file: written, read, and held against a model's."""

import numpy as np
import pytest

from experiments.command_line.errors import UserError
from experiments.weights import tensors

ARRAYS = {
    "generator/step": np.array(3, np.int32),
    "generator/params/Dense_0/kernel": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "generator/collections/batch_stats/Norm_0/mean": np.ones(2, np.float16),
    "coders/params/encoder/Dense_0/bias": np.zeros(1, np.float32),
    "coders/params/decoder/Dense_0/bias": np.ones(1, np.float32),
    "coders/collections/batch_stats/decoder/mean": np.full(1, 2.0, np.float32),
    "ema/params/params_of_mine/bias": np.zeros(4, np.float32),
}


def test_what_is_written_is_read(tmp_path):
    tensors.save(tmp_path / "a.safetensors", ARRAYS, {"run": "a1"})
    found, about = tensors.load(tmp_path / "a.safetensors")
    assert about == {"run": "a1"} and set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


@pytest.mark.parametrize("content", [None, b"", b"\x00" * 20, b"\xff" * 8], ids=["missing", "empty", "zeros", "long"])
def test_a_file_that_is_none_is_said(tmp_path, content):
    if content is not None:
        (tmp_path / "a").write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read as safetensors"):
        tensors.load(tmp_path / "a")


def test_networks_are_found_by_their_params_and_parts_by_their_names():
    found = tensors.players(ARRAYS)
    assert {name for name in found if "/" not in name} == {"generator", "coders", "ema"}
    assert set(found["generator"]) == {"params/Dense_0/kernel", "batch_stats/Norm_0/mean"}
    assert set(found["coders/decoder"]) == {"params/Dense_0/bias", "batch_stats/mean"}
    assert found["coders/decoder"]["params/Dense_0/bias"] == 1.0
    assert found["coders/encoder"] == {"params/Dense_0/bias": ARRAYS["coders/params/encoder/Dense_0/bias"]}
    assert set(found["ema"]) == {"params/params_of_mine/bias"}


def test_a_file_of_one_network_needs_no_name():
    found = tensors.players({"params/Dense_0/kernel": 1, "batch_stats/Norm_0/mean": 2})
    assert found[""] == {"params/Dense_0/kernel": 1, "batch_stats/Norm_0/mean": 2}
    assert tensors.players({"weights": 3}) == {}


def test_differences_are_named_shapes_first_and_three_at_most():
    here = {"a": np.zeros(2), "b": np.zeros(3), "c": np.zeros(1, np.float32)}
    assert tensors.difference(here, here) is None
    assert tensors.difference({**here, "d": np.zeros(1)}, here) == "d is not in the model"
    assert tensors.difference({"a": here["a"], "c": here["c"]}, here) == "b is missing"
    there = {"a": np.zeros(3), "c": np.zeros(1), "d": np.zeros(1)}
    said = tensors.difference(there, here)
    assert said is not None
    assert said.startswith("a is float64[3] there and float64[2] in the model; c is float64[1] there and float32[1] in")
    assert said.endswith("; b is missing; and 1 more")


def test_without_the_package_it_says_what_to_install(monkeypatch):
    tensors.require_package("reading a file")
    monkeypatch.setattr(tensors.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"reading a file needs safetensors: pip install -e '\.\[export\]'"):
        tensors.require_package("reading a file")
