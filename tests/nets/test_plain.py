"""What a network must take, of which every network of `jaxgen.nets` is an example, and the adapter for the others."""

import dataclasses
import importlib
import inspect
import pathlib

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jaxgen.nets
from jaxgen.mode import Mode
from jaxgen.nets.dropout import dropout
from jaxgen.nets.inception import InceptionV3
from jaxgen.nets.plain import Plain, check_network

INPUTS = jax.random.normal(jax.random.key(0), (4, 6))
KEYS = jax.random.split(jax.random.key(1), 4)
TRAINING = Mode(KEYS, train=True)


def init(net, *inputs):
    return net.init(jax.random.key(2), *inputs)


def test_a_plain_network_is_the_module_with_its_outputs_in_the_shape_that_is_asked_for():
    inner = nn.Sequential([nn.Dense(5), nn.relu, nn.Dense(6)])
    net = Plain(inner)
    variables = init(net, INPUTS, (2, 3))
    outputs = net.apply(variables, INPUTS, (2, 3))
    wanted = inner.apply({"params": variables["params"]["net"]}, INPUTS).reshape(4, 2, 3)
    np.testing.assert_array_equal(outputs, wanted)
    assert Plain(nn.Dense(1)).init_with_output(jax.random.key(0), INPUTS)[0].shape == (4,)


def test_outputs_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"Dense gives outputs of shape \(4, 5\), but the model asks for \(4, 2, 3\)"):
        init(Plain(nn.Dense(5)), INPUTS, (2, 3))


def test_linens_dropout_inside_is_that_of_the_package():
    """No dropout in evaluation; masks of the examples' keys in training, a layer's number being its place."""
    net = Plain(nn.Sequential([nn.Dropout(0.5), nn.Dropout(0.25), nn.Dense(1, use_bias=False)]))
    variables = init(net, INPUTS)
    kernel = variables["params"]["net"]["layers_2"]["kernel"]
    np.testing.assert_allclose(net.apply(variables, INPUTS), (INPUTS @ kernel)[:, 0], rtol=1e-6)
    dropped = dropout(dropout(INPUTS, 0.5, TRAINING, 0), 0.25, TRAINING, 1)
    found = net.apply(variables, INPUTS, mode=TRAINING)
    np.testing.assert_allclose(found, (dropped @ kernel)[:, 0], rtol=1e-6)
    one = net.apply(variables, INPUTS[1:2], mode=Mode(KEYS[1:2], train=True))
    np.testing.assert_allclose(one, found[1:2], rtol=1e-6)
    with pytest.raises(ValueError, match="dropout draws random numbers in training, but this pass has no keys"):
        net.apply(variables, INPUTS, mode=Mode(train=True))


def test_dropout_that_shares_its_mask_along_an_axis_is_refused_in_training():
    net = Plain(nn.Sequential([nn.Dropout(0.5, broadcast_dims=(1,)), nn.Dense(1)]))
    variables = init(net, INPUTS)
    assert net.apply(variables, INPUTS).shape == (4,)
    with pytest.raises(ValueError, match=r"broadcast_dims \(1,\), but must have none"):
        net.apply(variables, INPUTS, mode=TRAINING)


def test_linens_batch_norm_inside_keeps_its_statistics_in_training_alone():
    net = Plain(nn.Sequential([nn.BatchNorm(momentum=0.5), nn.Dense(6)]))
    variables = init(net, INPUTS, (6,))
    _, still = net.apply(variables, INPUTS, (6,), mutable=["batch_stats"])
    jax.tree.map(np.testing.assert_array_equal, still["batch_stats"], variables["batch_stats"])
    _, moved = net.apply(variables, INPUTS, (6,), mode=TRAINING, mutable=["batch_stats"])
    mean = moved["batch_stats"]["net"]["layers_0"]["mean"]
    np.testing.assert_allclose(mean, 0.5 * INPUTS.mean(axis=0), rtol=1e-5)
    with pytest.raises(ValueError, match="axis_name None, but the batch lies on the devices along 'i': use jaxgen"):
        net.apply(variables, INPUTS, (6,), mode=Mode(KEYS, train=True, axis_name="i"), mutable=["batch_stats"])


