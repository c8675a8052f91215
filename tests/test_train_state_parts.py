"""Players of several networks, and networks that no optimiser moves."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.mlp import MLP
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.train_state import Frozen, apply, as_part, blank, create, create_parts, descend, freeze, merge, only

SLOW = Optimizer(0.1, SGD())
NET = MLP((4,), norm="batch")
PARTS = {"encoder": (NET, blank((3,)), (2,)), "decoder": (Spectral(MLP((4,))), blank((2,)), (3,))}


def test_a_part_begins_as_its_own_network_would_under_its_name():
    """Weights are drawn by path, so those of a part do not depend on which others there are."""
    key = jax.random.key(0)
    state = create_parts(PARTS, SLOW, key)
    assert set(state.variables) == {"params", "batch_stats", "spectral"}
    for name, part in PARTS.items():
        alone = create_parts({name: part}, SLOW, key)
        found = {kind: {name: tree[name]} for kind, tree in state.variables.items() if name in tree}
        chex.assert_trees_all_equal(found, alone.variables)
    twins = create_parts({"a": (MLP((4,)), blank((3,)), (2,)), "b": (MLP((4,)), blank((3,)), (2,))}, SLOW, key).params
    kernels = [twins[name]["Dense_0"]["kernel"] for name in ("a", "b")]
    assert kernels[0].shape == kernels[1].shape and (kernels[0] != kernels[1]).any()


class Doubled(nn.Module):
    """A network without variables."""

    @nn.compact
    def __call__(self, inputs, output_shape, *, mode=EVALUATION):
        return 2 * inputs


def test_a_part_may_have_no_variables():
    state = create_parts({"doubled": (Doubled(), blank((3,)), (3,))}, SLOW, jax.random.key(0))
    assert state.variables == {"params": {}}


def test_a_part_is_applied_as_its_network_is_and_changes_its_own_statistics_alone():
    state, inputs = create_parts(PARTS, SLOW, jax.random.key(0)), jax.random.normal(jax.random.key(1), (8, 3))
    outputs, after = apply(NET, state.variables, inputs, (2,), mode=Mode(train=True), part="encoder")
    own = {"params": state.params["encoder"], "batch_stats": state.collections["batch_stats"]["encoder"]}
    wanted, changed = apply(NET, own, inputs, (2,), mode=Mode(train=True))
    chex.assert_trees_all_equal(outputs, wanted)
    chex.assert_trees_all_equal(after["batch_stats"]["encoder"], changed["batch_stats"])
    assert jax.tree.structure(after) == jax.tree.structure(state.variables)
    for kind in ("params", "spectral"):
        chex.assert_trees_all_equal(after[kind], state.variables[kind])
    assert (jax.tree.leaves(changed["batch_stats"])[0] != jax.tree.leaves(own["batch_stats"])[0]).any()


def test_a_step_of_one_part_moves_it_alone_with_an_optimizer_of_its_own():
    """And the momentum of its steps goes on where it is handed on."""
    momentum = Optimizer(0.5, SGD(momentum=0.5))
    parts = {name: (MLP(()), blank((3,)), (2,)) for name in ("a", "b")}
    state, ones = create_parts(parts, SLOW, jax.random.key(0)), jnp.ones((4, 3))

    def loss(variables):
        outputs, variables = apply(MLP(()), as_part(variables, "a"), ones, (2,), part="a")
        return outputs.sum(axis=1).mean(), ({}, variables)  # whose gradient is 1 everywhere

    part, _ = descend(only(state, "a", momentum), loss, ())
    assert jax.tree.structure(part.params) == jax.tree.structure(state.params["a"])
    once = merge(state, "a", part)
    part, _ = descend(only(once, "a", momentum, part.opt_state), loss, ())
    twice = merge(once, "a", part)
    for before, after in zip(jax.tree.leaves(state.params["a"]), jax.tree.leaves(twice.params["a"]), strict=True):
        np.testing.assert_allclose(after, before - 0.5 - 0.5 * 1.5, atol=1e-6)  # velocity 1, then 1 + 0.5 * 1
    chex.assert_trees_all_equal(twice.params["b"], state.params["b"])
    chex.assert_trees_all_equal((twice.opt_state, twice.step), (state.opt_state, state.step))


def test_a_step_of_one_part_keeps_the_statistics_of_its_pass_and_those_of_the_other_parts():
    state, inputs = create_parts(PARTS, SLOW, jax.random.key(0)), jax.random.normal(jax.random.key(1), (8, 3))

    def passed(variables):
        return apply(NET, variables, inputs, (2,), mode=Mode(train=True), part="encoder")

    def loss(variables):
        outputs, variables = passed(as_part(variables, "encoder"))
        return (outputs**2).mean(), ({}, variables)

    part, _ = descend(only(state, "encoder", SLOW), loss, ())
    found, wanted = merge(state, "encoder", part).collections, passed(state.variables)[1]
    chex.assert_trees_all_close(found, {name: wanted[name] for name in ("batch_stats", "spectral")}, atol=1e-6)


def test_a_frozen_network_has_variables_and_a_name_and_no_optimizer():
    """It stands in a State beside the players, moves by no step and takes no gradient of theirs."""
    frozen = freeze(NET, "features", jax.random.key(3), blank((3,)), (2,))
    chex.assert_trees_all_equal(frozen.variables, NET.init(jax.random.key(3), blank((3,)), (2,)))
    assert jax.tree.structure(frozen) != jax.tree.structure(Frozen(variables=frozen.variables, name="others"))
    state, inputs = (
        create(MLP((4,)), SLOW, jax.random.key(0), blank((3,)), (2,)),
        jax.random.normal(jax.random.key(1), (8, 3)),
    )

    @jax.jit
    def step(state, frozen):
        def loss(variables):
            outputs, variables = apply(MLP((4,)), variables, inputs, (2,))
            wanted, _ = apply(NET, frozen.variables, inputs, (2,))
            return ((outputs - wanted) ** 2).mean(), ({}, variables)

        return descend(state, loss, ())[0], frozen

    moved, after = step(state, frozen)
    chex.assert_trees_all_equal(after, frozen)
    assert set(moved.params) == set(state.params)
    assert all((a != b).any() for a, b in zip(*map(jax.tree.leaves, (moved.params, state.params)), strict=True))


@pytest.mark.parametrize(
    "made",
    [
        lambda net, *given: create(net, SLOW, *given),
        lambda net, *given: create_parts({"part": (net, *given[1:])}, SLOW, given[0]),
        lambda net, *given: freeze(net, "features", *given),
    ],
    ids=["a player", "a part", "frozen"],
)
def test_a_module_with_another_signature_is_refused_wherever_a_network_is_given(made):
    with pytest.raises(ValueError, match=r"Dense is called as \(inputs.*, but a network as \(inputs, output_shape"):
        made(nn.Dense(2), jax.random.key(0), blank((3,)))


def test_a_collection_that_a_loss_adds_is_not_kept():
    state = create(MLP((4,)), SLOW, jax.random.key(0), blank((3,)), (2,))

    def loss(variables):
        return variables["params"]["Dense_0"]["bias"].sum(), ({}, {**variables, "added": 1})

    new, _ = descend(state, loss, ())
    assert jax.tree.structure(new) == jax.tree.structure(state)


def test_an_example_of_zeros_has_a_batch_of_one():
    assert blank((2, 3)).shape == (1, 2, 3) and not blank((2, 3)).any()


def test_a_part_that_two_networks_share_is_stored_once_and_gets_the_gradients_of_both():
    """As the tied layers of CoGAN and UNIT: the trunk is one part, and the two branches are one each."""
    parts = {"trunk": (MLP(()), blank((3,)), (4,))} | {name: (MLP(()), blank((4,)), (2,)) for name in ("a", "b")}
    state, points = create_parts(parts, SLOW, jax.random.key(0)), jax.random.normal(jax.random.key(1), (8, 3))
    assert set(state.params) == {"trunk", "a", "b"}

    def loss_of(*branches):
        def loss(variables):
            hidden, variables = apply(MLP(()), variables, points, (4,), part="trunk")
            outputs = [apply(MLP(()), variables, hidden, (2,), part=name)[0] for name in branches]
            return sum((each**2).mean() for each in outputs), ({}, variables)

        return loss

    both, alone = descend(state, loss_of("a", "b"), ())[0], [descend(state, loss_of(name), ())[0] for name in "ab"]
    moved = jax.tree.map(lambda new, old: new - old, both.params, state.params)
    apart = [jax.tree.map(lambda new, old: new - old, each.params, state.params) for each in alone]
    chex.assert_trees_all_close(moved["trunk"], jax.tree.map(jnp.add, *(each["trunk"] for each in apart)), atol=1e-6)
    assert all(np.abs(leaf).max() > 1e-4 for leaf in jax.tree.leaves(moved["trunk"]))
    chex.assert_trees_all_close((moved["a"], moved["b"]), (apart[0]["a"], apart[1]["b"]), atol=1e-6)
