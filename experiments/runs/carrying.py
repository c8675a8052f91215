"""A state carried over to other settings of its optimisers: the moments stay, parts that count begin at the right step.

A chain of optax holds a state for each of its parts: clipping, rule, decay, rate. Those without arrays come and go with
the settings. A schedule counts the optimiser's steps from the run's beginning, also where there was none before.
"""

from typing import Any

import jax
import optax

from experiments.checkpoints.arrays import without_keys
from experiments.checkpoints.checksums import described
from jaxgen.train_state import TrainState


def carried_over(state: Any, like: Any) -> Any:
    """`state` with the structure of `like`, the state or its shapes under other settings.

    ValueError, in a few words, if the optimisers or the networks keep something else there.
    """
    found = jax.tree.map(_carried, like, state, is_leaf=_is_own)
    there, here = (described(without_keys(one)) for one in (found, like))
    for name in sorted(there.keys() | here.keys()):
        if there.get(name) != here.get(name):
            raise ValueError(f"{name} is {there.get(name, 'missing')}, but must be {here.get(name, 'missing')}")
    return found


def _is_own(leaf: Any) -> bool:
    """A player, or the state of an optimiser that a model keeps beside its players."""
    return isinstance(leaf, TrainState) or is_optimizer_state(leaf)


def is_optimizer_state(leaf: Any) -> bool:
    """Whether it is the state of a chain of optax, or of one that accumulates gradients."""
    if isinstance(leaf, optax.MultiStepsState):
        return True
    return type(leaf) is tuple and bool(leaf) and all(type(part).__module__.startswith("optax.") for part in leaf)


def _carried(like: Any, state: Any) -> Any:
    if isinstance(like, TrainState):
        own: Any = state
        opt_state = _optimizer_state(like.opt_state, own.opt_state, own.step)
        return like.replace(step=own.step, params=own.params, collections=own.collections, opt_state=opt_state)
    if is_optimizer_state(like):
        return _optimizer_state(like, state, None)
    return state


def _optimizer_state(like: Any, state: Any, steps: Any) -> Any:
    """The state of a chain; `steps` the optimiser has made, if that is known."""
    if isinstance(like, optax.MultiStepsState) != isinstance(state, optax.MultiStepsState):
        raise ValueError("an optimiser that accumulates gradients keeps their sum")
    if isinstance(like, optax.MultiStepsState):
        inner = _optimizer_state(like.inner_opt_state, state.inner_opt_state, state.gradient_step)
        return state._replace(inner_opt_state=inner)
    there = [part for part in state if jax.tree.leaves(part)]
    rules = [part for part in there if not isinstance(part, optax.ScaleByScheduleState)]
    counts = [part for part in there if isinstance(part, optax.ScaleByScheduleState)]
    found = []
    for part in like:
        if isinstance(part, optax.ScaleByScheduleState):
            found.append(counts.pop() if counts else part._replace(count=_count(rules, steps)))
        elif not jax.tree.leaves(part):
            found.append(part)
        elif rules and type(rules[0]) is type(part):
            found.append(rules.pop(0))
        else:
            raise ValueError(f"a rule that keeps {_kept(part)} cannot go on from one that keeps {_kept(*rules)}")
    if rules:
        raise ValueError(f"a rule that keeps nothing cannot go on from one that keeps {_kept(*rules)}")
    return tuple(found)


def _count(rules: list[Any], steps: Any) -> Any:
    """Steps of the optimiser so far, in an array of its own: a state is donated, and must not hold one twice."""
    known = [part.count for part in rules if "count" in part._fields]
    if not known and steps is None:
        raise ValueError("an optimiser that has not counted its steps cannot begin a schedule")
    return (known[0] if known else steps) + 0


def _kept(*parts: Any) -> str:
    """The moments of a rule, as `mu and nu`."""
    names = [name for part in parts for name in part._fields if name != "count"]
    return " and ".join(names) or "nothing"
