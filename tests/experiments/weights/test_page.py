"""The examples of docs/weights.md run."""

import pathlib
import pickle
import types

import jax
import numpy as np

from experiments.runs import variables
from experiments.weights import stylegan2, tensors
from tests import pages
from tests.experiments.weights import nvidia, test_stylegan2

ROOT = pathlib.Path(__file__).parents[3]
BLOCKS = pages.blocks((ROOT / "docs" / "weights.md").read_text(encoding="utf-8"), "python")


def test_every_block_of_the_page_runs(tmp_path, monkeypatch):
    nvidia.installed(monkeypatch)
    monkeypatch.chdir(tmp_path)
    network = test_stylegan2.theirs()
    parameters = {name: nvidia.parameter(array) for name, array in network.arrays.items()}
    content = {"G_ema": nvidia.module("Generator", parameters, z_dim=512)}
    pathlib.Path("network.pkl").write_bytes(pickle.dumps(content))
    ours = stylegan2.generator(network)
    names = {"state": types.SimpleNamespace(ema=variables.nested(jax.tree.map(np.zeros_like, ours)))}
    assert len(BLOCKS) == 3
    for block in BLOCKS:
        exec(compile(block, "docs/weights.md", "exec"), names)
    np.testing.assert_array_equal(names["weight"], network.arrays["synthesis.b4.conv1.weight"])
    jax.tree.map(np.testing.assert_array_equal, variables.flat(names["variables"]), ours)
    arrays, about = tensors.load(pathlib.Path("teacher.safetensors"))
    assert set(arrays) == set(ours) and about == {"made": "by hand"}
