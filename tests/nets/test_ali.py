import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.ali import ALIDiscriminator, ALIEncoder, ALIGenerator

IMAGES, LATENTS = jnp.ones((2, 32, 32, 3)), jnp.ones((2, 64))


def params_of(net, *inputs):
    outputs, variables = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), *inputs))
    return outputs.shape, variables["params"]


def count(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def test_parameter_counts_are_those_of_the_reference():
    """Of the discriminator the reference counts weights alone."""
    shape, params = params_of(ALIEncoder(), IMAGES, (128,))
    assert (shape, count(params)) == ((2, 128), 3_118_496)
    shape, params = params_of(ALIGenerator(), LATENTS, (32, 32, 3))
    assert (shape, count(params)) == ((2, 32, 32, 3), 978_080 + 3_072)
    shape, params = params_of(ALIDiscriminator(), IMAGES, LATENTS, ())
    weights = [leaf for path, leaf in jax.tree_util.tree_leaves_with_path(params) if path[-1].key == "kernel"]
    assert (shape, count(weights)) == ((2,), 2_607_968)


def test_each_pixel_of_an_image_has_a_bias_of_its_own():
    net = ALIGenerator(2)
    variables = net.init(jax.random.key(0), LATENTS, (32, 32, 3))
    bias = jax.random.normal(jax.random.key(1), (32, 32, 3))
    moved = {**variables, "params": {**variables["params"], "bias": bias}}
    apply = jax.jit(lambda each: net.apply(each, LATENTS, (32, 32, 3)))
    np.testing.assert_allclose(apply(moved) - apply(variables), jnp.stack([bias, bias]), atol=1e-5)


def test_dropout_of_the_discriminator_is_of_each_example_and_of_training_alone():
    net = ALIDiscriminator(4, 16, 16, input_dropout=0.2, hidden_dropout=0.1)
    variables = net.init(jax.random.key(0), IMAGES, LATENTS, ())
    mode = Mode(jax.random.split(jax.random.key(1), 2), train=True)
    variables = jax.tree.map(lambda leaf: 100 * leaf, variables)  # weights of deviation 1
    first, second = net.apply(variables, IMAGES, LATENTS, (), mode=mode)
    assert first != second
    first, second = net.apply(variables, IMAGES, LATENTS, ())
    assert first == second


@pytest.mark.parametrize(
    ("net", "inputs", "message"),
    [
        (ALIEncoder(2), (jnp.ones((2, 28, 28, 1)), (4,)), "of 32x32 pixels"),
        (ALIGenerator(2), (LATENTS, (28, 28, 1)), "of 32x32 pixels"),
        (ALIDiscriminator(2), (jnp.ones((2, 32, 28, 1)), LATENTS, ()), "of 32x32 pixels"),
        (ALIEncoder(0), (IMAGES, (4,)), "channels is 0, but must be at least 1"),
        (ALIDiscriminator(2, 5, 4), (IMAGES, LATENTS, ()), "even, for pieces of two"),
    ],
)
def test_what_does_not_fit_is_refused(net, inputs, message):
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs))
