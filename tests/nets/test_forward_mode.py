"""Forward-mode derivatives through every convolutional network of `jaxgen.nets`."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.acgan import ACGANDiscriminator, ACGANGenerator
from jaxgen.nets.classifier import ConvClassifier
from jaxgen.nets.conditioning import ChannelCondition, InnerCondition
from jaxgen.nets.conv import ConvCritic, ConvGenerator
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.courses.atienza import AtienzaDiscriminator, AtienzaGenerator
from jaxgen.nets.courses.fidle import FidleDiscriminator, FidleGenerator
from jaxgen.nets.courses.lanham import LanhamCritic, LanhamGenerator
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgen.nets.forward_mode import PlainConvolutions
from jaxgen.nets.grid import GridDecoder, GridEncoder
from jaxgen.nets.infogan import InfoGANDiscriminator, InfoGANGenerator
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.lsgan import LSGANDiscriminator, LSGANGenerator
from jaxgen.nets.resnet import FlatResNetCritic, ResNetCritic, ResNetGenerator
from jaxgen.nets.sngan import SNGANDiscriminator, SNGANGenerator
from jaxgen.nets.spectral import Spectral

Z = jax.random.normal(jax.random.key(0), (2, 3))
X = jax.random.normal(jax.random.key(1), (2, 8, 8, 1))
Y = jnp.eye(2)
SHAPE = X.shape[1:]

NETS = [
    (Spectral(ConvCritic(2)), X, ()),
    (InnerCondition(ResNetGenerator((2, 2))), Z, Y, SHAPE),
    (DCGANGenerator(2), Z, SHAPE),
    (ResNetCritic(2, 1), X, ()),
]
"""Every kind of layer, and wrappers."""

OTHERS = [
    (ACGANGenerator((2, 2)), Z, SHAPE),
    (ACGANDiscriminator((2, 2)), X, (3,)),
    (AtienzaGenerator(1), Z, SHAPE),
    (AtienzaDiscriminator(1), X, ()),
    (ChannelCondition(ConvEncoder((2,))), X, Y, (2,)),
    (ConvClassifier(2, 3), X, (2,)),
    (ConvGenerator(2), Z, SHAPE),
    (ConvCritic(2), X, ()),
    (ConvDecoder((2, 2)), Z, SHAPE),
    (ConvEncoder((2,)), X, (2,)),
    (DCGANDiscriminator(2), X, ()),
    (FidleGenerator(1), Z, SHAPE),
    (FidleDiscriminator(1), X, ()),
    (FlatResNetCritic((2, 2)), X, ()),
    (GridDecoder(2, 1, 2), X, (16, 16, 1)),
    (GridEncoder(2, 1, 2), X, (4, 4, 2)),
    (InfoGANGenerator(3, 2), Z, SHAPE),
    (InfoGANDiscriminator(2, 3, 3), X, (3,)),
    (LanhamGenerator(1), Z, SHAPE),
    (LanhamCritic(1), X, ()),
    (LSGANGenerator((2, 2), (2,)), Z, SHAPE),
    (LSGANDiscriminator(2, 2), X, ()),
    (ResNetGenerator((2, 2)), Z, SHAPE),
    (SNGANGenerator(1), Z, SHAPE),
    (SNGANDiscriminator(1), X, ()),
]


def name(case):
    return type(case[0]).__name__


def leaves(outputs):
    return jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(outputs)])


@pytest.mark.parametrize(
    "case", [*NETS, *(pytest.param(case, marks=pytest.mark.exhaustive) for case in OTHERS)], ids=name
)
def test_the_derivative_along_a_direction_is_that_of_reverse_mode_and_of_differences(case):
    """<w, J v> forwards is <J^T w, v> backwards, and J v the limit of differences, all but the kinks of ReLUs."""
    net, inputs, *others = case
    variables = jax.jit(lambda: net.init(jax.random.key(2), inputs, *others))()
    direction = jax.random.normal(jax.random.key(3), inputs.shape)

    @jax.jit
    def derivatives(variables):
        def plain(inputs):
            return leaves(PlainConvolutions(net).apply(variables, inputs, *others))

        def usual(inputs):
            return leaves(net.apply(variables, inputs, *others))

        value, forwards = jax.jvp(plain, (inputs,), (direction,))
        wanted, backwards = jax.vjp(usual, inputs)
        weights = jax.random.normal(jax.random.key(4), value.shape)
        change = usual(inputs + 2e-4 * direction) - usual(inputs - 2e-4 * direction)
        return value, wanted, weights @ forwards, jnp.vdot(backwards(weights)[0], direction), forwards, change / 4e-4

    value, wanted, along, product, forwards, differences = derivatives(variables)
    np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=1e-5)
    size = np.linalg.norm(forwards)
    assert size > 0
    assert abs(along - product) < 1e-4 * max(size, abs(product))
    assert np.linalg.norm(differences - forwards) < 0.1 * size


def test_the_variables_are_those_of_the_network():
    net = DCGANDiscriminator(2)
    for given in (net, Spectral(net), InstanceNoise(Spectral(net), 0.1)):
        wanted = jax.jit(lambda given=given: given.init(jax.random.key(0), X, ()))()
        found = jax.jit(lambda given=given: PlainConvolutions(given).init(jax.random.key(0), X, ()))()
        jax.tree.map(np.testing.assert_array_equal, found, wanted)


def test_the_mode_reaches_the_network_and_its_statistics_go_on():
    net, mode = ConvEncoder((2,), norm="batch"), Mode(train=True)
    variables = jax.jit(lambda: net.init(jax.random.key(0), X, ()))()
    (_, changed), (_, wanted) = (
        jax.jit(lambda each=each: each.apply(variables, X, (), mode=mode, mutable=["batch_stats"]))()
        for each in (PlainConvolutions(net), net)
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), changed, wanted)
    before, after = (jax.tree.leaves(tree["batch_stats"]) for tree in (variables, changed))
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before, after, strict=True))


def test_without_it_forward_mode_raises_on_a_cpu():
    net = ConvCritic(2)
    variables = jax.jit(lambda: net.init(jax.random.key(0), X, ()))()
    assert jax.default_backend() == "cpu"
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(lambda images: net.apply(variables, images, ()), (X,), (X,))


class Chosen(nn.Module):
    """A convolution whose form is a setting, and one whose form is given at the call."""

    @nn.compact
    def __call__(self, images, output_shape=(), *, mode=EVALUATION):
        return Conv(2)(Conv(2, form="algebra")(images), form="algebra")


def test_a_form_that_was_chosen_stays():
    net = Chosen()
    variables = net.init(jax.random.key(0), X)
    programs = [str(jax.make_jaxpr(each.apply)(variables, X)) for each in (net, PlainConvolutions(net))]
    assert programs[0] == programs[1]
