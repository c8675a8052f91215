"""Forward-mode derivatives (`jax.jvp`, `jax.jacfwd`, `jax.linearize`, `jax.hessian`) through any network.

On CPU the package's convolutions have reverse-mode derivatives alone, unless the plain form is chosen. This wrapper
chooses it for a whole network, whose variables stay what they are:

    critic = PlainConvolutions(ResNetCritic())
    jax.jvp(lambda images: critic.apply(variables, images, ()), (images,), (direction,))
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvMeanPool, ConvTranspose, UpsampleConv


class PlainConvolutions(nn.Module):
    """The network with the plain form of each convolution whose form is "auto"; its variables are the network's."""

    network: nn.Module  # not `net`: linen keeps this name from the children of a network that shares its scope

    def setup(self):
        """The network's variables without a level of their own."""
        nn.share_scope(self, self.network)

    def __call__(self, *inputs: Any, mode: Mode = EVALUATION, **options: Any) -> Any:
        """The outputs of the network for its own inputs."""
        with nn.intercept_methods(_plain):
            return self.network(*inputs, mode=mode, **options)


def _plain(call: Callable[..., Any], args: Any, kwargs: Any, context: nn.module.InterceptorContext) -> Any:
    layer = context.module
    convolves = isinstance(layer, Conv | ConvTranspose | UpsampleConv | ConvMeanPool)
    if convolves and context.method_name == "__call__" and layer.form == "auto":
        kwargs = {"form": "plain"} | kwargs
    return call(*args, **kwargs)
