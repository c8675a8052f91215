"""Laws of every network that one trace shows."""

import dataclasses
import functools
import inspect
import sys

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets import initializers
from jaxgen.nets.acgan import ACGANDiscriminator, ACGANGenerator
from jaxgen.nets.ali import ALIDiscriminator, ALIEncoder, ALIGenerator
from jaxgen.nets.attention import Attention
from jaxgen.nets.began import BEGANAutoencoder, BEGANDecoder
from jaxgen.nets.bgan import BGANGenerator
from jaxgen.nets.bicyclegan import CodeEncoder, ScaledDiscriminator
from jaxgen.nets.biggan import BigGANGenerator
from jaxgen.nets.biggan_deep import BigGANDeepGenerator, GeneratorBlock
from jaxgen.nets.classifier import ConvClassifier
from jaxgen.nets.clustergan import ClusterGANGenerator
from jaxgen.nets.cogan import CoGANDiscriminator, CoGANGenerator, CoGANStem
from jaxgen.nets.conditional_mlp import ConditionalMLPDiscriminator, ConditionalMLPGenerator
from jaxgen.nets.conditioning import ChannelCondition, ConcatCondition, InnerCondition, TiledCondition
from jaxgen.nets.conv import ConvCritic
from jaxgen.nets.courses.atienza import AtienzaDiscriminator
from jaxgen.nets.courses.fidle import FidleDiscriminator, FidleGenerator
from jaxgen.nets.courses.lanham import LanhamCritic
from jaxgen.nets.cyclegan import ResNetTranslator
from jaxgen.nets.diff_augment import DiffAugment
from jaxgen.nets.discogan import DiscoGANDiscriminator
from jaxgen.nets.dualgan import DualGANCritic
from jaxgen.nets.forward_mode import PlainConvolutions
from jaxgen.nets.gan_cls import TextDiscriminator, TextGenerator
from jaxgen.nets.infogan import InfoGANGenerator
from jaxgen.nets.initializers import to_flax
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.lapgan import BandDiscriminator, DropoutMLP
from jaxgen.nets.maxout import Maxout
from jaxgen.nets.mlp import MLP
from jaxgen.nets.munit import StyleDecoder
from jaxgen.nets.partial_convolution import PartialUNet
from jaxgen.nets.pix2pix import PatchDiscriminator, PixelDiscriminator
from jaxgen.nets.pixelcnn import PixelCNN
from jaxgen.nets.pixelda import NoisyTranslator
from jaxgen.nets.r3gan import R3GANDiscriminator, R3GANGenerator
from jaxgen.nets.resnet import FirstBlock, FlatResNetCritic, ResidualBlock, ResNetCritic, ResNetGenerator
from jaxgen.nets.rrdb import RRDB, ResidualDenseBlock, RRDBNet
from jaxgen.nets.self_attention import SelfAttention
from jaxgen.nets.shared_scale import SharedScale
from jaxgen.nets.sngan import SNGANGenerator
from jaxgen.nets.sngan_resnet import ConditionalResNetGenerator
from jaxgen.nets.srresnet import SRResNet
from jaxgen.nets.stackgan import StageOneGenerator, StageTwoDiscriminator
from jaxgen.nets.stargan import StarGANDiscriminator, StarGANTranslator
from jaxgen.nets.tp_gan import CoarseDiscriminator, GlobalPathway, IdentityHead, LocalPathway
from jaxgen.nets.unit import ContentDecoder, ContentEncoder, MultiScaleDiscriminator, ResidualBlocks
from jaxgen.nets.vgg16 import VGG16Maps
from jaxgen.nets.vgg19 import VGG19
from jaxgen.nets.vq_vae_2 import GivenTop
from tests.nets.test_plain import networks
from tests.nets.traces import (
    CASES,
    IMAGES,
    LATENTS,
    PRODUCTS,
    SLOPE,
    WEIGHTS,
    factors,
    having,
    taking_linear_maps,
    traced,
)
from tests.programs import operations


