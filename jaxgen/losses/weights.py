"""Weights as one vector of parameters: clipping, and their distance from an average over time.

- Salimans et al.: Improved Techniques for Training GANs, 2016, arXiv 1606.03498.
- Arjovsky, Chintala, Bottou: Wasserstein GAN, 2017, arXiv 1701.07875.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from jaxgen.losses._arrays import floats, same_shape
from jaxgen.typing import Params, Scalar


def clip_weights(params: Params, limit: float) -> Params:
    """w to min(max(w, -c), c): Algorithm 1 of arXiv 1701.07875, line 7, after each critic step.

    Args:
        params: trainable weights alone, any pytree; leaves that are not floating stay as they are.
        limit: c > 0; the paper's is 0.01.

    Raises:
        ValueError: if limit is not positive, or for linen variables in place of their params:
            clipped running variances would wreck batch normalisation.

    >>> import jax.numpy as jnp
    >>> clip_weights({"w": jnp.array([-3.0, 0.5])}, 1.0)
    {'w': Array([-1. ,  0.5], dtype=float32)}
    """
    if not limit > 0:
        raise ValueError(f"limit is {limit}, but must be positive")
    if isinstance(params, Mapping) and "params" in params:
        raise ValueError(
            f"these are the collections {sorted(params)}, but must be trainable weights alone: give variables['params']"
        )

    def clip(leaf: Any) -> Any:
        array = isinstance(leaf, jax.Array | np.ndarray)
        floating = array and jnp.issubdtype(leaf.dtype, jnp.floating)
        return jnp.clip(leaf, -limit, limit) if floating else leaf

    return jax.tree.map(clip, params)


def historical_averaging(params: Params, average: Params) -> Scalar:
    """||theta - mean(theta[i])||^2: section 3.3 of arXiv 1606.03498.

    Args:
        params: theta, a pytree of floats.
        average: of theta over all steps so far, from `running_mean`, held constant.

    Raises:
        ValueError: if the trees or two arrays differ in shape, or there is no array.

    >>> import jax.numpy as jnp
    >>> historical_averaging({"w": jnp.array([3.0, 4.0])}, {"w": jnp.zeros(2)})
    Array(25., dtype=float32)
    """

    def squared_distance(new: Array, old: Array) -> Array:
        new, old = same_shape(params=new, average=old)
        return ((new - jax.lax.stop_gradient(old)) ** 2).sum()

    _same_tree(params=params, average=average)
    distances = jax.tree.leaves(jax.tree.map(squared_distance, params, average))
    if not distances:
        raise ValueError("params hold no array, but must hold weights: give those of the network")
    return jnp.stack(floats(**{str(number): distance for number, distance in enumerate(distances)})).sum()


def running_mean(average: Params, params: Params, count: Int[Array, ""] | int) -> Params:
    """m + (theta - m) / t: the mean of the first t parameters from that of the first t - 1.

    Args:
        average: m, a pytree of floats; at t = 1 its values do not matter.
        params: theta, the t-th parameters.
        count: t, from 1 on.

    Raises:
        ValueError: if the trees or two arrays differ in shape.

    >>> import jax.numpy as jnp
    >>> running_mean(jnp.array([2.0]), jnp.array([8.0]), 3)
    Array([4.], dtype=float32)
    """

    def step(old: Array, new: Array) -> Array:
        wide, new = same_shape(average=old, params=new)
        return (wide + (new - wide) / jnp.asarray(count, wide.dtype)).astype(old.dtype)

    _same_tree(average=average, params=params)
    return jax.tree.map(step, average, params)


def _same_tree(**trees: Params) -> None:
    structures = {name: jax.tree.structure(tree) for name, tree in trees.items()}
    if len(set(structures.values())) > 1:
        listed = " and ".join(f"{name} {structure}" for name, structure in structures.items())
        raise ValueError(f"{listed} are different trees, but must be of one structure")
