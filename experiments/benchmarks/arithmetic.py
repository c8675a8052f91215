"""How much arithmetic an update is: the multiplications and additions of its matrix products and convolutions."""

import math
from collections.abc import Callable
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn


def flops(function: Callable[..., Any], *args: Any) -> int:
    """Of all matrix products and convolutions of one call, two for each product that is added up.

    Read from the traced program: a loop counts as often as it runs, of the branches of a condition the dearest counts.
    A dilated or padded convolution counts with its zeros, which is what is computed where no algorithm passes over
    them. Loops of unknown length (`while`) count once.
    """
    return _of(jax.make_jaxpr(function)(*args).jaxpr)


def _of(jaxpr: Jaxpr) -> int:
    return sum(_of_equation(equation) for equation in jaxpr.eqns)


def _shape(variable: Any) -> tuple[int, ...]:
    return variable.aval.shape


def _of_equation(equation: JaxprEqn) -> int:
    name = equation.primitive.name
    if name == "dot_general":
        return 2 * math.prod(_shape(equation.outvars[0])) * _contracted(equation)
    if name == "conv_general_dilated":
        return 2 * math.prod(_shape(equation.outvars[0])) * _taps(equation)
    inner = [_of(jaxpr) for jaxpr in _inside(equation.params)]
    if name == "cond":
        return max(inner)
    return sum(inner) * (equation.params["length"] if name == "scan" else 1)


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
