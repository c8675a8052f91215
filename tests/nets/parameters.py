"""Parameter counts, without computing."""

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
