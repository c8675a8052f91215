"""Number types for tests: the same inputs in float32 and in float64."""

import jax
import jax.numpy as jnp
import numpy as np


def single(*arrays):
    """As float32."""
    found = tuple(jnp.asarray(array, jnp.float32) for array in arrays)
    return found if len(found) > 1 else found[0]


def in_float64(function, *arrays):
    """The value of a function of float64 arrays, as NumPy has it."""
    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, jax.jit(function)(*(jnp.asarray(array, jnp.float64) for array in arrays)))
