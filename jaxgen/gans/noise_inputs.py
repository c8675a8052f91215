"""Noise inputs of a trained style-based generator, layer by layer: which there are, and a generator with others.

Karras, Laine, Aila: A Style-Based Generator Architecture for Generative Adversarial Networks, 2018, arXiv 1812.04948,
section 3.2. Noise of large maps is fine detail, such as single hairs; noise of small maps moves larger curls. A
generator is a function of ws, every other thing fixed:

    draw = partial(stylegan2.from_w_plus, config, state)
    fine = [layer for layer, (height, _) in map_sizes(draw, ws).items() if height > 8]
    scaled(state, {layer: 0.0 for layer in fine})        the state of a generator without noise in these layers
    with_maps(state, {layer: map})                       the state of a generator with these maps
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax

from jaxgen.checks import require
from jaxgen.gans.style_space import Draw
from jaxgen.gans.styles import Styles
from jaxgen.nets.noise_maps import MAP, MAPS, STRENGTH


def map_sizes(draw: Draw, ws: Styles) -> dict[str, tuple[int, int]]:
    """Height and width of the map of each layer with a noise input, in the order in which the generator uses them.

    Layers are named by their path in the synthesis network. Shapes are traced, nothing is computed.

    Args:
        draw: a generator as a function of ws.
        ws: (batch, layers, features).
    """
    found: dict[str, tuple[int, int]] = {}

    def record(call: Any, args: Any, kwargs: Any, context: nn.module.InterceptorContext) -> Any:
        outputs, module = call(*args, **kwargs), context.module
        if module.has_variable("params", STRENGTH):
            found["/".join(module.path)] = outputs.shape[1:3]
        return outputs

    with nn.intercept_methods(record):
        jax.eval_shape(draw, ws)
    return found


def scaled(state: Any, factors: Mapping[str, float | jax.Array]) -> Any:
    """The state whose moving average has the noise of these layers times their factors; 0 switches a layer's off.

    Args:
        state: of a style-based model.
        factors: by the names of `map_sizes`; layers that are not named stay as they are.

    Raises:
        ValueError: for a layer that has no noise input.
    """
    used: set[str] = set()

    def leaf(path: tuple[Any, ...], value: jax.Array) -> jax.Array:
        *layer, name = (str(key.key) for key in path)
        if name != STRENGTH or "/".join(layer) not in factors:
            return value
        used.add("/".join(layer))
        return factors["/".join(layer)] * value

    params = state.ema["params"]
    synthesis = jax.tree_util.tree_map_with_path(leaf, params["synthesis"])
    require(used == set(factors), "layers", sorted(set(factors) - used), "layers with noise inputs: see map_sizes")
    return state._replace(ema={**state.ema, "params": {**params, "synthesis": synthesis}})


def with_maps(state: Any, maps: Mapping[str, jax.Array]) -> Any:
    """The state whose moving average has these noise maps, in a pass with keys and in one without.

    Args:
        state: of a style-based model.
        maps: by the names of `map_sizes`: (batch or 1, height, width, 1). Layers that are not named draw theirs.

    Raises:
        ValueError: for a layer that has no noise input.
    """
    inputs = {
        "/".join(str(key.key) for key in path[:-1])
        for path, _ in jax.tree_util.tree_leaves_with_path(state.ema["params"]["synthesis"])
        if path[-1] == jax.tree_util.DictKey(STRENGTH)
    }
    require(inputs >= set(maps), "layers", sorted(set(maps) - inputs), "layers with noise inputs: see map_sizes")
    tree: dict[str, Any] = {}
    for layer, one in maps.items():
        place = tree
        for name in layer.split("/"):
            place = place.setdefault(name, {})
        place[MAP] = one
    return state._replace(ema={**state.ema, MAPS: {"synthesis": tree}})
