"""MUNIT's networks: sizes of the authors' code, what AdaIN and the encoder of style keep."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.munit import AdaptiveInstanceNorm, StyleDecoder, StyleEncoder
from jaxgen.nets.unit import ContentEncoder
from tests.nets.parameters import count, zeros

IMAGES, CONTENT, STYLE = zeros(256, 256, 3), zeros(64, 64, 256), jnp.zeros((1, 8))
MAPS = 2.0 + 3.0 * jax.random.normal(jax.random.key(0), (2, 4, 6, 3))
MEANS, DEVIATIONS = jax.random.normal(jax.random.key(1), (2, 2, 3))


def test_parameter_counts_are_those_of_the_authors_code():
    decoder, style = count(StyleDecoder(), CONTENT, STYLE, (256, 256, 3)), count(StyleEncoder(), IMAGES, (8,))
    assert style == 2_764_936
    assert decoder == 5_754_627 + 1_120_768  # UNIT's decoder, and the MLP
    assert decoder + style + count(ContentEncoder(), IMAGES) == 15_026_187


def test_maps_after_adain_have_the_given_means_and_the_size_of_the_given_deviations():
    found = AdaptiveInstanceNorm().apply({}, MAPS, MEANS, DEVIATIONS)
    np.testing.assert_allclose(found.mean(axis=(1, 2)), MEANS, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=(1, 2)), jnp.abs(DEVIATIONS), rtol=1e-4)


def test_adain_takes_away_scales_and_offsets_of_channels():
    found = AdaptiveInstanceNorm().apply({}, MAPS, MEANS, DEVIATIONS)
    moved = MAPS * jnp.array([[[[0.5, 2.0, 7.0]]]]) + jnp.array([[[[1.0, -3.0, 0.25]]]])
    np.testing.assert_allclose(AdaptiveInstanceNorm().apply({}, moved, MEANS, DEVIATIONS), found, rtol=1e-4, atol=1e-4)


def test_a_style_has_the_contrast_and_the_level_of_an_image_but_a_content_has_not():
    """Without norms and with biases of 0 a style is linear in the contrast, which an instance norm takes away."""
    images = jax.random.normal(jax.random.key(2), (1, 32, 32, 1))
    style, content = StyleEncoder(channels=2), ContentEncoder(channels=2, blocks=1)
    variables = style.init(jax.random.key(3), images, (4,)), content.init(jax.random.key(4), images)
    first, brighter = style.apply(variables[0], images, (4,)), style.apply(variables[0], 2.0 * images, (4,))
    np.testing.assert_allclose(brighter, 2.0 * first, rtol=1e-4)
    np.testing.assert_allclose(
        content.apply(variables[1], 2.0 * images + 0.5), content.apply(variables[1], images), atol=1e-3
    )


def test_a_style_changes_an_image_through_all_norms():
    net = StyleDecoder(ups=1, blocks=2, features=(4,))
    content, style = jax.random.normal(jax.random.key(5), (1, 4, 4, 4)), jnp.ones((1, 3))
    variables = net.init(jax.random.key(6), content, style, (8, 8, 2))
    found = net.apply(variables, content, style, (8, 8, 2))
    assert found.shape == (1, 8, 8, 2)
    assert not np.allclose(found, net.apply(variables, content, -style, (8, 8, 2)), rtol=1e-2)
    last = variables["params"]["MLP_0"]["Dense_1"]
    assert last["bias"].shape == (2 * 2 * 2 * 4,)  # blocks, norms, means and deviations, channels
    rest = variables["params"]["MLP_0"]

    def spread(bias):
        mlp = rest | {"Dense_1": last | {"bias": bias}}
        return net.apply({"params": variables["params"] | {"MLP_0": mlp}}, content, style, (8, 8, 2)).std()

    slope = jax.grad(spread)(last["bias"])
    moved = (jnp.abs(slope).reshape(2, 2, 2, 4) > 0).any(axis=3)
    assert moved.all()


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"output_shape is \(\), but must be one number"):
        StyleEncoder().init(jax.random.key(0), zeros(64, 64, 3), ())
    with pytest.raises(ValueError, match="size of the images is 24x32, but must be a multiple of 16x16"):
        StyleEncoder().init(jax.random.key(0), zeros(24, 32, 3), (8,))
    with pytest.raises(ValueError, match="16x16 after 2 doublings"):
        StyleDecoder().init(jax.random.key(0), zeros(4, 4, 8), STYLE, (32, 32, 3))
