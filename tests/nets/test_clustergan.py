import jax
import jax.numpy as jnp
import pytest

from jaxgen.nets.clustergan import ClusterGANEncoder, ClusterGANGenerator

LATENTS, IMAGES = jnp.ones((2, 40)), jnp.ones((2, 28, 28, 1))


def made(net, *inputs):
    """The shape of outputs, and how many parameters there are."""
    outputs, variables = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), *inputs))
    return outputs.shape, sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def test_parameter_counts_are_those_of_the_reference():
    assert made(ClusterGANGenerator(), LATENTS, (28, 28, 1)) == ((2, 28, 28, 1), 6_604_161)
    assert made(ClusterGANEncoder(), IMAGES, (40,)) == ((2, 40), 6_596_840)
    assert made(ClusterGANEncoder(), IMAGES, ()) == ((2,), 6_556_865)


@pytest.mark.parametrize(
    ("net", "inputs", "message"),
    [
        (ClusterGANGenerator(2, 2), (LATENTS, (30, 28, 1)), "a multiple of 4x4"),
        (ClusterGANEncoder(2, 2), (jnp.ones((2, 28, 30, 1)),), "a multiple of 4x4"),
        (ClusterGANGenerator(0, 2), (LATENTS, (28, 28, 1)), "features is 0, but must be at least 1"),
        (ClusterGANEncoder(0, 2), (IMAGES,), "channels is 0, but must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(net, inputs, message):
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs))