def test_every_network_has_a_case():
    """Those around another network are that network's. Denoisers, which are told a time, have tests of their own.

    So have networks of equalised and magnitude-preserving layers and of weight normalisation, which scale their weights
    at each call, transformers, those that read text, and those made of the blocks of U-Nets, whose swish is a product.
    """
    wanted = {
        net
        for net in networks()
        if "EqualizedDense" not in vars(sys.modules[net.__module__])
        and "MagnitudePreservingDense" not in vars(sys.modules[net.__module__])
        and "WeightNormDense" not in vars(sys.modules[net.__module__])
        and "GroupNorm" not in vars(sys.modules[net.__module__])
        and "TransformerBlock" not in vars(sys.modules[net.__module__])
        and not net.__module__.startswith("jaxgen.nets.text.")
        and not any(field.type is nn.Module for field in dataclasses.fields(net))
        and {"output_shape", "times"} & inspect.signature(net.__call__).parameters.keys() == {"output_shape"}
    }
    assert wanted <= {type(net) for net, *_ in CASES}


@having("dtype")
def test_a_bfloat16_network_multiplies_halves_normalises_float32_and_gives_float32(number):
    """A layer, which has no `output_shape`, gives halves. The logits of a classifier are a float32 dense layer.

    So are the maps of a condition to scales and offsets of a norm.
    """
    program, _ = traced(number)
    found = list(operations(program))
    products = [op for op in found if op.primitive.name in PRODUCTS and "Norm" not in str(op.source_info.name_stack)]
    types = [{value.aval.dtype.name for value in op.invars} for op in products]
    net, _, *shape = CASES[number]
    if isinstance(net, ConvClassifier):
        assert types.pop() == {"float32"}
    assert types and set.union(*types) == {"bfloat16"}
    roots = {value.aval.dtype.name for op in found if op.primitive.name in ("rsqrt", "exp") for value in op.invars}
    assert roots <= {"float32"}
    assert {value.aval.dtype for value in program.outvars} == {jnp.dtype("float32" if shape else "bfloat16")}


@having("negative_slope")
def test_every_leaky_relu_of_a_network_has_its_slope(number):
    found = operations(traced(number)[0])
    slopes = [op.invars[1].val for op in found if op.params.get("name") == "leaky_relu"]
    assert set(slopes) == {SLOPE}


MAPS_FOLLOW = (PatchDiscriminator, PixelDiscriminator, DiscoGANDiscriminator, DualGANCritic, MultiScaleDiscriminator)
MAPS_FOLLOW += (ContentEncoder, ResidualBlocks, CoGANGenerator, CoGANStem)
MAPS_FOLLOW += (ScaledDiscriminator, StarGANDiscriminator, VGG16Maps, VGG19, CoarseDiscriminator)
"""Networks whose maps follow from their inputs: `output_shape` is ()."""


@having()
def test_outputs_have_the_shape_that_is_asked_for(number):
    """Images are twice as high as wide. A classifier gives features beside its logits, a layer what it makes.

    Discriminators of patches give maps of scores, encoders of content and features maps, TP-GAN's pathways several.
    """
    net, _, *shape = CASES[number]
    if shape and not isinstance(net, (ConvClassifier, GlobalPathway, LocalPathway, *MAPS_FOLLOW)):
        assert [value.aval.shape for value in traced(number)[0].outvars] == [(2, *shape[0])]


LINEAR = {
    BEGANDecoder: {"Conv_0"},  # the reference's dense layers have no activation
    BEGANAutoencoder: {"Dense_0", "Conv_0"},
    CoGANDiscriminator: {"Dense_0"},  # the authors' pooling has no activation before it
    PixelCNN: {"Conv_2"},  # figure 2: the vertical stack's map before its gate goes to the horizontal one
    GivenTop: {"Conv_2"},  # the same of the PixelCNN in it
    FlatResNetCritic: {"Dense_0"},  # the authors': the last block's sum goes to the dense layer
    SNGANGenerator: {"ConvTranspose_0"},  # table 3 has neither norm nor ReLU behind the dense layer
    AtienzaDiscriminator: {"Dense_0"},  # a leaky ReLU before each convolution, and none behind the last
    R3GANGenerator: {"Conv_0", "Conv_1"},  # without activations outside of the blocks: linear when fresh
    R3GANDiscriminator: {"Conv_0", "Conv_1", "bhwc,hwc->bc", "Dense_0"},
    FidleGenerator: {"UpsampleConv_0"},  # the course's dense layer has no activation
    ResNetTranslator: {"ConvTranspose_0"},  # the authors': nothing behind the last block's sum
    StarGANTranslator: {"ConvTranspose_0"},
    CodeEncoder: {"Conv_2"},  # the shortcut of its block
    NoisyTranslator: {"Conv_3"},  # the authors': a 1x1 convolution takes the last block's sum
    ContentDecoder: {"Conv_2"},  # as ResNetTranslator
    StyleDecoder: {"Conv_2"},
    TextGenerator: {"Conv_0"},  # the authors': bottlenecks take what a norm gives
    TextDiscriminator: {"Conv_0"},
    StageOneGenerator: {"Conv_0"},
    StageTwoDiscriminator: {"Conv_0"},
    SRResNet: {"Conv_3", "Conv_4"},  # figure 4: sums go to convolutions
    RRDB: {f"Conv_{place}" for place in range(5)},  # the authors': dense blocks take sums
    RRDBNet: {*(f"Conv_{place}" for place in range(5)), "UpsampleConv_0"},
    PartialUNet: {
        "PartialConv_1",
        "PartialConv_2",
        "PartialConv_3",
    },  # their masks are of the masks of the layer before
    BigGANDeepGenerator: {"Dense_0"},  # takes the embedding of the class beside the latents
}


