"""The space S of a style-based generator: the scales that each of its layers makes of its style.

Wu, Lischinski, Shechtman: StyleSpace Analysis: Disentangled Controls for StyleGAN Image Generation, 2020, arXiv
2011.12799.

A layer turns its w into a number for each channel by a linear map of its own. One of these numbers often changes one
thing in an image, where a step in W changes several. The functions take a generator as a function of ws, so that any
synthesis network will do whose linear maps are layers called "affine" or "style":

    draw = partial(stylegan2.from_w_plus, config, state)
    scales = to_s(draw, ws)
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import flax.linen as nn
import jax

from jaxgen.checks import require
from jaxgen.gans.styles import Styles
from jaxgen.typing import Points

Scales: TypeAlias = dict[str, jax.Array]
"""By the path of the linear map in the network: (batch, numbers)."""

Draw: TypeAlias = Callable[[Styles], Points]
"""ws to images, every other thing fixed; not compiled itself: `jax.jit` goes around what calls the functions here."""

AFFINE = ("affine", "style")
"""Names of the layers whose outputs are scales."""


def to_s(draw: Draw, ws: Styles) -> Scales:
    """The scales that the generator makes of ws, in the order in which it uses them."""
    found: Scales = {}

    def keep(call: Callable[..., Any], args: Any, kwargs: Any, context: nn.module.InterceptorContext) -> Any:
        outputs = call(*args, **kwargs)
        if _is_affine(context):
            found[_path(context)] = outputs
        return outputs

    with nn.intercept_methods(keep):
        draw(ws)
    return found


def from_s(draw: Draw, ws: Styles, scales: Mapping[str, jax.Array]) -> Points:
    """The images of ws with these scales in place of its own; those that are not named are as ws makes them.

    Raises:
        ValueError: for a scale that the generator has not.
    """
    used = set()

    def replace(call: Callable[..., Any], args: Any, kwargs: Any, context: nn.module.InterceptorContext) -> Any:
        if not _is_affine(context) or _path(context) not in scales:
            return call(*args, **kwargs)
        used.add(_path(context))
        return scales[_path(context)]

    with nn.intercept_methods(replace):
        images = draw(ws)
    require(used == set(scales), "scales", sorted(set(scales) - used), "of linear maps that there are: see to_s")
    return images


def _is_affine(context: nn.module.InterceptorContext) -> bool:
    return context.method_name == "__call__" and context.module.name in AFFINE


def _path(context: nn.module.InterceptorContext) -> str:
    return "/".join(context.module.path)
