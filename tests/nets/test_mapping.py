"""Mapping network of the StyleGANs."""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.mapping import Mapping
from jaxgen.testing import leaves
from tests.nets.parameters import count, zeros


@pytest.mark.parametrize(("layers", "wanted"), [(8, 2_101_248), (2, 525_312)])
def test_parameter_counts_of_the_mapping_are_those_of_the_authors_code(layers, wanted):
    assert count(Mapping(layers), zeros(512)) == wanted


def test_a_class_adds_its_embedding_and_the_first_layers_inputs():
    class WithClass(nn.Module):
        @nn.compact
        def __call__(self, latents, classes):
            return Mapping(2)(latents, condition=classes)

    assert count(WithClass(), zeros(512), zeros(10)) == 525_312 + 267_776


@pytest.mark.parametrize("scaled", [False, True])
def test_the_mapping_takes_the_direction_of_a_latent_alone(scaled):
    net, latents = Mapping(3, 16, scaled_activation=scaled), jax.random.normal(jax.random.key(0), (64, 16))
    styles, variables = net.init_with_output(jax.random.key(1), latents)
    np.testing.assert_allclose(net.apply(variables, 5 * latents), styles, atol=1e-5)
    assert styles.shape == (64, 16) and 0.3 < (styles**2).mean() < 3.0


def test_where_the_gain_stands_is_seen_in_the_biases_alone():
    """StyleGAN 2 multiplies the activation by sqrt(2), biases with it; before it the weights alone."""
    first, second = Mapping(1, 4), Mapping(1, 4, scaled_activation=True)
    latents = jax.random.normal(jax.random.key(0), (2, 4))
    variables = first.init(jax.random.key(1), latents)
    np.testing.assert_allclose(first.apply(variables, latents), second.apply(variables, latents), rtol=1e-5)
    biased = jax.tree.map(lambda leaf: leaf + 100.0 if leaf.ndim == 1 else 0 * leaf, variables)
    ratio = second.apply(biased, latents) / first.apply(biased, latents)
    np.testing.assert_allclose(ratio, np.full((2, 4), math.sqrt(2)), rtol=1e-5)
    assert (first.apply(biased, latents) > 0).all()


def test_settings_and_shapes_out_of_range_are_refused():
    with pytest.raises(ValueError, match="layers is 0, but must be at least 1"):
        Mapping(0).init(jax.random.key(0), zeros(4))
    with pytest.raises(ValueError, match=r"output_shape is \(3,\), but must be \(\) or \(512,\)"):
        Mapping().init(jax.random.key(0), zeros(4), (3,))


def test_classes_reach_the_styles_through_both_parts():
    net, latents = Mapping(2, 8), jax.random.normal(jax.random.key(0), (2, 8))
    variables = net.init(jax.random.key(1), latents, condition=jnp.eye(3)[:2])
    same = net.apply(variables, latents[:1].repeat(2, 0), condition=jnp.eye(3)[:2])
    assert not np.allclose(same[0], same[1])
    assert "embed" in "".join(leaves(variables))