@having()
def test_between_two_layers_stands_an_activation(number):
    """Shortcuts of residual blocks take the sums themselves, and so does the layer that `LINEAR` names.

    Attention is products of products, and norms take the embedding of a class.
    """
    found, _ = taking_linear_maps(traced(number)[0])
    names = {name.rpartition("/")[2] for name in found if not ("Attention" in name or "Norm" in name)}
    assert names - {"shortcut"} == LINEAR.get(type(CASES[number][0]), set())


@having()
def test_networks_add_and_leave_factors_to_their_layers(number):
    """But for what some networks are made of: nothing else has another sign or size.

    Two gates of a PixelCNN; the root of an attention's features, which SAGAN's undoes, and its gamma; in R3GAN's eight
    taps of a filter at each of two resamplings, and a basis times a linear map; slopes of PReLUs; branches of
    residual dense blocks; what a partial convolution misses; the scale, 1, of each ELU.
    """
    net = CASES[number][0]
    own = {
        PixelCNN: 2,
        GivenTop: 2,
        Attention: 1,
        SelfAttention: 3,
        R3GANGenerator: 2 * 8 + 1,
        R3GANDiscriminator: 2 * 8,
    }
    own |= {SRResNet: 4, ResidualDenseBlock: 1, RRDB: 4, RRDBNet: 4, PartialUNet: 4}
    own |= {CoGANGenerator: 4, CoGANDiscriminator: 1}
    own |= {BEGANDecoder: 4, BEGANAutoencoder: 6 + 4}
    assert factors(traced(number)[0]) == own.get(type(net), 0) + 3 * len(getattr(net, "attention", ()))


NORMALIZED, CLASSES = MLP((4,), norm="batch"), jnp.ones((2, 3))
AROUND = [  # networks around a network
    (ChannelCondition(ConvCritic(2, norm="batch")), (IMAGES, CLASSES), ()),
    (ConcatCondition(NORMALIZED), (LATENTS, CLASSES), ()),
    (DiffAugment(NORMALIZED), IMAGES, ()),
    (InnerCondition(ResNetGenerator((2, 3))), (LATENTS, CLASSES), IMAGES.shape[1:]),
    (InstanceNoise(NORMALIZED, 0.1), LATENTS, ()),
    (PlainConvolutions(NORMALIZED), LATENTS, ()),
    (SharedScale(NORMALIZED), LATENTS, (2,)),
    (TiledCondition(ConvCritic(2, norm="batch")), (IMAGES, CLASSES), ()),
]
WITH_NORMS = [*(case for case in CASES if "norm" in type(case[0]).__dataclass_fields__), *AROUND]
WITH_NORMS += [case for case in CASES if isinstance(case[0], (ACGANGenerator, ACGANDiscriminator, InfoGANGenerator))]
WITH_NORMS += [case for case in CASES if isinstance(case[0], (ResNetGenerator, SNGANGenerator))]
WITH_NORMS += [
    case
    for case in CASES
    if isinstance(case[0], (ALIEncoder, ALIGenerator, BGANGenerator, ClusterGANGenerator, CoGANGenerator))
]
WITH_CLASSES = (ConditionalResNetGenerator, BigGANGenerator, BigGANDeepGenerator, GeneratorBlock)
WITH_NORMS += [case for case in CASES if isinstance(case[0], WITH_CLASSES)]


