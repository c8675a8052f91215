"""How much arithmetic an update is: the multiplications and additions of its matrix products and convolutions."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn


class Counts(NamedTuple):
    """FLOPs, two for each product that is added up."""

    products: int  # of matrices
    convolutions: int

    @property
    def total(self) -> int:
        """Of both."""
        return self.products + self.convolutions


def flops(function: Callable[..., Any], *args: Any) -> int:
    """Of all matrix products and convolutions of one call, as `counts` has them."""
    return counts(function, *args).total


def counts(function: Callable[..., Any], *args: Any) -> Counts:
    """Of one call, read from the traced program.

    A loop counts as often as it runs, of the branches of a condition the dearest counts. A dilated or padded
    convolution counts with its zeros, which is what is computed where no algorithm passes over them. Loops of unknown
    length (`while`) count once.
    """
    return _of(jax.make_jaxpr(function)(*args).jaxpr)


def _of(jaxpr: Jaxpr) -> Counts:
    return _sum([_of_equation(equation) for equation in jaxpr.eqns])


def _sum(found: Sequence[Counts], times: int = 1) -> Counts:
    return Counts(*(times * sum(one[place] for one in found) for place in range(2)))


def _shape(variable: Any) -> tuple[int, ...]:
    return variable.aval.shape


def _of_equation(equation: JaxprEqn) -> Counts:
    name = equation.primitive.name
    if name == "dot_general":
        return Counts(2 * math.prod(_shape(equation.outvars[0])) * _contracted(equation), 0)
    if name == "conv_general_dilated":
        return Counts(0, 2 * math.prod(_shape(equation.outvars[0])) * _taps(equation))
    inner = [_of(jaxpr) for jaxpr in _inside(equation.params)]
    if name == "cond":
        return max(inner, key=lambda one: one.total)
    return _sum(inner, equation.params["length"] if name == "scan" else 1)


def _contracted(equation: JaxprEqn) -> int:
    (left, _), _ = equation.params["dimension_numbers"]
    return math.prod(_shape(equation.invars[0])[axis] for axis in left)


def _taps(equation: JaxprEqn) -> int:
    """Products in one number of the output: the kernel's area times its input channels (of one group)."""
    kernel = _shape(equation.invars[1])
    out_channels = kernel[equation.params["dimension_numbers"].rhs_spec[0]]
    return math.prod(kernel) // out_channels


def _inside(params: dict[str, Any]) -> list[Jaxpr]:
    values = [value for entry in params.values() for value in (entry if isinstance(entry, tuple | list) else [entry])]
    programs = [value for value in values if isinstance(value, ClosedJaxpr | Jaxpr)]
    return [program.jaxpr if isinstance(program, ClosedJaxpr) else program for program in programs]
