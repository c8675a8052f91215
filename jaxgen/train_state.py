"""One player's training state, and the only optimiser step of the package.

A player is one network, or several that one optimiser moves together (`create_parts`). Networks take and give
`variables`: params and all other collections, batch statistics for one, in one dict.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import struct
from flax.training import train_state

from jaxgen.gradient_transformations import to_optax
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.plain import check_network
from jaxgen.optimizers import Optimizer
from jaxgen.parallel import example_keys, pmean, replicated_weights
from jaxgen.typing import AxisName, Collections, Key, Metrics, Params, Scalar, Shape, Variables

LossOutput: TypeAlias = tuple[Scalar, tuple[Metrics, Variables]]
"""The loss, the mean over the batch at hand; what is logged, and the network's variables after the pass."""

Loss: TypeAlias = Callable[..., LossOutput]
"""`(variables, *inputs) -> (loss, (metrics, variables))` of the player that descends."""


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
    def variables(self) -> Variables:
        """Params and collections in one dict, as `apply` takes them."""
        return {"params": self.params, **self.collections}


class Frozen(struct.PyTreeNode):
    """Variables of a network that no optimiser moves: a pretrained encoder, a feature network.

    `init` fills them at random, so that a model runs without any file; a run reads them from a file or another run, and
    keeps one copy in its folder. `name` is the name of the part in settings and files.
    """

    variables: Any  # as a network's; `{}` in a state whose frozen parts are stored elsewhere
    name: str = struct.field(pytree_node=False)


def players(state: Any) -> dict[str, TrainState]:
    """The TrainStates of a state by path, wherever they stand in it: `generator`, `levels/0`."""
    found = jax.tree_util.tree_leaves_with_path(state, is_leaf=lambda leaf: isinstance(leaf, TrainState))
    return {
        jax.tree_util.keystr(path, simple=True, separator="/"): leaf
        for path, leaf in found
        if isinstance(leaf, TrainState)
    }


def create(net: nn.Module, optimizer: Optimizer, key: Key, *inputs: Any) -> TrainState:
    """A fresh state: variables of `net` for `inputs`, and the optimiser's state for its params."""
    check_network(net)
    return from_variables(net.init(key, *inputs), optimizer, _apply_of(net))


@functools.cache
def _apply_of(net: nn.Module) -> Callable:
    """One object for equal networks."""
    return net.apply


def create_parts(parts: Mapping[str, tuple[Any, ...]], optimizer: Optimizer, key: Key) -> TrainState:
    """A fresh state of several networks with one optimiser.

    Args:
        parts: `name: (network, *inputs)`. Params and each collection are dicts of these names.
        optimizer: of all of them.
        key: of the weights; a part's do not depend on the other parts.
    """
    return from_variables(_variables_of(parts, key), optimizer)


def freeze(net: nn.Module, name: str, key: Key, *inputs: Any) -> Frozen:
    """Random variables of `net` for `inputs`, to be replaced by trained ones of the same names and shapes."""
    check_network(net)
    return Frozen(variables=dict(net.init(key, *inputs)), name=name)


def freeze_parts(parts: Mapping[str, tuple[Any, ...]], name: str, key: Key) -> Frozen:
    """Random variables of several networks, as `create_parts` makes them, to be replaced by those of such a player."""
    return Frozen(variables=_variables_of(parts, key), name=name)


def _variables_of(parts: Mapping[str, tuple[Any, ...]], key: Key) -> Variables:
    variables: dict[str, dict[str, Any]] = {"params": {}}
    for name, (net, *inputs) in parts.items():
        check_network(net)
        for collection, tree in _init_as(name, net, key, inputs).items():
            variables.setdefault(collection, {}).update(tree)
    return variables


def _init_as(name: str, net: nn.Module, key: Key, inputs: list[Any]) -> Variables:
    """`net.init`, its variables under a name: weights are drawn by path, so those of two parts differ."""

    class Part(nn.Module):
        @nn.compact
        def __call__(self):
            return net.clone(parent=self, name=name)(*inputs)

    return dict(Part().init(key))


def from_variables(variables: Any, optimizer: Optimizer, apply_fn: Callable | None = None) -> TrainState:
    """A fresh state of variables that you made: a table of vectors, a network called in a way of its own."""
    tx, collections = to_optax(optimizer), dict(variables)
    params = collections.pop("params")
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        apply_fn=apply_fn or apply,
        params=params,
        tx=tx,
        opt_state=tx.init(params),
        collections=collections,
    )


