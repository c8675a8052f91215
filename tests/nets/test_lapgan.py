"""Networks of LAPGAN: shapes, sizes by hand, dropout, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.lapgan import BandDiscriminator, BandGenerator, DropoutMLP

IMAGES = jax.random.normal(jax.random.key(0), (2, 8, 6, 4))


@pytest.mark.parametrize(
    ("net", "shape", "wanted"),
    [
        (DropoutMLP((5, 4)), (), 192 * 5 + 5 + 5 * 4 + 4 + 4 + 1),
        (BandGenerator(3, kernel_size=5), (8, 6, 2), 25 * 4 * 3 + 3 + 25 * 9 + 3 + 25 * 6 + 2),
        (BandGenerator(3, layers=0, kernel_size=1), (8, 6, 2), 4 * 2 + 2),
        (BandDiscriminator(3, kernel_size=3), (), 9 * 4 * 3 + 3 + 9 * 9 + 3 + 4 * 3 * 3 + 1),
    ],
)
def test_outputs_have_their_shape_and_networks_their_size(net, shape, wanted):
    outputs, variables = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), IMAGES, shape))
    assert outputs.shape == (2, *shape)
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == wanted


@pytest.mark.parametrize("net", [DropoutMLP((8,)), BandDiscriminator(4)])
def test_there_is_dropout_in_training_alone(net):
    variables = net.init(jax.random.key(1), IMAGES)
    plain = net.apply(variables, IMAGES)
    np.testing.assert_array_equal(net.apply(variables, IMAGES, mode=Mode()), plain)
    dropped = net.apply(variables, IMAGES, mode=Mode(jax.random.split(jax.random.key(2), 2), train=True))
    assert np.abs(dropped - plain).max() > 1e-3


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (DropoutMLP((0,)), r"features is \(0,\), but must be positive widths"),
        (BandGenerator(0), "channels is 0, but must be at least 1"),
        (BandGenerator(2, layers=-1), "layers is -1, but must be at least 0"),
        (BandDiscriminator(0), "channels is 0, but must be at least 1"),
    ],
)
def test_bad_sizes_are_refused(net, message):
    with pytest.raises(ValueError, match=message):
        net.init(jax.random.key(0), jnp.ones((1, 4, 4, 2)), (4, 4, 1))