LAYERS = {
    "Conv",
    "ConvTranspose",
    "UpsampleConv",
    "ConvMeanPool",
    "ConditionalBatchNorm",
    "FirstBlock",
    "ResidualBlock",
}
LAYERS |= {
    "Attention",
    "ResidualStack",
    "BasicConv2d",
    "InceptionA",
    "InceptionB",
    "InceptionC",
    "InceptionD",
    "InceptionE",
}
LAYERS |= {
    "GroupNorm",
    "AttentionBlock",
    "AttentionPool",
    "TimeEmbedding",
    "ConvNeXtBlock",
    "SelfAttention",
    "AdaptiveNorm",
    "AdaptiveBlock",
}  # of denoisers
LAYERS |= {"GeneratorBlock", "DiscriminatorBlock", "ResNetFeatures", "BigGANDeepFeatures"}  # of GANs with classes
LAYERS |= {"InvertedBottleneck", "PlainResidualBlock"}
LAYERS |= {"EqualizedDense", "EqualizedConv", "AdaINLayer"}  # of ProGAN and the StyleGANs
LAYERS |= {"FourierFeatures", "FilteredLayer"}  # of StyleGAN 3
LAYERS |= {"PartialConv", "ChannelWiseDense"}  # of networks that fill holes
LAYERS |= {"WeightNormDense", "WeightNormConv", "MinibatchDiscrimination", "VirtualBatchNorm"}  # of improved GAN
LAYERS |= {"MagnitudePreservingDense", "MagnitudePreservingConv", "EDM2Block"}  # of EDM2
LAYERS |= {"ModulatedConv", "StyledLayer"}  # of StyleGAN 2
LAYERS |= {"HookPoint"}  # of all StyleGANs
LAYERS |= {"UnbiasedLayerNorm", "AdaptiveInstanceNorm"}  # of UNIT and MUNIT
LAYERS |= {"Bottleneck", "TextScore", "WideBlock"}  # of GAN-CLS and StackGAN
LAYERS |= {"ResidualDenseBlock", "RRDB"}  # of ESRGAN
LAYERS |= {"LayerNorm", "TransformerBlock", "CrossAttentionBlock", "SpatialTransformer"}  # of transformers
LAYERS |= {"Classifier", InceptionV3.__name__}  # published weights, for inference only


def networks():
    """Every linen module of `jaxgen.nets` but the layers."""
    folder = pathlib.Path(jaxgen.nets.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        name = ".".join(("jaxgen.nets", *path.relative_to(folder).with_suffix("").parts))
        module = importlib.import_module(name)
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and issubclass(value, nn.Module)
                and value.__module__ == name
                and value.__name__ not in LAYERS
            ):
                yield value


@pytest.mark.parametrize("network", list(networks()), ids=lambda network: network.__name__)
def test_every_network_of_the_package_has_the_signature(network):
    """And a `mode` that is evaluation by default, its only keyword besides a condition."""
    asked = {
        "net": nn.Dense(1),
        "features": nn.Dense(1),
        "network": nn.Dense(1),
        "discriminator": nn.Dense(1),
        "opponent": nn.Dense(1),
        "decoder": nn.Dense(1),
        "std": 0.1,
        "layers": ("Conv_0",),
    }  # fields without a default
    fields = dataclasses.fields(network)
    missing = {field.name for field in fields if field.default is field.default_factory is dataclasses.MISSING}
    check_network(network(**{name: value for name, value in asked.items() if name in missing}))
    parameters = inspect.signature(network.__call__).parameters.values()
    keywords = {each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY}
    assert keywords.pop("mode") == Mode()
    assert keywords in ({}, {"condition": None})


class Trained(nn.Module):
    """A network of linen's own habits."""

    @nn.compact
    def __call__(self, inputs, train=False):
        return nn.Dense(1)(inputs)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (nn.Sequential([nn.Dense(1)]), r"Sequential is called as .*\(inputs, output_shape, \*, mode\): wrap it in"),
        (nn.Dense(1), r"Dense is called as .*, but a network as .* jaxgen.nets.plain.Plain, or write"),
        (Trained(), r"Trained is called as \(inputs, train=False\), but a network"),
        (
            Plain(nn.Sequential([nn.Dense(1)])),
            r"Plain holds a list .* tuples in place of lists, as in nn\.Sequential\(",
        ),
        (nn.Dense, "Dense is no network: .* write a linen module"),
        (eqx.nn.Linear(6, 1, key=jax.random.key(0)), "Linear is no network: it must be a flax.linen module"),
        (nnx.Linear(6, 1, rngs=nnx.Rngs(0)), r"Linear is no network: .*\(inputs, output_shape, \*, mode\)"),
        (jnp.sum, "sum is no network"),
        (lambda inputs, output_shape, mode: inputs, "<lambda> is no network"),
        (None, "NoneType is no network"),
    ],
)
def test_other_things_are_refused_with_the_signature(net, message):
    with pytest.raises(ValueError, match=message):
        check_network(net)


def test_plain_makes_networks_of_linen_modules():
    check_network(Plain(nn.Sequential((nn.Dense(1),))))