@pytest.mark.parametrize("case", WITH_NORMS, ids=[type(net).__name__ for net, *_ in WITH_NORMS])
def test_every_norm_of_a_network_knows_the_mode(case):
    """In training, statistics are of the batch on all devices."""
    net, inputs, *shape = case
    net = net.clone(norm="batch") if "norm" in type(net).__dataclass_fields__ else net
    mode, found = Mode(jax.random.split(jax.random.key(0), 2), train=True, axis_name="i"), set()
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)

    def record(call, args, kwargs, context):
        if isinstance(context.module, nn.BatchNorm):
            found.add((context.module.use_running_average, context.module.axis_name))
        return call(*args, **kwargs)

    def init(key):
        return net.init(key, *inputs, *shape, mode=mode)

    with nn.intercept_methods(record):
        jax.eval_shape(jax.vmap(init, axis_name="i"), jax.random.split(jax.random.key(0), 1))
    assert found == {(False, "i")}


DROPOUT = {
    ACGANDiscriminator: 3,  # behind each convolution
    ALIDiscriminator: 10,  # before each layer
    ConditionalMLPGenerator: 2,  # of all hidden units
    ConditionalMLPDiscriminator: 2,
    Maxout: 2,  # before each layer
    DropoutMLP: 2,  # behind each layer
    IdentityHead: 1,  # of the code
    BandDiscriminator: 1,  # before the dense layer
    FidleDiscriminator: 1,  # before the dense layer
    LanhamCritic: 4,  # after each activation
}


@pytest.mark.parametrize("net", DROPOUT, ids=lambda net: net.__name__)
def test_dropout_layers_of_a_network_are_numbered_from_zero_in_their_order(net, monkeypatch):
    """So that each draws a mask of its own. Out of training there are none."""
    net, inputs, *shape = next(case for case in CASES if isinstance(case[0], net))
    inputs, keys, found = inputs if isinstance(inputs, tuple) else (inputs,), jax.random.split(jax.random.key(0), 2), []
    monkeypatch.setattr("jaxgen.nets.dropout.fold", lambda keys, layer: found.append(layer) or keys)

    def outputs(mode):
        return net.init_with_output(jax.random.key(0), *inputs, *shape, mode=mode)[0]

    jax.eval_shape(lambda: outputs(Mode()))
    assert not found
    jax.eval_shape(lambda: outputs(Mode(keys, train=True)))
    assert found == list(range(DROPOUT[type(net)]))


@functools.cache
def drawn(initializer):
    """A few weights, the larger the more inputs."""
    return np.asarray(initializer(jax.random.key(1), (5, 7), jnp.float32))


def differently_drawn(layers, wanted):
    """The layers whose weights do not begin as wanted."""
    return {name for name, layer in layers.items() if not np.array_equal(drawn(layer.kernel_init), drawn(wanted))}


@having("initializer")
def test_every_layer_of_a_network_begins_as_its_initializer_says(number):
    """But for SNGAN's norms, whose scales of the classes begin as 1 and whose offsets as 0."""
    _, layers = traced(number)
    if isinstance(CASES[number][0], ConditionalResNetGenerator):
        layers = {name: layer for name, layer in layers.items() if "Norm" not in name}
    assert not differently_drawn(layers, to_flax(WEIGHTS))


@pytest.mark.parametrize("net", [ACGANGenerator, ACGANDiscriminator])
def test_weights_of_acgan_begin_with_a_deviation_of_one_fiftieth(net):
    number = next(number for number, (case, *_) in enumerate(CASES) if isinstance(case, net))
    assert not differently_drawn(traced(number)[1], to_flax(initializers.Normal(0.02)))


@pytest.mark.parametrize("net", [FirstBlock, ResidualBlock, ResNetGenerator, ResNetCritic, FlatResNetCritic])
def test_layers_of_residual_networks_that_a_relu_follows_or_precedes_begin_with_twice_the_variance(net):
    """Those inside a block; first and last layers and shortcuts are linear: the authors' code, `he_init`."""
    wide = nn.initializers.variance_scaling(2.0, "fan_avg", "uniform")
    for number, (case, *_) in enumerate(CASES):
        if isinstance(case, net):
            layers = traced(number)[1]
            inside = {
                name
                for name in layers
                if not name.endswith("shortcut") and ("Block" in name or net in (FirstBlock, ResidualBlock))
            }
            assert differently_drawn(layers, to_flax(initializers.GlorotUniform())) == inside, number
            assert not differently_drawn({name: layers[name] for name in inside}, wide), number
