"""NVIDIA's StyleGAN 3 generators as variables of `jaxgen.gans.stylegan3`: names and layouts.

Of the authors' PyTorch (arXiv 2106.12423), configurations T and R. Filters are made from the settings here, so that
those of the file are left out, and so is the transformation that a user may set.
"""

import re

import numpy as np

from experiments.weights.generators import dense, in_float32, kernel, mapped
from experiments.weights.nvlabs import Network

INPUT = {
    "weight": "params/synthesis/waves/kernel",
    "affine.weight": "params/synthesis/waves/affine_kernel",
    "affine.bias": "params/synthesis/waves/affine_bias",
    "freqs": "waves/synthesis/waves/frequencies",
    "phases": "waves/synthesis/waves/phases",
}
"""Of the first map."""

PASSED_OVER = ("up_filter", "down_filter", "transform")

LAYER = re.compile(r"synthesis\.L(\d+)_\d+_\d+\.(.+)")


def generator(network: Network) -> dict[str, np.ndarray]:
    """The generator's variables by name, flat: `params/synthesis/layer0/kernel`; the average of w is `averages/w`.

    ValueError for a network of another kind, and for an array that such a network does not have.
    """
    if network.kind != "Generator" or "synthesis.input.freqs" not in network.arrays:
        raise ValueError(f"the network is a {network.kind} of another form, not a generator of StyleGAN 3")
    found, arrays = mapped(network)
    last = max((int(match[1]) for match in map(LAYER.fullmatch, arrays) if match), default=0)
    for name, array in arrays.items():
        if name.rpartition(".")[2] in PASSED_OVER:
            continue
        match, of_input = LAYER.fullmatch(name), INPUT.get(name.removeprefix("synthesis.input."))
        if match is not None:
            layer = "to_rgb" if int(match[1]) == last else f"layer{match[1]}"
            found |= _layer(layer, match[2], array)
        elif of_input is not None:
            found[of_input] = array.T if of_input.endswith("kernel") else array
        else:
            raise ValueError(f"the network has {name!r}, which a generator of StyleGAN 3 does not have")
    return in_float32(found)


def _layer(layer: str, name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    place = f"params/synthesis/{layer}"
    match name:
        case "affine.weight" | "affine.bias":
            return dense(f"{place}/affine", name.partition(".")[2], array)
        case "weight":
            return {f"{place}/kernel": kernel(array)}
        case "bias":
            return {f"{place}/bias": array}
        case "magnitude_ema":
            return {f"magnitudes/synthesis/{layer}/mean_square": array}
    raise ValueError(f"the network has {name!r} in a layer, which StyleGAN 3 does not have")
