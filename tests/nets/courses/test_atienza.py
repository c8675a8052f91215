import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.convolution import conv
from jaxgen.nets.courses.atienza import AtienzaDiscriminator, AtienzaGenerator
from tests.nets.counts import counts


def test_parameter_counts_are_those_of_the_book():
    assert counts(AtienzaGenerator(), 100, AtienzaDiscriminator(), (28, 28, 1)) == (1_300_801, 1_080_577)


def test_activations_stand_before_the_convolutions():
    images = jax.random.normal(jax.random.key(0), (3, 8, 8, 1))
    scores, variables = jax.jit(lambda: AtienzaDiscriminator(2, 3).init_with_output(jax.random.key(1), images, ()))()
    params, hidden = variables["params"], images
    for level, stride in enumerate((2, 2, 2, 1)):
        hidden = conv(nn.leaky_relu(hidden, 0.2), params[f"Conv_{level}"]["kernel"], strides=stride, form="plain")
    np.testing.assert_allclose(scores, (hidden.reshape(3, -1) @ params["Dense_0"]["kernel"])[:, 0], atol=1e-6)


def test_all_but_the_generators_output_and_the_discriminators_input_is_normalised():
    generator, discriminator = AtienzaGenerator(2), AtienzaDiscriminator(2, norm="batch")
    shapes = jax.eval_shape(lambda: generator.init(jax.random.key(0), jnp.ones((2, 3)), (16, 16, 1)))
    assert len(shapes["batch_stats"]) == 4
    shapes = jax.eval_shape(lambda: discriminator.init(jax.random.key(0), jnp.ones((2, 16, 16, 1)), ()))
    assert len(shapes["batch_stats"]) == 3


def test_sides_that_have_no_quarter_are_refused():
    with pytest.raises(ValueError, match="10x12, but must be a multiple of 4x4"):
        AtienzaGenerator(2).init(jax.random.key(0), jnp.ones((2, 3)), (10, 12, 1))
