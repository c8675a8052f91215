"""What tests of generators and discriminators with classes have in common."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.mode import Mode

TRAINING = Mode(train=True)
CLASSES = jax.nn.one_hot(jnp.array([0, 2, 1]), 3)
LATENTS = jax.random.normal(jax.random.key(10), (3, 8))


def images(height, width, channels=3):
    """Three of them."""
    return jax.random.normal(jax.random.key(11), (3, height, width, channels))


def begun(net, *inputs):
    """Variables whose vectors and scalars are drawn too, so that no gamma is 0 and no ReLU's bias."""

    def moved(path, leaf):
        seed = jax.random.key(sum(map(ord, jax.tree_util.keystr(path))))
        return leaf + 0.3 * jax.random.normal(seed, leaf.shape) if leaf.ndim < 2 else leaf

    def init():
        variables = net.init(jax.random.key(12), *inputs)
        return {**variables, "params": jax.tree_util.tree_map_with_path(moved, variables["params"])}

    return jax.jit(init)()


def outputs(net, variables, *inputs):
    """Out of training; compiled once for a network and shapes."""
    arrays = [each for each in inputs if not isinstance(each, tuple)]
    return _outputs(net, variables, arrays, tuple(each for each in inputs if isinstance(each, tuple)))


@functools.partial(jax.jit, static_argnums=(0, 3))
def _outputs(net, variables, arrays, shape):
    return net.apply(variables, *arrays, *shape)


def outputs_and_slopes(net, variables, *inputs, mode=TRAINING):
    """Outputs, and the gradient in the params of a sum that no permutation of outputs leaves alone."""
    others = [name for name in variables if name != "params"]

    def total(params):
        given, _ = net.apply({**variables, "params": params}, *inputs, mode=mode, mutable=others)
        weights = np.random.default_rng(0).normal(size=given.shape).astype(np.float32)
        return (given * weights).sum(), given

    (_, given), slopes = jax.jit(jax.value_and_grad(total, has_aux=True))(variables["params"])
    return given, slopes


def check_finite_and_reached(net, *inputs):
    """Outputs and gradients are finite, and each parameter has a gradient."""
    variables = begun(net, *inputs)
    given, slopes = outputs_and_slopes(net, variables, *inputs)
    assert given.dtype == jnp.float32 and np.isfinite(given).all()
    for path, slope in jax.tree_util.tree_leaves_with_path(slopes):
        assert np.isfinite(slope).all() and np.any(slope), path


def check_remat(net, *inputs):
    """The same outputs and gradients with blocks computed again, from variables of the same names."""
    variables = begun(net, *inputs)
    again = net.clone(remat=True)
    shapes = jax.eval_shape(lambda: again.init(jax.random.key(0), *inputs))
    assert jax.tree.structure(shapes) == jax.tree.structure(variables)
    for found, wanted in zip(*(outputs_and_slopes(each, variables, *inputs) for each in (again, net)), strict=True):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3), found, wanted)
    program = jax.make_jaxpr(lambda variables: again.apply(variables, *inputs))(variables)
    assert "remat" in str(program) or "checkpoint" in str(program)


def check_half_precision(net, *inputs, tolerance=0.1):
    """bfloat16 gives float32 outputs, close to those of float32."""
    variables = begun(net, *inputs)
    half = net.clone(dtype="bfloat16")
    found, wanted = (outputs(each, variables, *inputs) for each in (half, net))
    assert found.dtype == jnp.float32 and np.any(found != wanted)
    assert np.abs(found - wanted).max() < tolerance * np.abs(wanted).max()


def power_method(net, variables, *inputs, num=40):
    """Variables after calls in training, in which u of `Spectral` converges."""
    others = [name for name in variables if name != "params"]

    def call(variables, _):
        _, changed = net.apply(variables, *inputs, mode=TRAINING, mutable=others)
        return {**variables, **changed}, None

    return jax.jit(lambda variables: jax.lax.scan(call, variables, length=num)[0])(variables)


def weights_inside(net, variables, *inputs):
    """The weights that the network inside of `Spectral` computes with, by path."""

    def weights(variables):
        seen = {}

        def record(call, args, kwargs, context):
            for name, leaf in context.module.variables.get("params", {}).items():
                if context.method_name == "__call__" and getattr(leaf, "ndim", 0) > 1:
                    seen["/".join((*context.module.path, name))] = leaf
            return call(*args, **kwargs)

        with nn.intercept_methods(record):
            net.apply(variables, *inputs)
        return seen

    return jax.jit(weights)(variables)


def largest_singular_value(weight):
    return np.linalg.norm(np.asarray(weight).reshape(-1, weight.shape[-1]), 2)
