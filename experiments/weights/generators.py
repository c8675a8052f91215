"""What NVIDIA's generators of StyleGAN 2 and 3 share under our names: mapping, average of w, fitting a model.

In their PyTorch (arXiv 2006.06676, 2106.12423) a dense weight is (outputs, inputs), here (inputs, outputs); that of a
convolution (outputs, inputs, rows, columns), here (rows, columns, inputs, outputs).
"""

import re
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from experiments.runs import variables as stored
from experiments.weights import tensors
from experiments.weights.nvlabs import Network

DENSE = re.compile(r"mapping\.(fc(\d+)|embed)\.(weight|bias)")

KEPT = ("averages/", "magnitudes/")
"""Collections of what training averages."""


def mapped(network: Network) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The mapping under our names with the average of w, `averages/w`, and the network's other arrays as they are."""
    arrays = dict(network.arrays)
    found = {"averages/w": arrays.pop("mapping.w_avg")}
    place = "params/mapping/net" if "mapping.embed.weight" in arrays else "params/mapping"
    for match in [match for match in map(DENSE.fullmatch, network.arrays) if match]:
        layer = "embed" if match[2] is None else f"EqualizedDense_{match[2]}"
        found |= dense(f"{place}/{layer}", match[3], arrays.pop(match[0]))
    return found, arrays


def dense(place: str, name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    """The `weight` or the `bias` of a dense layer."""
    return {f"{place}/kernel": array.T} if name == "weight" else {f"{place}/bias": array}


def kernel(array: np.ndarray) -> np.ndarray:
    """The weight of a convolution."""
    return np.transpose(array, (2, 3, 1, 0))


def in_float32(found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays in memory of their own."""
    return {name: np.array(array, np.float32, order="C") for name, array in found.items()}


def fitted(found: Mapping[str, np.ndarray], like: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of a generator as a model nests them.

    Args:
        found: by name.
        like: the variables of the model's own generator. What training averages, and the file does not hold, is taken
            from there.

    Raises:
        ValueError: for arrays that are missing, that the model does not have, or of another shape or type.
    """
    own = stored.flat(like)
    others = {name: array for name, array in own.items() if name.startswith(KEPT) and name not in found}
    wrong = tensors.difference({**others, **found}, own)
    if wrong:
        raise ValueError(f"the network does not fit the model's settings: {wrong}")
    return stored.nested({name: jnp.asarray(array) for name, array in {**others, **found}.items()})
