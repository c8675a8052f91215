"""NVIDIA's StyleGAN 2 generators as variables of `jaxgen.gans.stylegan2`: names and layouts.

Of the form of StyleGAN 2 with ADA (arXiv 2006.06676) in PyTorch, with skips to the image. A dense weight (outputs,
inputs) is transposed, and a convolution's (outputs, inputs, rows, columns) becomes (rows, columns, inputs, outputs). In
a layer that doubles its sides rows and columns are reversed: their code convolves there, and correlates elsewhere.

The fixed noise of the authors' layers is left out: here all networks of one shape have the same. An image without noise
(`Drawing(noise=0.0)`) is theirs without noise.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from experiments.runs import variables as stored
from experiments.weights import tensors
from experiments.weights.nvlabs import Network

CONSTANT, AVERAGE = "synthesis.b4.const", "mapping.w_avg"

PASSED_OVER = ("resample_filter", "noise_const")
"""Buffers: the filter [1, 3, 3, 1] of all of them, and the fixed noise."""

LAYER = re.compile(r"synthesis\.b(\d+)\.(conv0|conv1|torgb)\.(.+)")
DENSE = re.compile(r"mapping\.(fc(\d+)|embed)\.(weight|bias)")


def generator(network: Network) -> dict[str, np.ndarray]:
    """The generator's variables by name, flat: `params/synthesis/constant`; the average of w is `averages/w`.

    ValueError for a network of another kind, and for an array that such a network does not have.
    """
    if network.kind != "Generator" or CONSTANT not in network.arrays or AVERAGE not in network.arrays:
        raise ValueError(f"the network is a {network.kind} of another form, not a generator of StyleGAN 2")
    found = {"params/synthesis/constant": np.moveaxis(network.arrays[CONSTANT], 0, -1)}
    found["averages/w"] = network.arrays[AVERAGE]
    mapping = "params/mapping/net" if "mapping.embed.weight" in network.arrays else "params/mapping"
    for name, array in network.arrays.items():
        if name in (CONSTANT, AVERAGE) or name.rpartition(".")[2] in PASSED_OVER:
            continue
        if match := DENSE.fullmatch(name):
            layer = "embed" if match[2] is None else f"EqualizedDense_{match[2]}"
            found |= _dense(f"{mapping}/{layer}", match[3], array)
        elif match := LAYER.fullmatch(name):
            found |= _layer(int(match[1]), match[2], match[3], array)
        else:
            raise ValueError(f"the network has {name!r}, which a generator of StyleGAN 2 with skips does not have")
    return {name: np.array(array, np.float32, order="C") for name, array in found.items()}


def fitted(found: Mapping[str, np.ndarray], like: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of `generator` as a model nests them.

    Args:
        found: by name.
        like: the variables of the model's own generator. What else training averages is taken from there.

    Raises:
        ValueError: for arrays that are missing, that the model does not have, or of another shape or type.
    """
    own = stored.flat(like)
    others = {name: array for name, array in own.items() if name.startswith("averages/") and name not in found}
    wrong = tensors.difference({**others, **found}, own)
    if wrong:
        raise ValueError(f"the network does not fit the model's settings: {wrong}")
    return stored.nested({name: jnp.asarray(array) for name, array in {**others, **found}.items()})


def _dense(place: str, name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    return {f"{place}/kernel": array.T} if name == "weight" else {f"{place}/bias": array}


def _layer(side: int, layer: str, name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    """One array of a convolution, or of the map to an image, at this side of the maps."""
    number = 2 * (round(math.log2(side)) - 2) - (layer == "conv0")
    place = f"params/synthesis/image_{side}" if layer == "torgb" else f"params/synthesis/StyledLayer_{number}"
    convolution = place if layer == "torgb" else f"{place}/ModulatedConv_0"
    match name:
        case "affine.weight" | "affine.bias":
            return _dense(f"{convolution}/affine", name.partition(".")[2], array)
        case "weight":
            kernel = np.transpose(array, (2, 3, 1, 0))
            return {f"{convolution}/kernel": kernel[::-1, ::-1] if layer == "conv0" else kernel}
        case "bias" if layer == "torgb":
            return {f"params/synthesis/bias_{side}": array}
        case "bias" | "noise_strength":
            return {f"{place}/{name}": array}
    raise ValueError(f"the network has {name!r} in a layer, which StyleGAN 2 does not have")
