"""One player's training state, and the only optimiser step of the package."""

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax import struct
from flax.training import train_state

from jaxgen.optimizers import Optimizer, to_optax
from jaxgen.parallel import pmean, whole_weights
from jaxgen.typing import Collections, Key, Metrics, Params, Scalar

Loss: TypeAlias = Callable[[Params], tuple[Scalar, tuple[Metrics, Collections]]]
"""`params -> (loss, (metrics, collections))`: the mean over the batch at hand, and the network's collections after
the forward pass (`{}` for a network that has none)."""


class TrainState(train_state.TrainState):
    """Flax's TrainState with the network's other variable collections added, batch statistics for one.

    `apply_fn` and `tx` are the same objects for equal settings, so two states from equal settings have one treedef.
    """

    # Narrower in flax; in here a leaf may be anything that a tree map puts there, a shape or a sharding for one.
    step: Any
    params: Params
    opt_state: Any
    collections: Collections = struct.field(default_factory=dict)

    @property
    def variables(self) -> dict[str, Any]:
        """Params and collections in one dict, as `apply` takes them."""
        return {"params": self.params, **self.collections}


def create(module: nn.Module, optimizer: Optimizer, key: Key, *inputs: Any) -> TrainState:
    """A fresh state: variables of `module` for `inputs`, and the optimiser's state for its params."""
    variables = dict(module.init(key, *inputs))
    params = variables.pop("params")
    tx = to_optax(optimizer)
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        apply_fn=_apply_fn(module),
        params=params,
        tx=tx,
        opt_state=tx.init(params),
        collections=variables,
    )


@functools.cache
def _apply_fn(module: nn.Module) -> Callable:
    return module.apply


def apply(
    module: nn.Module, params: Params, collections: Collections, *inputs: Any, **options: Any
) -> tuple[Any, Collections]:
    """`module`'s outputs and its collections after the call: `{}` for a network without any."""
    return module.apply({"params": params, **collections}, *inputs, **options, mutable=list(collections))


def descend(
    state: TrainState, loss: Loss, axis_name: str | None = None, *, player: str | None = None
) -> tuple[TrainState, Metrics]:
    """One optimiser step down `loss`, its gradients averaged over the devices along `axis_name`.

    The loss is averaged inside the differentiated function and the gradients outside: only both together give the
    gradient of the whole batch under jit, pmap, vmap and shard_map alike. With the name of a `player` the metrics also
    hold `gradient_norm/NAME`, the length of the whole gradient.
    """
    grads, (metrics, collections) = _gradients(state.params, loss, axis_name)
    if player is not None:
        metrics = metrics | {f"gradient_norm/{player}": _length(grads)}
    return _stepped(state, grads, collections), metrics


def unroll(state: TrainState, loss: Loss, num_steps: int, axis_name: str | None = None) -> TrainState:
    """The state after `num_steps` of `descend`, as an expression to be differentiated.

    Gradients flow through the optimiser into all that `loss` depends on. Adam must have `eps_root` above 0: the root of
    a mean square that is still 0 has no slope.
    """

    def step(state, _):
        grads, (_, collections) = _gradients(state.params, loss, axis_name)
        return _stepped(state, grads, collections), None

    return jax.lax.scan(step, state, length=num_steps)[0] if num_steps else state


def _gradients(params: Params, loss: Loss, axis_name: str | None) -> tuple[Params, tuple[Metrics, Collections]]:
    def mean_loss(params):
        value, aux = loss(params)
        return pmean(value, axis_name), aux

    (_, aux), grads = jax.value_and_grad(mean_loss, has_aux=True)(whole_weights(params))
    return pmean(grads, axis_name), pmean(aux, axis_name)


def _length(grads: Params) -> Scalar:
    return jnp.sqrt(sum((leaf.astype(jnp.float32) ** 2).sum() for leaf in jax.tree.leaves(grads)))


def _stepped(state: TrainState, grads: Params, collections: Collections) -> TrainState:
    with jax.numpy_dtype_promotion("standard"):  # optax raises a float to an integer count
        return state.apply_gradients(grads=grads, collections=collections)


def moving_average(average: Params, new: Params, decay: float, step: jax.Array) -> Params:
    """`d average + (1 - d) new` with `d = min(decay, (1 + step) / (10 + step))`.

    `step` counts the updates behind `new`. The smaller decay of the first steps lets the average leave the random
    initial weights (as `num_updates` does in TensorFlow's ExponentialMovingAverage). With a decay of 0 it
    is `new` itself.
    """
    if decay == 0:
        return new
    count = step.astype(jnp.float32)
    rate = jnp.minimum(decay, (1.0 + count) / (10.0 + count))
    return optax.incremental_update(new, average, 1.0 - rate)
