"""The examples of docs/weights.md run."""

import pathlib
import pickle
import types

import numpy as np

from experiments.weights import tensors
from tests import pages
from tests.experiments.weights import nvidia

ROOT = pathlib.Path(__file__).parents[3]
BLOCKS = pages.blocks((ROOT / "docs" / "weights.md").read_text(encoding="utf-8"), "python")


def test_every_block_of_the_page_runs(tmp_path, monkeypatch):
    nvidia.installed(monkeypatch)
    monkeypatch.chdir(tmp_path)
    weight = np.ones((2, 3), np.float32)
    network = nvidia.module("Generator", {"synthesis.b4.conv1.weight": nvidia.parameter(weight)}, z_dim=512)
    pathlib.Path("network.pkl").write_bytes(pickle.dumps({"G_ema": network}))
    names = {"state": types.SimpleNamespace(ema={"params": {"Dense_0": {"kernel": weight}}})}
    assert len(BLOCKS) == 2
    for block in BLOCKS:
        exec(compile(block, "docs/weights.md", "exec"), names)
    np.testing.assert_array_equal(names["weight"], weight)
    arrays, about = tensors.load(pathlib.Path("teacher.safetensors"))
    assert list(arrays) == ["params/Dense_0/kernel"] and about == {"made": "by hand"}
