"""Conversion of the FID Inception's weights: from PyTorch's names to a file of our own, and back."""

import builtins
import pathlib

import jax
import numpy as np
import pytest

from experiments import inception as command
from experiments.command_line.errors import UserError
from experiments.evaluation import inception
from tests.metrics import inputs


@pytest.fixture(scope="module")
def state_dict():
    return inputs.weights(inputs.torch_shapes())


@pytest.mark.exhaustive
def test_weights_are_the_same_after_a_file(state_dict, tmp_path):
    variables = inception.from_state_dict(state_dict)
    inception.save(tmp_path / "weights.npz", variables)
    loaded = inception.load(tmp_path / "weights.npz")
    assert jax.tree.structure(loaded) == jax.tree.structure(variables)
    jax.tree.map(np.testing.assert_array_equal, loaded, variables)


def test_kernels_are_turned_from_outputs_first_to_outputs_last(state_dict):
    variables = inception.from_state_dict(state_dict)
    row = variables["params"]["Mixed_6b"]["branch7x7_2"]["conv"]["kernel"]
    assert state_dict["Mixed_6b.branch7x7_2.conv.weight"].shape == (128, 128, 1, 7)
    assert row.shape == (1, 7, 128, 128)
    assert row[0, 5, 3, 4] == state_dict["Mixed_6b.branch7x7_2.conv.weight"][4, 3, 0, 5]
    assert state_dict["Mixed_7b.branch3x3_2a.conv.weight"].shape == (384, 384, 1, 3)
    np.testing.assert_array_equal(variables["params"]["fc"]["kernel"], state_dict["fc.weight"].T)


def test_counters_of_batches_are_left_out(state_dict):
    counters = {
        name.replace("running_var", "num_batches_tracked"): np.zeros((), np.int64)
        for name in state_dict
        if name.endswith("running_var")
    }
    assert len(state_dict | counters) == 566
    with_counters = inception.from_state_dict(state_dict | counters)
    assert jax.tree.structure(with_counters) == jax.tree.structure(inception.from_state_dict(state_dict))


def test_other_weights_are_refused_by_name(state_dict):
    without = {name: tensor for name, tensor in state_dict.items() if name != "fc.bias"}
    with pytest.raises(UserError, match="1 arrays are missing, such as params/fc/bias"):
        inception.from_state_dict(without)
    with pytest.raises(UserError, match="1 arrays are unknown, such as params/AuxLogits/kernel"):
        inception.from_state_dict(state_dict | {"AuxLogits.weight": np.zeros((2, 2))})
    with pytest.raises(UserError, match=r"params/fc/bias has shape \(1000,\), but must be \(1008,\)"):
        inception.from_state_dict(state_dict | {"fc.bias": np.zeros(1000)})


def test_missing_files_are_named(tmp_path):
    with pytest.raises(UserError, match=r"no\.npz is no file: make it with python -m experiments.inception"):
        inception.load(tmp_path / "no.npz")


def test_conversion_without_torch_says_how_to_get_it(monkeypatch):
    imported = builtins.__import__

    def without_torch(name, *args, **kwargs):
        if name == "torch":
            raise ImportError(name)
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_torch)
    with pytest.raises(UserError, match="needs PyTorch, once: pip install torch"):
        inception.read_torch(pathlib.Path("weights.pth"))


def test_command_converts_what_torch_reads(state_dict, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(inception, "read_torch", lambda path: state_dict)
    assert command.main([str(tmp_path / "weights.pth"), str(tmp_path / "weights.npz")]) == 0
    assert "472 tensors of" in capsys.readouterr().out
    assert inception.load(tmp_path / "weights.npz")["params"]["fc"]["bias"].shape == (1008,)