def blank(shape: Shape) -> jax.Array:
    """One example of zeros, for `create`."""
    return jnp.zeros((1, *shape), jnp.float32)


def apply(
    net: nn.Module, variables: Variables, *inputs: Any, mode: Mode = EVALUATION, part: str | None = None
) -> tuple[Any, Variables]:
    """`net`'s outputs for `inputs`, and the variables after the call.

    With `part`, `variables` are those of several networks, and `net` is the one of that name.
    """
    if part is None:
        outputs, changed = net.apply(
            variables, *inputs, mode=mode, mutable=[name for name in variables if name != "params"]
        )
        return outputs, {**variables, **changed}
    own = {name: tree[part] for name, tree in variables.items() if part in tree}
    outputs, after = apply(net, own, *inputs, mode=mode)
    return outputs, {name: {**tree, part: after[name]} if part in tree else tree for name, tree in variables.items()}


def training_mode(state: TrainState, key: Key, num: int, axis_name: AxisName) -> Mode:
    """The mode of a pass in training, at the step of this player, with keys for `num` examples of this device."""
    return Mode(keys=example_keys(key, num, axis_name), step=state.step, train=True, axis_name=axis_name)


def only(state: TrainState, part: str, optimizer: Optimizer, opt_state: Any = None) -> TrainState:
    """One network of a player, as a player with an optimiser of its own: see `as_part`, `merge`.

    `opt_state` is that of its step before; a fresh one if there is none. Its params are those of the part alone.
    """
    params, tx = state.params[part], to_optax(optimizer)
    return state.replace(params=params, tx=tx, opt_state=tx.init(params) if opt_state is None else opt_state)


def as_part(variables: Variables, part: str) -> Variables:
    """The variables of a player made by `only`, as `apply(..., part=...)` takes them."""
    return {**variables, "params": {part: variables["params"]}}


def merge(state: TrainState, part: str, own: TrainState) -> TrainState:
    """The player after a step of one of its networks (`only`): its params, and the collections after the step."""
    return state.replace(params={**state.params, part: own.params}, collections=own.collections)


def descend(
    state: TrainState, loss: Loss, inputs: tuple[Any, ...], axis_name: AxisName = None, player: str | None = None
) -> tuple[TrainState, Metrics]:
    """One optimiser step down `loss(variables, *inputs)`, its gradients averaged over the devices along `axis_name`.

    The loss is averaged inside the differentiated function and the gradients outside: only both together give the
    gradient of the whole batch under jit, pmap, vmap and shard_map alike. With the name of a `player` the metrics also
    hold `gradient_norm/NAME`, the length of the whole gradient.
    """
    grads, (metrics, collections) = _gradients(state, loss, inputs, axis_name)
    if player is not None:
        metrics = metrics | {f"gradient_norm/{player}": _length(grads)}
    return _stepped(state, grads, collections), metrics


def unroll(
    state: TrainState, loss: Loss, inputs: tuple[Any, ...], num_steps: int, axis_name: AxisName = None
) -> TrainState:
    """The state after `num_steps` of `descend`, as an expression to be differentiated.

    Gradients flow through the optimiser into all that `loss` depends on. Adam must have `eps_root` above 0: the root of
    a mean square that is still 0 has no slope.
    """

    def step(state, _):
        grads, (_, collections) = _gradients(state, loss, inputs, axis_name)
        return _stepped(state, grads, collections), None

    return jax.lax.scan(step, state, length=num_steps)[0] if num_steps else state


def _gradients(
    state: TrainState, loss: Loss, inputs: tuple[Any, ...], axis_name: AxisName
) -> tuple[Params, tuple[Metrics, Collections]]:
    def mean_loss(params):
        value, (metrics, variables) = loss({"params": params, **state.collections}, *inputs)
        return pmean(value, axis_name), (metrics, {name: variables[name] for name in state.collections})

    (_, aux), grads = jax.value_and_grad(mean_loss, has_aux=True)(replicated_weights(state.params))
    return pmean(grads, axis_name), pmean(aux, axis_name)


def _length(grads: Params) -> Scalar:
    return jnp.sqrt(sum((leaf.astype(jnp.float32) ** 2).sum() for leaf in jax.tree.leaves(grads)))


def _stepped(state: TrainState, grads: Params, collections: Collections) -> TrainState:
    with jax.numpy_dtype_promotion("standard"):  # optax raises a float to an integer count
        return state.apply_gradients(grads=grads, collections=collections)
