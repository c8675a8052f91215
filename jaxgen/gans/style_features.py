"""The maps between the layers of a style-based generator: read, or replaced on the way to the image.

After layer i of the styles a generator has used the styles 0 to i, and what it will do with the others depends on its
features alone (`jaxgen.nets.hook_point`): the maps, and the colours so far. The functions take a generator as a
function of ws, as those of `jaxgen.gans.style_space` do.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import flax.linen as nn
import jax

from jaxgen.checks import require
from jaxgen.gans.style_space import Draw
from jaxgen.gans.styles import Styles
from jaxgen.nets.hook_point import Features, HookPoint
from jaxgen.typing import Points

Edit: TypeAlias = Callable[[Features], Features]
"""What replaces the features after a layer: of any size that the next layers can take."""


def edited(draw: Draw, ws: Styles, edits: Mapping[int, Edit]) -> Points:
    """The images of ws with features replaced: after layer i by `edits[i]` of what is there.

    Maps that are made larger make larger images.

    Raises:
        ValueError: for a layer that the generator has not.
    """
    used: set[int] = set()

    def replace(call: Callable[..., Any], args: Any, kwargs: Any, context: nn.module.InterceptorContext) -> Any:
        outputs, module = call(*args, **kwargs), context.module
        if not isinstance(module, HookPoint) or context.method_name != "__call__" or module.number not in edits:
            return outputs
        used.add(module.number)
        return edits[module.number](outputs)

    with nn.intercept_methods(replace):
        images = draw(ws)
    layers = f"in [0, {ws.shape[1]}), the layers that have styles"
    require(used == set(edits), "layers", sorted(set(edits) - used), layers)
    return images


def features_at(draw: Draw, ws: Styles, layer: int) -> Features:
    """The features after a layer: the maps of ws, and the colours so far.

    Raises:
        ValueError: for a layer that the generator has not.
    """
    found: list[Features] = []

    def keep(features: Features) -> Features:
        found.append(features)
        return features

    edited(draw, ws, {layer: keep})
    return found[0]


def continued(first: Draw, then: Draw, ws: Styles, layer: int) -> Points:
    """The images that a generator makes of another's features after a layer, both of the same ws.

    Pinkney, Adler: Resolution Dependent GAN Interpolation for Controllable Image Synthesis Between Domains, 2020, arXiv
    2010.05334: shapes of a generator `first`, and the look of one that was trained further from there.

    Raises:
        ValueError: for a layer that the first generator has not, or features that the second has not there.
    """
    kept = features_at(first, ws, layer)

    def replace(features: Features) -> Features:
        there, wanted = (jax.tree.map(lambda leaf: leaf.shape, each) for each in (kept, features))
        require(there == wanted, f"features after layer {layer}", there, f"of shapes {wanted}: use runs of one network")
        return kept

    return edited(then, ws, {layer: replace})


def map_sizes(draw: Draw, ws: Styles) -> dict[int, tuple[int, int]]:
    """Height and width of the maps after each layer, in order. Shapes are traced, nothing is computed."""
    found: dict[int, tuple[int, int]] = {}

    def keep(layer: int) -> Edit:
        def record(features: Features) -> Features:
            _, height, width, _ = features.hidden.shape
            found[layer] = height, width
            return features

        return record

    jax.eval_shape(lambda ws: edited(draw, ws, {layer: keep(layer) for layer in range(ws.shape[1])}), ws)
    return found
