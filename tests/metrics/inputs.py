"""Inputs that NumPy makes from a seed, for golden values of other libraries: shared with `tests.metrics.golden`."""

import zlib

import numpy as np


def features(num=60, length=8, *, shift=0.0, scale=1.0, seed=0):
    """Correlated features, away from the origin, float64."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(length, length)) / length**0.5
    return (rng.normal(size=(num, length)) @ mixing + 3.0 + shift) * scale


def pairs():
    """Real and fake features that overlap in part."""
    return features(), features(50, shift=0.4, scale=1.1, seed=1)


def logits(num=64, classes=10):
    return np.random.default_rng(2).normal(0, 2, (num, classes))


def pixels(num=2, height=40, width=32, seed=3):
    """Smooth coloured images with some noise, uint8 NHWC."""
    rng = np.random.default_rng(seed)
    rows, columns = np.linspace(0, 6, height)[None, :, None, None], np.linspace(0, 6, width)[None, None, :, None]
    phases = rng.uniform(0, 6, (num, 1, 1, 3))
    smooth = 120 + 60 * np.sin(rows + phases) + 50 * np.cos(columns * phases / 3)
    return np.clip(smooth + rng.normal(0, 8, (num, height, width, 3)), 0, 255).round().astype(np.uint8)


def weights(shapes, seed=0):
    """Random tensors of a network by name, in PyTorch's layout: He's scale, batch statistics far from 0 and 1."""
    return {name: _tensor(name, shape, seed) for name, shape in shapes.items()}


def _tensor(name, shape, seed):
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    if name.endswith(("bn.weight", "running_var")):
        value = rng.uniform(0.5, 1.5, shape)
    elif len(shape) > 1:
        value = rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape)
    else:
        value = rng.normal(0, 0.1, shape)
    return value.astype(np.float32)


ALEXNET = {  # of torchvision: kernels and biases of the five convolutions
    "0": (64, 3, 11, 11),
    "3": (192, 64, 5, 5),
    "6": (384, 192, 3, 3),
    "8": (256, 384, 3, 3),
    "10": (256, 256, 3, 3),
}


def alexnet():
    """Weights of AlexNet's convolutions, and LPIPS's of their channels."""
    shapes = {f"{name}.weight": shape for name, shape in ALEXNET.items()}
    shapes |= {f"{name}.bias": shape[:1] for name, shape in ALEXNET.items()}
    channels = [np.random.default_rng(i).uniform(size=shape[0]) for i, shape in enumerate(ALEXNET.values())]
    return weights(shapes), [c.astype(np.float32) for c in channels]


def torch_shapes():
    """PyTorch's names and shapes of the tensors of the FID Inception, from those of Flax."""
    from experiments.evaluation import inception

    found = {}
    for path, shape in inception.shapes().items():
        _, *modules, leaf = path.split("/")
        if "bn" in modules:
            leaf = {value: key for key, value in inception.NAMES.items()}[leaf]
        elif leaf == "kernel":
            leaf, shape = "weight", (shape[3], shape[2], *shape[:2]) if len(shape) == 4 else shape[::-1]
        found[".".join([*modules, leaf])] = shape
    return found
