"""How one forward pass of a network is run: in training or not, over which devices, with which random keys.

These four things always travel together, from an update through the losses into each layer that needs one of them:
batch normalisation (`train`, `axis_name`), dropout and instance noise (`train`, `keys`), schedules (`step`).
"""

from typing import TypeAlias

import jax
from flax import struct
from jaxtyping import Array, Int
from jaxtyping import Key as KeyArray

ExampleKeys: TypeAlias = KeyArray[Array, "batch"]
"""One key for each example of this device (`parallel.example_keys`), the same however many devices share the batch."""


class Mode(struct.PyTreeNode):
    """One forward pass; `Mode()` is evaluation.

    A layer that draws random numbers in training and finds no keys raises ValueError: see `example_keys`.
    """

    keys: ExampleKeys | None = None  # of everything random in the pass
    step: Int[Array, ""] | None = None  # updates before this one, for what changes on a schedule
    train: bool = struct.field(pytree_node=False, default=False)
    axis_name: str | None = struct.field(pytree_node=False, default=None)  # of the devices that share the batch

    def with_keys(self, keys: ExampleKeys | None) -> "Mode":
        """The same pass with other keys: those of a minibatch, for one."""
        return self.replace(keys=keys)

    def stream(self, number: int) -> "Mode":
        """The same pass with keys of its own: two passes on one set of keys take streams of different numbers."""
        return self if self.keys is None else self.with_keys(fold(self.keys, number))

    def example_keys(self, layer: str) -> ExampleKeys:
        """The keys of a layer that draws random numbers; ValueError, naming the layer, if there are none."""
        if self.keys is None:
            raise ValueError(
                f"{layer} draws random numbers in training, but this pass has no keys: give "
                "mode=Mode(keys=jax.random.split(key, batch_size), train=True)"
            )
        return self.keys

    def current_step(self, what: str) -> Int[Array, ""]:
        """Updates before this one, for what counts them; ValueError, naming it, if the pass does not say."""
        if self.step is None:
            raise ValueError(
                f"{what} counts updates, but this pass has no step: give mode=Mode(step=state.step, train=True, ...)"
            )
        return self.step


EVALUATION = Mode()
"""Running statistics, no dropout, one device."""


def fold(keys: ExampleKeys, number: int | Int[Array, ""]) -> ExampleKeys:
    """Each key folded with the number: another, independent set of keys."""
    return jax.vmap(lambda key: jax.random.fold_in(key, number))(keys)
