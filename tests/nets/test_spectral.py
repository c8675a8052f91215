"""Spectral normalisation of a network: against SciPy's singular values, Flax's layer, and the paper's laws."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.courses.fidle import FidleDiscriminator
from jaxgen.nets.dcgan import DCGANDiscriminator
from jaxgen.nets.mlp import MLP
from jaxgen.nets.spectral import Spectral

IMAGES = jax.random.normal(jax.random.key(0), (4, 8, 8, 2))
TRAINING = Mode(train=True)
NET = Spectral(DCGANDiscriminator(3, norm="none"))


def trained(net, images, num=60):
    """Variables after `num` calls in training, in which only u changes."""
    variables = jax.jit(lambda: net.init(jax.random.key(1), images, ()))()

    def call(variables, _):
        _, changed = net.apply(variables, images, (), mode=TRAINING, mutable=["spectral"])
        return {**variables, **changed}, None

    return jax.jit(lambda variables: jax.lax.scan(call, variables, length=num)[0])(variables)


def scores(net, variables):
    return jax.jit(lambda variables: net.apply(variables, IMAGES, ()))(variables)


def kernels(tree):
    return [leaf for leaf in jax.tree.leaves(tree) if leaf.ndim > 1]


def test_a_network_is_that_with_each_weight_over_its_largest_singular_value():
    variables = trained(NET, IMAGES)
    inner = variables["params"]["inner"]
    assert len(kernels(inner)) == len(variables["spectral"]) == 2

    def divide(weight):
        if weight.ndim < 2:
            return weight
        return weight / np.linalg.svd(np.asarray(weight).reshape(-1, weight.shape[-1]), compute_uv=False)[0]

    wanted = NET.net.apply({"params": jax.tree.map(divide, inner)}, IMAGES, ())
    np.testing.assert_allclose(scores(NET, variables), wanted, rtol=1e-4, atol=1e-5)


def test_weights_may_be_scaled_as_one_likes_and_gradients_are_orthogonal_to_them():
    variables = trained(NET, IMAGES)
    doubled = {
        **variables,
        "params": jax.tree.map(lambda leaf: leaf * (2 if leaf.ndim > 1 else 1), variables["params"]),
    }
    np.testing.assert_allclose(scores(NET, doubled), scores(NET, variables), rtol=1e-5, atol=1e-6)
    gradient = jax.jit(jax.grad(lambda params: NET.apply({**variables, "params": params}, IMAGES, ()).sum()))
    for weight, slope in zip(kernels(variables["params"]), kernels(gradient(variables["params"])), strict=True):
        assert abs(jnp.vdot(weight, slope)) < 1e-4 * jnp.linalg.norm(weight) * jnp.linalg.norm(slope)


def test_a_layer_is_flaxs_from_the_same_u():
    """`flax.linen.SpectralNorm` of a dense layer."""

    class Flaxs(nn.Module):
        @nn.compact
        def __call__(self, inputs, train=False):
            return nn.SpectralNorm(nn.Dense(5))(inputs, update_stats=train)

    class Plain(nn.Module):
        @nn.compact
        def __call__(self, inputs, *, mode=EVALUATION):
            return nn.Dense(5)(inputs)

    inputs = jax.random.normal(jax.random.key(3), (7, 6))
    theirs = jax.jit(lambda: Flaxs().init(jax.random.key(4), inputs))()
    kernel, (u, _) = theirs["params"]["Dense_0"]["kernel"], jax.tree.leaves(theirs["batch_stats"])[::-1]
    ours = {"params": {"inner": {"Dense_0": theirs["params"]["Dense_0"]}}, "spectral": {"Dense_0/kernel": u[0]}}
    assert kernel.shape == (6, 5) and u.shape == (1, 5)
    wanted, after = Flaxs().apply(theirs, inputs, train=True, mutable=["batch_stats"])
    found, changed = Spectral(Plain()).apply(ours, inputs, mode=TRAINING, mutable=["spectral"])
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    (new,) = (leaf for leaf in jax.tree.leaves(after) if leaf.shape == (1, 5))
    np.testing.assert_allclose(changed["spectral"]["Dense_0/kernel"], new[0], rtol=1e-5)


def test_u_moves_in_training_alone():
    variables = jax.jit(lambda: NET.init(jax.random.key(1), IMAGES, ()))()
    _, still = NET.apply(variables, IMAGES, (), mutable=["spectral"])
    _, moved = NET.apply(variables, IMAGES, (), mode=TRAINING, mutable=["spectral"])
    for name, u in variables["spectral"].items():
        np.testing.assert_array_equal(still["spectral"][name], u)
        assert np.abs(moved["spectral"][name] - u).max() > 1e-3


def test_more_steps_find_the_value_at_once():
    patient = Spectral(NET.net, steps=60)
    variables = jax.jit(lambda: NET.init(jax.random.key(1), IMAGES, ()))()
    found = patient.apply(variables, IMAGES, ())  # not compiled: 60 steps written out
    np.testing.assert_allclose(found, scores(NET, trained(NET, IMAGES)), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="steps is 0, but must be at least 1"):
        scores(Spectral(NET.net, steps=0), variables)


def test_batch_statistics_of_the_network_inside_go_on():
    """As those of the network alone, which sees the same activations where its weights are normalised already."""
    net = MLP((5,), norm="batch")
    outer = Spectral(net, steps=60)
    variables = jax.jit(lambda: Spectral(net).init(jax.random.key(1), IMAGES, ()))()
    normalised = jax.tree.map(
        lambda leaf: leaf / np.linalg.norm(leaf, 2) if leaf.ndim > 1 else leaf, variables["params"]["inner"]
    )
    inner = {"params": normalised, "batch_stats": variables["batch_stats"]["inner"]}
    wanted, stats = net.apply(inner, IMAGES, (), mode=TRAINING, mutable=["batch_stats"])
    found, changed = outer.apply(variables, IMAGES, (), mode=TRAINING, mutable=["batch_stats", "spectral"])
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    jax.tree.map(
        lambda new, other: np.testing.assert_allclose(new, other, rtol=1e-4),
        changed["batch_stats"]["inner"],
        stats["batch_stats"],
    )


def test_dropout_inside_gets_its_keys():
    net = Spectral(FidleDiscriminator(2))
    variables = jax.jit(lambda: net.init(jax.random.key(1), IMAGES, ()))()
    modes = Mode(jax.random.split(jax.random.key(2), 4)), Mode(jax.random.split(jax.random.key(2), 4), train=True)
    apply = jax.jit(lambda mode: net.apply(variables, IMAGES, (), mode=mode, mutable=["spectral"])[0])
    plain, dropped = map(apply, modes)
    assert np.abs(plain - dropped).min() > 0


class Tree(nn.Module):
    """Layers of one name at two paths."""

    @nn.compact
    def __call__(self, inputs, output_shape=(), *, mode=EVALUATION):
        for name in ("block_1", "block_10"):
            inputs = Pair(name=name)(inputs)
        return nn.Dense(1, name="last")(inputs)


class Pair(nn.Module):
    @nn.compact
    def __call__(self, inputs):
        return nn.Dense(3, name="map")(nn.Dense(4, name="embedding")(inputs))


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("exempt", "kept"),
    [
        (("embedding",), {"block_1/embedding", "block_10/embedding"}),
        (("block_1",), {"block_1/embedding", "block_1/map"}),
        (("block_1/map", "last"), {"block_1/map", "last"}),
    ],
)
def test_weights_of_layers_that_are_exempt_stay_as_they_are_and_have_no_u(exempt, kept):
    net, inputs = Spectral(Tree(), exempt=exempt), jax.random.normal(jax.random.key(2), (5, 6))
    params = jax.tree.map(lambda leaf: 3.0 * leaf, jax.jit(lambda: net.init(jax.random.key(0), inputs))()["params"])
    variables = jax.jit(lambda: net.init(jax.random.key(0), inputs))() | {"params": params}
    step = jax.jit(lambda variables: net.apply(variables, inputs, mode=TRAINING, mutable=["spectral"])[1])
    for _ in range(60):
        variables |= step(variables)
    layers = {"block_1/embedding", "block_1/map", "block_10/embedding", "block_10/map", "last"}
    assert {name.removesuffix("/kernel") for name in variables["spectral"]} == layers - kept

    def divided(path, weight):
        path = "/".join(key.key for key in path)
        exempt = weight.ndim < 2 or path.removesuffix("/kernel") in kept
        return weight if exempt else weight / np.linalg.norm(weight, 2)

    wanted = Tree().apply({"params": jax.tree_util.tree_map_with_path(divided, params["inner"])}, inputs)
    np.testing.assert_allclose(net.apply(variables, inputs), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["embeding", "block", "kernel", ""])
def test_exempt_layers_that_there_are_not_are_refused(name):
    with pytest.raises(ValueError, match=r"exempt is \('last', .*\), but must be layers with weights, which \['"):
        jax.eval_shape(lambda: Spectral(Tree(), exempt=("last", name)).init(jax.random.key(0), jnp.ones((2, 3))))
