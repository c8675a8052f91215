import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution import conv
from jaxgen.nets.courses.atienza import AtienzaDiscriminator, AtienzaGenerator
from jaxgen.nets.courses.fidle import FidleDiscriminator, FidleGenerator
from jaxgen.nets.courses.lanham import LanhamCritic, LanhamGenerator
from tests.nets.counts import counts


def test_parameter_counts_are_those_that_are_taught():
    assert counts(LanhamGenerator(), 100, LanhamCritic(), (32, 32, 3)) == (1_224_259, 101_089)
    assert counts(AtienzaGenerator(), 100, AtienzaDiscriminator(), (28, 28, 1)) == (1_300_801, 1_080_577)
    assert counts(FidleGenerator(), 128, FidleDiscriminator(), (28, 28, 1)) == (779_969, 396_609)


@pytest.mark.parametrize("net", [LanhamCritic(2, norm="none"), FidleDiscriminator(2)])
def test_dropout_is_on_in_training(net):
    images = jax.random.normal(jax.random.key(0), (4, 8, 8, 1))
    params = net.init(jax.random.key(1), images, ())["params"]
    keys = jax.random.split(jax.random.key(2), 4)
    modes = EVALUATION, Mode(keys, train=True)
    plain, dropped = (net.apply({"params": params}, images, (), mode=mode) for mode in modes)
    assert np.abs(plain - dropped).min() > 0


def test_fidle_drops_what_the_dense_layer_sees():
    """With a rate so high that almost nothing is left, scores are almost all the bias, 0."""
    net, images = FidleDiscriminator(2, dropout=0.999), jnp.ones((4, 8, 8, 1))
    params = net.init(jax.random.key(1), images, ())["params"]
    mode = Mode(jax.random.split(jax.random.key(2), 4), train=True)
    scores = net.apply({"params": params}, images, (), mode=mode)
    np.testing.assert_array_equal(scores, 0.0)


def test_atienzas_activations_stand_before_the_convolutions():
    images = jax.random.normal(jax.random.key(0), (3, 8, 8, 1))
    scores, variables = AtienzaDiscriminator(2, 3).init_with_output(jax.random.key(1), images, ())
    params, hidden = variables["params"], images
    for level, stride in enumerate((2, 2, 2, 1)):
        hidden = conv(nn.leaky_relu(hidden, 0.2), params[f"Conv_{level}"]["kernel"], strides=stride, form="plain")
    np.testing.assert_allclose(scores, (hidden.reshape(3, -1) @ params["Dense_0"]["kernel"])[:, 0], atol=1e-6)


def test_atienzas_generator_normalises_all_but_its_output_and_its_discriminator_all_but_its_input():
    generator, discriminator = AtienzaGenerator(2), AtienzaDiscriminator(2, norm="batch")
    shapes = jax.eval_shape(lambda: generator.init(jax.random.key(0), jnp.ones((2, 3)), (16, 16, 1)))
    assert len(shapes["batch_stats"]) == 4
    shapes = jax.eval_shape(lambda: discriminator.init(jax.random.key(0), jnp.ones((2, 16, 16, 1)), ()))
    assert len(shapes["batch_stats"]) == 3


@pytest.mark.parametrize("generator", [AtienzaGenerator(2), FidleGenerator(2), LanhamGenerator(2)])
def test_sides_that_have_no_quarter_are_refused(generator):
    with pytest.raises(ValueError, match="10x12, but must be a multiple of 4x4"):
        generator.init(jax.random.key(0), jnp.ones((2, 3)), (10, 12, 1))
