"""The operations of a traced program, for laws that a trace shows."""

import jax
from jax.extend import core


def inner(operation):
    """The programs inside an operation."""
    is_program = lambda leaf: isinstance(leaf, core.ClosedJaxpr | core.Jaxpr)  # noqa: E731
    found = filter(is_program, jax.tree.leaves(operation.params, is_leaf=is_program))
    return [getattr(program, "jaxpr", program) for program in found]


def operations(program):
    """Of a program and of all inside it."""
    for operation in program.eqns:
        yield operation
        for each in inner(operation):
            yield from operations(each)
