"""Noise inputs of the style-based generators: one map of N(0, 1) for each layer, times a learned strength.

Karras, Laine, Aila: A Style-Based Generator Architecture for Generative Adversarial Networks, 2018, arXiv 1812.04948,
section 2.

In training, and in any pass with keys, each example has maps of its own. A pass without keys draws them from fixed
ones, the same for all examples, so that an image is a function of its styles alone. Maps that are given, in the
collection `noise_maps` of the network's variables, take the place of both.
"""

from typing import Any

import flax.linen as nn
import jax

from jaxgen.mode import Mode, fold
from jaxgen.typing import Images, Shape

STREAM = 2**31 - 3
"""The number that sets the keys of the maps apart from those of dropout, `InstanceNoise` and `DiffAugment`."""

STRENGTH = "noise_strength"
"""The param of a layer that multiplies its map: `scaled_strengths` finds it by this name."""


MAPS, MAP = "noise_maps", "map"
"""The collection of maps that are given, and the name of a layer's own in it."""


def map_of(layer: nn.Module, size: Shape, num: int, number: int, mode: Mode) -> Images:
    """The map of a layer: the one that is given, (num or 1, *size, 1), or `noise_map`."""
    if layer.has_variable(MAPS, MAP):
        return layer.get_variable(MAPS, MAP)
    return noise_map(size, num, number, mode)


def noise_map(size: Shape, num: int, layer: int, mode: Mode) -> Images:
    """(num, *size, 1) from N(0, 1); (1, *size, 1) in a pass out of training without keys.

    Args:
        size: height and width.
        num: examples.
        layer: its number, of all that draw maps in the network.
        mode: of the pass. ValueError in training without keys.
    """
    shape = (*size, 1)
    if mode.keys is None and not mode.train:
        return jax.random.normal(jax.random.fold_in(jax.random.key(STREAM), layer), (1, *shape))
    keys = fold(fold(mode.example_keys("a noise input"), STREAM), layer)
    return jax.vmap(lambda key: jax.random.normal(key, shape))(keys)


def scaled_strengths(params: Any, factor: float) -> Any:
    """The params with the strength of each noise input times a factor: 0 switches the noise off."""

    def leaf(path: tuple[Any, ...], value: jax.Array) -> jax.Array:
        return factor * value if path[-1] == jax.tree_util.DictKey(STRENGTH) else value

    return jax.tree_util.tree_map_with_path(leaf, params)
