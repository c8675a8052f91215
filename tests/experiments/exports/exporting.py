"""Exports of tiny runs, and traces as a command has them."""

import contextlib

import jaxtyping
import numpy as np
from jax import export

from experiments.exports import folder


@contextlib.contextmanager
def unchecked():
    """The import hook of the tests wants an int for the number of samples; a program has a symbol."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


def write(run, out):
    """Export without a sampler's settings; what is told of it."""
    with unchecked():
        return folder.write(run, "newest", {}, out, 0)[1]


def call(out, name, *arguments):
    program = export.deserialize(bytearray((out / f"{name}.jax").read_bytes()))
    return np.asarray(program.call(*arguments))
