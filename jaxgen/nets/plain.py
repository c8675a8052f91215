"""What a network must take, and an adapter for networks that take less.

A network of this package is a linen module that is called as `net(inputs, output_shape, mode=mode)`.
"""

import inspect
import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.dropout import dropout
from jaxgen.typing import Shape

SIGNATURE = "(inputs, output_shape, *, mode)"


class Plain(nn.Module):
    """A linen module that is called as `net(inputs)`, an `nn.Sequential` for one, as a network of this package.

    Layers `nn.Dropout` and `nn.BatchNorm` inside work as the mode says: no dropout and running statistics out of
    training; in training dropout takes the keys of the mode, so that its masks belong to the examples.
    """

    net: nn.Module

    @nn.compact
    def __call__(self, inputs: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, ...) to (batch, *output_shape).

        Raises:
            ValueError: outputs of another size; dropout in training without keys.
        """
        with nn.intercept_methods(_follow(mode)):
            outputs = self.net(inputs)
        wanted = (inputs.shape[0], *output_shape)
        if outputs.size != math.prod(wanted):
            raise ValueError(
                f"{type(self.net).__name__} gives outputs of shape {outputs.shape}, but the model asks for {wanted}: "
                "change its last layer"
            )
        return outputs.reshape(wanted)


def check_network(net: Any) -> None:
    """ValueError, which says what to change, unless `net` is a hashable linen module with the signature."""
    name = getattr(net, "__name__", type(net).__name__)
    if not isinstance(net, nn.Module):
        raise ValueError(
            f"{name} is no network: it must be a flax.linen module that is called as {SIGNATURE}; write a linen module"
        )
    taken = inspect.signature(type(net).__call__).parameters.values()
    positional = any(each.name == "output_shape" or each.kind is each.VAR_POSITIONAL for each in taken)
    if not positional or all(each.name != "mode" for each in taken):
        raise ValueError(
            f"{name} is called as {inspect.signature(net.__call__)}, but a network as {SIGNATURE}: "
            "wrap it in jaxgen.nets.plain.Plain, or write a linen module with this signature"
        )
    try:
        hash(net)
    except TypeError as error:
        raise ValueError(
            f"{name} holds a list or another value that cannot be hashed, but settings must be: "
            "give tuples in place of lists, as in nn.Sequential((nn.Dense(8), nn.relu))"
        ) from error


def _follow(mode: Mode) -> Callable[..., Any]:
    """An interceptor of linen's methods that passes the mode to the layers inside."""
    drawn = 0  # dropout layers so far, in order of their calls

    def intercept(call: Callable[..., Any], args: Any, kwargs: Any, context: nn.module.InterceptorContext) -> Any:
        nonlocal drawn
        layer = context.module
        if context.method_name != "__call__":
            return call(*args, **kwargs)
        if isinstance(layer, nn.Dropout):
            if mode.train and layer.broadcast_dims:
                raise ValueError(f"nn.Dropout has broadcast_dims {layer.broadcast_dims}, but must have none in Plain")
            drawn += 1
            return dropout(args[0], layer.rate, mode, drawn - 1)
        if isinstance(layer, nn.BatchNorm):
            if mode.train and mode.axis_name != layer.axis_name:
                raise ValueError(
                    f"nn.BatchNorm has axis_name {layer.axis_name!r}, but the batch lies on the devices along "
                    f"{mode.axis_name!r}: use jaxgen.nets.norm.normalize in a network of your own"
                )
            if layer.use_running_average is None:
                kwargs = {"use_running_average": not mode.train} | kwargs
        return call(*args, **kwargs)

    return intercept
