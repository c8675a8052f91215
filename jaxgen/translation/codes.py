"""Encoders and decoders of two domains: what UNIT and MUNIT share.

An image of either domain is encoded by its own domain's networks, and codes are decoded by those of the domain in which
an image is wanted.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax

from jaxgen.mode import Mode
from jaxgen.translation.cycles import A, B, Both
from jaxgen.typing import Shape, Variables

OWN, OTHER = range(2)
"""Streams of the keys of two networks that a pass goes through."""

FIRST, FIRST_NOISE, SAME, FORTH, AGAIN, AGAIN_NOISE, BACK = range(10, 24, 2)
"""Streams of the keys of passes of both domains, besides those of `cycles`; the number behind each is domain b's."""


def shape_of(net: nn.Module, *inputs: Any) -> Shape:
    """The shape of an example of a network's outputs; nothing is computed."""
    return jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), *inputs)[0]).shape[1:]


def of_both(
    network: Callable[..., Any], variables: Variables, inputs: Both, mode: Mode, stream: int
) -> tuple[Both, Variables]:
    """`network(variables, domain, inputs, mode)` of both domains, and the variables after both passes."""
    of_a, variables = network(variables, A, inputs.a, mode.stream(stream))
    of_b, variables = network(variables, B, inputs.b, mode.stream(stream + 1))
    return Both(of_a, of_b), variables


def normal_of_both(shapes: Both, mode: Mode, stream: int) -> Both:
    """Numbers from N(0, I) for each example of both domains, of the shapes of one."""
    modes = Both(mode.stream(stream), mode.stream(stream + 1))
    return Both(*(normal(each.example_keys("noise"), shape) for each, shape in zip(modes, shapes, strict=True)))


def normal(keys: jax.Array, shape: Shape) -> jax.Array:
    """Numbers from N(0, I) for each key."""
    return jax.vmap(lambda key: jax.random.normal(key, shape))(keys)
