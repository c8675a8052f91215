"""VGG-19's published names under ours, and how a run is given them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.command_line.errors import UserError
from experiments.runs import pretrained
from experiments.weights import tensors, vgg
from jaxgen.nets.vgg19 import VGG19
from jaxgen.train_state import freeze

PLACES = (0, 2, 5, 7, 10)
"""Of convolutions among VGG-19's layers: two, pooling, two, pooling, ..."""


def published(channels=2):
    rng, widths = np.random.default_rng(0), (3, channels, channels, 2 * channels, 2 * channels, 4 * channels)
    found = {"classifier.0.weight": rng.normal(size=(4, 4)).astype(np.float32)}
    for number, place in reversed(list(enumerate(PLACES))):
        shape = (widths[number + 1], widths[number], 3, 3)
        found[f"features.{place}.weight"] = rng.normal(size=shape).astype(np.float32)
        found[f"features.{place}.bias"] = rng.normal(size=shape[:1]).astype(np.float32)
    return found


@pytest.fixture
def part():
    return freeze(VGG19(2, 2, channels=2), "features", jax.random.key(0), jnp.zeros((1, 8, 8, 3)))


def test_the_kth_convolution_of_the_file_is_the_kth_of_the_network():
    arrays = published()
    found = vgg.variables(arrays)
    for number, place in enumerate(PLACES):
        kernel = arrays[f"features.{place}.weight"]
        for out, given in np.ndindex(*kernel.shape[:2]):
            np.testing.assert_array_equal(found[f"params/Conv_{number}/kernel"][:, :, given, out], kernel[out, given])
        np.testing.assert_array_equal(found[f"params/Conv_{number}/bias"], arrays[f"features.{place}.bias"])
    assert len(found) == 2 * len(PLACES)


def test_a_run_reads_them_from_safetensors_by_the_published_names(tmp_path, part):
    path = tmp_path / "vgg.safetensors"
    tensors.save(path, published(), {})
    read = pretrained.read(str(path), part)
    np.testing.assert_array_equal(read["params"]["Conv_3"]["bias"], published()["features.7.bias"])
    assert read["params"].keys() == part.variables["params"].keys()


def test_a_run_reads_them_from_a_file_of_torch(monkeypatch, part):
    monkeypatch.setattr("experiments.weights.torch_files.load", lambda path: published())
    read = pretrained.read("vgg19.pth", part)
    np.testing.assert_array_equal(read["params"]["Conv_3"]["bias"], published()["features.7.bias"])
    monkeypatch.setattr("experiments.weights.torch_files.load", lambda path: published(3))
    with pytest.raises(UserError, match=r"vgg19\.pth has 'params/Conv_0/.*' of shape"):
        pretrained.read("vgg19.pth", part)
    monkeypatch.setattr("experiments.weights.torch_files.load", lambda path: {"a": np.zeros(1)})
    with pytest.raises(UserError, match=r"vgg19\.pth cannot be used: it has no convolutions by the names features\.0"):
        pretrained.read("vgg19.pth", part)
    monkeypatch.undo()
    with pytest.raises(UserError, match=r"vgg19\.pth cannot be read: No such file"):
        pretrained.read("vgg19.pth", part)
