"""Parameter counts, without computing; and weights that are all other than the fresh ones."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp


def count(net: nn.Module, *inputs) -> int:
    """Parameters of `net` for these inputs."""
    shapes = jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs))
    return sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))


def zeros(*shape: int) -> jax.Array:
    """One example of that shape."""
    return jnp.zeros((1, *shape))


@jax.jit
def moved(variables: Any) -> Any:
    """All arrays with normal noise of .3 added, compiled at once."""
    return jax.tree.map(lambda x: x + 0.3 * jax.random.normal(jax.random.key(x.size), x.shape), variables)
