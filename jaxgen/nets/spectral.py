"""Spectral normalisation of any network: each of its weights is divided by its largest singular value.

Miyato, Kataoka, Koyama, Yoshida: Spectral Normalization for Generative Adversarial Networks, 2018, arXiv 1802.05957.

`Spectral(ResNetCritic())` is one network, with the params of `ResNetCritic()` under "inner". A weight (..., out) counts
as a matrix, so that a convolution of k x k taps may still stretch its input by up to k times. Biases, scales and other
vectors stay as they are. The vectors u of the power method are a collection of their own, "spectral": in training each
call takes one step of it and keeps the new u; at other times a step is taken and forgotten.

`exempt` names layers whose weights stay as they are: by its name, `("embedding",)`, each layer that is called so; by
its path, `("ResidualBlock_0/ConditionalBatchNorm_0",)`, that layer and all inside it.

`flax.linen.SpectralNorm` gives the same values in training, but its `init` returns weights that are divided already, a
weight of zeros loses its u for ever, and a weight whose norm is far below 1e-6 is not divided.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.losses.spectral import spectral_normalize
from jaxgen.mode import EVALUATION, Mode


class Spectral(nn.Module):
    """`net` with W / sigma(W) in place of each weight W, equation 8; the gradient flows through sigma."""

    net: nn.Module
    steps: int = 1  # of the power method in each call
    exempt: tuple[str, ...] = ()  # names or paths of layers whose weights stay as they are, as ("embedding",)

    @nn.compact
    def __call__(self, *inputs: Any, mode: Mode = EVALUATION) -> jax.Array:
        """The outputs of `net` for its own inputs."""
        require(self.steps >= 1, "steps", self.steps, "at least 1")
        net = self.net.clone(parent=None, name=None)

        def fresh(key: jax.Array) -> Any:
            return net.init(key, *inputs)

        params = self.param("inner", lambda key: fresh(key)["params"])
        names = set(jax.eval_shape(fresh, jax.random.key(0))) - {"params"}  # batch statistics, for one
        others = {
            name: self.variable(name, "inner", lambda name=name: fresh(self.make_rng("params"))[name])
            for name in sorted(names)
        }
        variables = {"params": self._normalized(params, mode), **{name: kept.value for name, kept in others.items()}}
        outputs, changed = net.apply(variables, *inputs, mode=mode, mutable=list(others))
        if mode.train and not self.is_initializing():
            for name, kept in others.items():
                kept.value = changed[name]
        return outputs

    def _normalized(self, params: Any, mode: Mode) -> Any:
        """The weights of two axes or more that are not exempt, each with a u of its own, named by its path."""
        unused = set(self.exempt)

        def normalize(path: Any, weight: jax.Array) -> jax.Array:
            name = "/".join(str(key.key) for key in path)
            if weight.ndim < 2:
                return weight
            if named := {layer for layer in self.exempt if _names(layer, name)}:
                unused.difference_update(named)
                return weight
            u = self.variable("spectral", name, self._first, weight.shape[-1])
            weight, new = spectral_normalize(weight, u.value, num_steps=self.steps)
            if mode.train and not self.is_initializing():
                u.value = new
            return weight

        normalized = jax.tree_util.tree_map_with_path(normalize, params)
        require(not unused, "exempt", self.exempt, f"layers with weights, which {sorted(unused)} are not")
        return normalized

    def _first(self, size: int) -> jax.Array:
        return jax.random.normal(self.make_rng("params"), (size,), jnp.float32)


def _names(layer: str, weight: str) -> bool:
    """Whether the layer, by its name or its path, holds the weight of that path."""
    return weight.startswith(f"{layer}/") or weight.split("/")[-2:-1] == [layer]
