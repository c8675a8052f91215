"""NVIDIA's StyleGAN 2 generators as variables of `jaxgen.gans.stylegan2`: names and layouts.

Of the form of StyleGAN 2 with ADA (arXiv 2006.06676) in PyTorch, with skips to the image. In a layer that doubles its
sides rows and columns of the kernel are reversed: their code convolves there, and correlates elsewhere.

The fixed noise of the authors' layers is left out: here all networks of one shape have the same. An image without noise
(`Drawing(noise=0.0)`) is theirs without noise.
"""

import math
import re

import numpy as np

from experiments.weights.generators import dense, in_float32, kernel, mapped
from experiments.weights.nvlabs import Network

CONSTANT = "synthesis.b4.const"

PASSED_OVER = ("resample_filter", "noise_const")
"""Buffers: the filter [1, 3, 3, 1] of all of them, and the fixed noise."""

LAYER = re.compile(r"synthesis\.b(\d+)\.(conv0|conv1|torgb)\.(.+)")


def generator(network: Network) -> dict[str, np.ndarray]:
    """The generator's variables by name, flat: `params/synthesis/constant`; the average of w is `averages/w`.

    ValueError for a network of another kind, and for an array that such a network does not have.
    """
    if network.kind != "Generator" or CONSTANT not in network.arrays:
        raise ValueError(f"the network is a {network.kind} of another form, not a generator of StyleGAN 2")
    found, arrays = mapped(network)
    found["params/synthesis/constant"] = np.moveaxis(arrays.pop(CONSTANT), 0, -1)
    for name, array in arrays.items():
        if name.rpartition(".")[2] in PASSED_OVER:
            continue
        match = LAYER.fullmatch(name)
        if match is None:
            raise ValueError(f"the network has {name!r}, which a generator of StyleGAN 2 with skips does not have")
        found |= _layer(int(match[1]), match[2], match[3], array)
    return in_float32(found)


def _layer(side: int, layer: str, name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    """One array of a convolution, or of the map to an image, at this side of the maps."""
    number = 2 * (round(math.log2(side)) - 2) - (layer == "conv0")
    place = f"params/synthesis/image_{side}" if layer == "torgb" else f"params/synthesis/StyledLayer_{number}"
    convolution = place if layer == "torgb" else f"{place}/ModulatedConv_0"
    match name:
        case "affine.weight" | "affine.bias":
            return dense(f"{convolution}/affine", name.partition(".")[2], array)
        case "weight":
            return {f"{convolution}/kernel": kernel(array)[::-1, ::-1] if layer == "conv0" else kernel(array)}
        case "bias" if layer == "torgb":
            return {f"params/synthesis/bias_{side}": array}
        case "bias" | "noise_strength":
            return {f"{place}/{name}": array}
    raise ValueError(f"the network has {name!r} in a layer, which StyleGAN 2 does not have")
