"""What the layers of any network give, as features of its inputs."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.typing import Shape


class LayerMaps(nn.Module):
    """A network that gives the outputs of some of its layers in place of its own.

    Its variables have the names of the network's: a trained one can be put in.
    """

    network: nn.Module  # not `net`: see `jaxgen.nets.forward_mode`
    layers: tuple[str, ...]  # names as in the network's params, such as Conv_0
    shape: Shape = ()  # of the network's outputs for an example, which are not given

    def setup(self):
        """The network's variables without a level of their own."""
        nn.share_scope(self, self.network)

    def __call__(
        self, inputs: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION
    ) -> tuple[jax.Array, ...]:
        """(batch, ...) to the outputs of each layer in the order of `layers`, float32, before what follows them.

        Raises:
            ValueError: the network has no layer of a name.
        """
        found: dict[str, jax.Array] = {}

        def record(call: Any, args: Any, kwargs: Any, context: nn.module.InterceptorContext) -> Any:
            outputs, name = call(*args, **kwargs), context.module.name
            if context.method_name == "__call__" and name in self.layers:
                found[name] = outputs.astype(jnp.float32)
            return outputs

        with nn.intercept_methods(record):
            self.network(inputs, self.shape, mode=mode)
        missing = [name for name in self.layers if name not in found]
        require(not missing, "layers", self.layers, f"names of layers of {type(self.network).__name__}")
        return tuple(found[name] for name in self.layers)
