"""ESRGAN's generator: sizes of the authors' code, and what its blocks do without weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.rrdb import RRDB, ResidualDenseBlock, RRDBNet
from tests.nets.parameters import count, zeros


def test_parameter_counts_are_those_of_the_authors_code():
    assert count(RRDBNet(), zeros(24, 24, 3), (96, 96, 3)) == 16_697_987
    assert count(RRDBNet(blocks=16), zeros(24, 24, 3), (96, 96, 3)) == 11_662_019
    assert count(ResidualDenseBlock(), zeros(4, 4, 64)) == 239_808


def test_without_weights_a_dense_block_is_the_identity_and_an_rrdb_multiplies_by_six_fifths():
    maps = jax.random.normal(jax.random.key(0), (1, 3, 4, 2))
    for net, factor in ((ResidualDenseBlock(2), 1.0), (RRDB(2), 1.2)):
        variables = jax.tree.map(jnp.zeros_like, net.init(jax.random.key(1), maps))
        np.testing.assert_allclose(net.apply(variables, maps), factor * maps, rtol=1e-6)
    assert pytest.approx(66.247, abs=1e-3) == 1.2**23


def test_one_network_enlarges_images_of_every_size():
    net = RRDBNet(2, 1, 1)
    variables = jax.eval_shape(lambda: net.init(jax.random.key(0), zeros(4, 4, 3), (16, 16, 3)))
    for height, width in ((4, 4), (5, 7), (1, 3)):
        shape = 4 * height, 4 * width, 3
        made = jax.eval_shape(lambda v, s=shape, h=height, w=width: net.apply(v, zeros(h, w, 3), s), variables)
        assert made.shape == (1, *shape) and made.dtype == jnp.float32


def test_convolutions_of_dense_blocks_begin_a_tenth_as_large_as_hes():
    params = ResidualDenseBlock(64).init(jax.random.key(0), zeros(2, 2, 64))["params"]
    for place, kernel in enumerate(params[f"Conv_{number}"]["kernel"] for number in range(5)):
        inputs = 9 * 64 * (place + 1)
        assert float(kernel.std()) == pytest.approx(0.1 * (2 / inputs) ** 0.5, rel=0.03)


def test_settings_and_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="output_shape is"):
        RRDBNet(2, 1, 1).init(jax.random.key(0), zeros(4, 4, 3), (12, 12, 3))
    with pytest.raises(ValueError, match=r"channels, growth is \(64, 0\)"):
        RRDBNet(growth=0).init(jax.random.key(0), zeros(4, 4, 3), (8, 8, 3))
