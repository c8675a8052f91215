"""UNIT's networks: sizes of the authors' code, the layer norm by hand, means of halved images, refused sizes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.unit import (
    ContentDecoder,
    ContentEncoder,
    MultiScaleDiscriminator,
    ResidualBlocks,
    UnbiasedLayerNorm,
    half,
)
from tests.nets.parameters import count, zeros

IMAGES, CONTENT = zeros(256, 256, 3), zeros(64, 64, 256)


def test_parameter_counts_are_those_of_the_authors_code_with_and_without_shared_blocks():
    assert count(ContentEncoder(), IMAGES) == 5_385_856
    assert count(ContentDecoder(), CONTENT, (256, 256, 3)) == 5_754_627
    assert 5_385_856 + 5_754_627 == 11_140_483
    content = jax.eval_shape(lambda: ContentEncoder().init_with_output(jax.random.key(0), IMAGES)[0])
    assert content.shape == CONTENT.shape
    block = count(ResidualBlocks(1), CONTENT)
    assert count(ContentEncoder(blocks=3), IMAGES) + block == 5_385_856
    assert count(ContentDecoder(blocks=3), CONTENT, (256, 256, 3)) + block == 5_754_627


def test_the_discriminator_has_three_networks_of_one_size_and_a_map_for_each():
    assert count(MultiScaleDiscriminator(), IMAGES) == 8_271_171
    assert count(MultiScaleDiscriminator(scales=1), IMAGES) == 2_757_057
    maps = jax.eval_shape(lambda: MultiScaleDiscriminator().init_with_output(jax.random.key(0), IMAGES)[0])
    assert [each.shape for each in maps] == [(1, 16, 16), (1, 8, 8), (1, 4, 4)]


def test_no_blocks_leave_a_map_as_it_is_and_have_no_parameters():
    maps = jax.random.normal(jax.random.key(0), (2, 4, 4, 3))
    found, variables = ResidualBlocks(0).init_with_output(jax.random.key(1), maps)
    np.testing.assert_array_equal(found, maps)
    assert not variables


def test_the_layer_norm_takes_the_unbiased_deviation_of_an_example():
    maps = 3.0 + 2.0 * jax.random.normal(jax.random.key(0), (2, 4, 5, 3))
    variables = UnbiasedLayerNorm().init(jax.random.key(1), maps)
    scale = np.asarray(variables["params"]["scale"])
    assert (scale >= 0).all() and (scale < 1).all() and scale.std() > 0
    rows = np.asarray(maps, np.float64).reshape(2, -1)
    normal = (rows - rows.mean(1, keepdims=True)) / (rows.std(1, ddof=1, keepdims=True) + 1e-5)
    found = UnbiasedLayerNorm().apply(variables, maps)
    np.testing.assert_allclose(found, normal.reshape(maps.shape) * scale, rtol=1e-4, atol=1e-5)


def test_the_layer_norm_of_a_constant_has_a_finite_slope():
    variables = UnbiasedLayerNorm().init(jax.random.key(1), jnp.ones((1, 2, 2, 1)))
    slope = jax.grad(lambda maps: UnbiasedLayerNorm().apply(variables, maps)[0, 0, 0, 0])(jnp.ones((1, 2, 2, 1)))
    assert jnp.isfinite(slope).all()


def test_half_an_image_is_of_means_that_do_not_count_the_border():
    images = jnp.arange(16.0).reshape(1, 4, 4, 1)
    found = np.asarray(half(images))[0, :, :, 0]
    rows = np.arange(16.0).reshape(4, 4)
    np.testing.assert_allclose(
        found, [[rows[:2, :2].mean(), rows[:2, 1:].mean()], [rows[1:, :2].mean(), rows[1:, 1:].mean()]]
    )
    np.testing.assert_array_equal(half(jnp.ones((1, 6, 4, 2))), jnp.ones((1, 3, 2, 2)))


def test_sizes_that_do_not_fit_are_refused():
    key = jax.random.key(0)
    with pytest.raises(ValueError, match="size of the images is 10x12, but must be a multiple of 4x4, at least 8x8"):
        ContentEncoder().init(key, zeros(10, 12, 3))
    with pytest.raises(ValueError, match=r"output_shape is \(32, 32, 3\), but must be 16x16 after 2 doublings"):
        ContentDecoder().init(key, zeros(4, 4, 8), (32, 32, 3))
    with pytest.raises(ValueError, match="channels of the content is 6, but must be a multiple of 4"):
        ContentDecoder().init(key, zeros(4, 4, 6), (16, 16, 3))
    with pytest.raises(ValueError, match="size of the images is 32x32, but must be a multiple of 64x64"):
        MultiScaleDiscriminator().init(key, zeros(32, 32, 3))
    with pytest.raises(ValueError, match=r"layers, scales is \(4, 0\)"):
        MultiScaleDiscriminator(scales=0).init(key, zeros(32, 32, 3))
    for net in (ContentEncoder(), ResidualBlocks(), MultiScaleDiscriminator()):
        with pytest.raises(ValueError, match=r"output_shape is \(2,\)"):
            net.init(key, zeros(64, 64, 3), (2,))
