"""One trace of each network, for laws that it shows: nothing is compiled.

Networks are small, have every kind of their layers, a slope and weights that no default is, and compute in bfloat16
where they can.
"""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from jax.extend import core

from jaxgen.nets import initializers
from jaxgen.nets.acgan import ACGANDiscriminator, ACGANGenerator
from jaxgen.nets.ali import ALIDiscriminator, ALIEncoder, ALIGenerator
from jaxgen.nets.attention import Attention
from jaxgen.nets.began import BEGANAutoencoder, BEGANDecoder
from jaxgen.nets.bgan import BGANDiscriminator, BGANGenerator
from jaxgen.nets.bicyclegan import CodedUNetTranslator, CodeEncoder, ScaledDiscriminator
from jaxgen.nets.biggan import BigGANGenerator
from jaxgen.nets.biggan_deep import BigGANDeepGenerator, DiscriminatorBlock, GeneratorBlock
from jaxgen.nets.classifier import ConvClassifier
from jaxgen.nets.clustergan import ClusterGANEncoder, ClusterGANGenerator
from jaxgen.nets.cogan import CoGANDiscriminator, CoGANGenerator, CoGANImageLayer, CoGANStem
from jaxgen.nets.conditional_mlp import ConditionalMLPDiscriminator, ConditionalMLPGenerator
from jaxgen.nets.context_encoder import ContextDiscriminator, ContextEncoder
from jaxgen.nets.conv import ConvCritic, ConvGenerator
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder
from jaxgen.nets.courses.atienza import AtienzaDiscriminator, AtienzaGenerator
from jaxgen.nets.courses.fidle import FidleDiscriminator, FidleGenerator
from jaxgen.nets.courses.lanham import LanhamCritic, LanhamGenerator
from jaxgen.nets.cyclegan import ResNetTranslator
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgen.nets.discogan import DiscoGANDiscriminator, DiscoGANTranslator
from jaxgen.nets.dualgan import DualGANCritic, DualGANTranslator
from jaxgen.nets.gan_cls import Bottleneck, TextDiscriminator, TextGenerator, TextScore
from jaxgen.nets.grid import GridDecoder, GridEncoder, ResidualStack
from jaxgen.nets.infogan import InfoGANDiscriminator, InfoGANGenerator
from jaxgen.nets.lapgan import BandDiscriminator, BandGenerator, DropoutMLP
from jaxgen.nets.lsgan import LSGANDiscriminator, LSGANGenerator
from jaxgen.nets.maxout import Maxout
from jaxgen.nets.mlp import MLP
from jaxgen.nets.munit import StyleDecoder, StyleEncoder
from jaxgen.nets.partial_convolution import PartialUNet
from jaxgen.nets.pix2pix import PatchDiscriminator, PixelDiscriminator, UNetTranslator
from jaxgen.nets.pixelcnn import PixelCNN
from jaxgen.nets.pixelda import DomainClassifier, NoisyDiscriminator, NoisyTranslator
from jaxgen.nets.r3gan import InvertedBottleneck, R3GANDiscriminator, R3GANGenerator
from jaxgen.nets.resnet import FirstBlock, FlatResNetCritic, ResidualBlock, ResNetCritic, ResNetGenerator
from jaxgen.nets.rrdb import RRDB, ResidualDenseBlock, RRDBNet
from jaxgen.nets.self_attention import SelfAttention
from jaxgen.nets.sngan import SNGANDiscriminator, SNGANGenerator
from jaxgen.nets.sngan_resnet import ConditionalResNetGenerator
from jaxgen.nets.srgan import SRGANDiscriminator
from jaxgen.nets.srresnet import SRResNet
from jaxgen.nets.stackgan import (
    StageOneGenerator,
    StageTwoDiscriminator,
    StageTwoGenerator,
    TextAugmentation,
    WideBlock,
)
from jaxgen.nets.stargan import StarGANDiscriminator, StarGANTranslator
from jaxgen.nets.text.char_cnn_rnn import CharCNNRNN
from jaxgen.nets.tp_gan import CoarseDiscriminator, GlobalPathway, IdentityHead, LocalPathway
from jaxgen.nets.unit import ContentDecoder, ContentEncoder, MultiScaleDiscriminator, ResidualBlocks
from jaxgen.nets.vgg16 import VGG16Maps
from jaxgen.nets.vgg19 import VGG19
from jaxgen.nets.vq_vae_2 import Features, GivenTop
from tests.programs import inner

SLOPE, WEIGHTS = 0.375, initializers.Uniform(0.3)
PRODUCTS, CURVES = ("dot_general", "conv_general_dilated"), ("max", "select_n", "tanh", "logistic")
LATENTS, MAPS, IMAGES = jnp.ones((2, 3)), jnp.ones((2, 8, 4, 4)), jnp.ones((2, 32, 16, 1))
CLASSES, HALVES = jnp.ones((2, 3)), jnp.ones((2, 8, 4, 8), jnp.bfloat16)
SMALL, IMAGE, CODE = jnp.ones((2, 8, 4, 1)), IMAGES.shape[1:], MAPS.shape[1:]
SQUARES = jnp.ones((2, 32, 32, 1))
CASES = [
    (ACGANGenerator((2, 2)), LATENTS, IMAGE),
    (ACGANDiscriminator((2, 2, 2)), IMAGES, (3,)),
    (ALIDiscriminator(2, 2, 2), (SQUARES, LATENTS), ()),
    (ALIEncoder(2), SQUARES, (3,)),
    (ALIGenerator(2), LATENTS, SQUARES.shape[1:]),
    (Attention(2), MAPS),
    (BEGANDecoder(2), LATENTS, IMAGE),
    (BEGANAutoencoder(2, 3), IMAGES, IMAGE),
    (BGANDiscriminator(2, 3), IMAGES, ()),
    (BGANGenerator(3, 2), LATENTS, IMAGE),
    (ConvClassifier(2, 3), IMAGES, (3,)),
    (ClusterGANEncoder(2, 2), IMAGES, (3,)),
    (ClusterGANGenerator(2, 2), LATENTS, IMAGE),
    (CoGANDiscriminator(2, 2), IMAGES, ()),
    (CoGANGenerator(8), LATENTS, ()),
    (CoGANImageLayer(), MAPS, (11, 7, 1)),
    (CoGANStem(2), IMAGES, ()),
    (ConditionalMLPGenerator(2, 2, 4), (LATENTS, LATENTS), IMAGE),
    (ConditionalMLPDiscriminator(2, 2, 4), (IMAGES, LATENTS), ()),
    (ConvGenerator(2, norm="layer"), LATENTS, IMAGE),
    (ConvCritic(2, norm="layer"), IMAGES, ()),
    (ConvEncoder((2, 3), features=(4,)), IMAGES, (3,)),
    (ConvEncoder((2, 4), bottleneck="map"), IMAGES, CODE),
    (ConvDecoder((3, 2), features=(4,)), LATENTS, IMAGE),
    (ConvDecoder((3, 2, 2), bottleneck="map"), MAPS, IMAGE),
    (UNetTranslator(2, downs=3), IMAGES, IMAGE),
    (PatchDiscriminator(2, layers=1), IMAGES, ()),
    (PixelDiscriminator(2), IMAGES, ()),
    (ResNetTranslator(2, blocks=1), IMAGES, IMAGE),
    (StarGANTranslator(2, blocks=1), IMAGES, IMAGE),
    (StarGANDiscriminator(2, layers=2), IMAGES, (3,)),
    (CodedUNetTranslator(2, downs=3), (IMAGES, LATENTS), IMAGE),
    (CodeEncoder(2, blocks=1), IMAGES, (3,)),
    (ScaledDiscriminator(2, layers=1), IMAGES, ()),
    (NoisyTranslator(2, blocks=1), (IMAGES, LATENTS), IMAGE),
    (NoisyDiscriminator(2), IMAGES, ()),
    (DomainClassifier(channels=(2, 3), width=4), (IMAGES, jnp.zeros(2, jnp.int32)), (3,)),
    (GlobalPathway(8, 4, (5, 3)), (IMAGES, LATENTS, IMAGES), IMAGE),
    (LocalPathway(2, 1), IMAGES, IMAGE),
    (CoarseDiscriminator(2), IMAGES, ()),
    (IdentityHead(), LATENTS, (2,)),
    (CharCNNRNN((2, 3), (2, 0), width=4), jnp.ones((2, 16), jnp.uint8), (3,)),
    (TextGenerator(4, 2), (LATENTS, LATENTS), (16, 16, 1)),
    (TextDiscriminator(2, 2), (jnp.ones((2, 16, 16, 1)), LATENTS), ()),
    (Bottleneck(), MAPS),
    (TextScore(2), (jnp.ones((2, 4, 4, 4)), LATENTS), ()),
    (TextAugmentation(), LATENTS, (4,)),
    (StageOneGenerator(4), (LATENTS, LATENTS), (16, 16, 1)),
    (StageTwoGenerator(2, 1), (IMAGES, LATENTS), (64, 32, 1)),
    (StageTwoDiscriminator(2, 2), (jnp.ones((2, 64, 64, 1)), LATENTS), ()),
    (WideBlock(), MAPS),
    (DropoutMLP((2, 3)), IMAGES, ()),
    (BandGenerator(2), IMAGES, IMAGE),
    (BandDiscriminator(2), IMAGES, ()),
    (SRResNet(2, 1), SMALL, IMAGE),
    (SRGANDiscriminator(2, 2, 2), IMAGES, ()),
    (RRDBNet(2, 2, 1), SMALL, IMAGE),
    (RRDB(2), MAPS),
    (ResidualDenseBlock(2), MAPS),
    (ContextEncoder(2, 3), IMAGES, (8, 16, 1)),
    (ContextEncoder(2, channel_wise=True), IMAGES, IMAGE),
    (ContextDiscriminator(2), IMAGES, ()),
    (PartialUNet(2, downs=2), (IMAGES, IMAGES), IMAGE),
    (VGG16Maps(2, (1, 2)), jnp.ones((2, 8, 4, 3)), ()),
    (DiscoGANTranslator(2, downs=2, bottleneck=3), IMAGES, IMAGE),
    (DiscoGANDiscriminator(2, downs=2), IMAGES, ()),
    (DualGANTranslator(2, downs=2), IMAGES, IMAGE),
    (DualGANCritic(2, layers=2), IMAGES, ()),
    (DualGANCritic(2, layers=2, patches=True), IMAGES, ()),
    (ContentEncoder(2, blocks=1), IMAGES, ()),
    (ResidualBlocks(), MAPS, ()),
    (ContentDecoder(blocks=1), MAPS, (32, 16, 1)),
    (MultiScaleDiscriminator(2, layers=2, scales=2), IMAGES, ()),
    (StyleEncoder(2, downs=2), IMAGES, (3,)),
    (StyleDecoder(blocks=1, features=(4,)), (MAPS, LATENTS), (32, 16, 1)),
    (VGG19(2, 2, channels=2), jnp.ones((2, 8, 4, 3)), ()),
    (DCGANGenerator(2), LATENTS, IMAGE),
    (DCGANDiscriminator(2), IMAGES, ()),
    (GridEncoder(4, 1, 2), IMAGES, CODE),
    (GridEncoder(4, 1, 2), MAPS, CODE),
    (GridDecoder(4, 1, 2), MAPS, IMAGE),
    (GridDecoder(4, 1, 2), MAPS, CODE),
    (ResidualStack(1, 2), MAPS),
    (InfoGANGenerator(4, 2), LATENTS, IMAGE),
    (InfoGANDiscriminator(2, 4, 3), IMAGES, (3,)),
    (LSGANGenerator((2, 2, 2), (2, 1)), LATENTS, IMAGE),
    (LSGANDiscriminator(2, 2), IMAGES, ()),
    (Maxout((4,), 2), LATENTS, ()),
    (MLP((4, 3)), LATENTS, (2,)),
    (PixelCNN(4, 1), jnp.ones((2, 3, 4), jnp.int32), (3, 4, 5)),
    (Features(1, 2), IMAGES, CODE),
    (GivenTop(PixelCNN(4, 1), 1), (jnp.ones((2, 4, 4), jnp.int32), jnp.ones((2, 2, 2), jnp.int32)), (4, 4, 5)),
    (InvertedBottleneck(2, 1.0), MAPS),
    (R3GANGenerator((4, 4, 2), (2, 1, 1), 1), LATENTS, IMAGE),
    (R3GANDiscriminator((4, 4, 2), (2, 1, 1), 1), IMAGES, ()),
    (FirstBlock(2), IMAGES),
    (ResidualBlock(4), MAPS),
    (ResidualBlock(2, norm="layer"), MAPS),
    (ResidualBlock(2, "up"), MAPS),
    (ResidualBlock(2, "down"), MAPS),
    (ResNetGenerator((2, 3)), LATENTS, IMAGE),
    (ResNetCritic(2, 1), IMAGES, ()),
    (FlatResNetCritic((2, 3)), IMAGES, ()),
    (SNGANGenerator(2), LATENTS, IMAGE),
    (SNGANDiscriminator(2), IMAGES, ()),
    (SelfAttention(), HALVES),
    (ConditionalResNetGenerator((2, 8), (32,)), (LATENTS, CLASSES), IMAGE),
    (BigGANGenerator(8, (1, 1, 1), (16,), 4), (LATENTS, CLASSES), IMAGE),
    (BigGANGenerator(8, (1, 1), (), None, hierarchical=False), (LATENTS, CLASSES), IMAGE),
    (GeneratorBlock(4, up=True), (HALVES, CLASSES)),
    (DiscriminatorBlock(12, down=True), HALVES),
    (BigGANDeepGenerator(8, (1, 1), 2, (32,), 4), (LATENTS, CLASSES), IMAGE),
    (AtienzaGenerator(2), LATENTS, IMAGE),
    (AtienzaDiscriminator(2), IMAGES, ()),
    (FidleGenerator(2), LATENTS, IMAGE),
    (FidleDiscriminator(2), IMAGES, ()),
    (LanhamGenerator(2), LATENTS, IMAGE),
    (LanhamCritic(2), IMAGES, ()),
]


def having(*fields):
    """The cases whose network has such fields."""
    kinds = [type(net) for net, *_ in CASES]
    numbers = [number for number, kind in enumerate(kinds) if set(fields) <= set(kind.__dataclass_fields__)]
    return pytest.mark.parametrize("number", numbers, ids=[kinds[number].__name__ for number in numbers])


@functools.cache
def traced(number):
    """The program of a network, and its layers with weights by name."""
    net, inputs, *shape = CASES[number]
    changes = {"dtype": "bfloat16", "negative_slope": SLOPE, "initializer": WEIGHTS}
    net = net.clone(**{name: value for name, value in changes.items() if name in type(net).__dataclass_fields__})
    halves = not shape and "dtype" in type(net).__dataclass_fields__  # a layer takes what the layer before it gives
    inputs = inputs if isinstance(inputs, tuple) else (inputs.astype(jnp.bfloat16) if halves else inputs,)
    layers = {}

    def record(call, args, kwargs, context):
        layer = context.module
        if context.method_name == "__call__" and hasattr(layer, "kernel_init"):
            layers["/".join(layer.path)] = layer
        return call(*args, **kwargs)

    variables = jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs, *shape))
    with nn.intercept_methods(record):
        program = jax.make_jaxpr(lambda variables: net.apply(variables, *inputs, *shape))(variables)
    assert layers
    return program.jaxpr, layers


def factors(program, layer=""):
    """How often a program multiplies or negates, outside of norms and leaky ReLUs."""
    num = 0
    for operation in program.eqns:
        name = layer or str(operation.source_info.name_stack)
        if "Norm" not in name and operation.params.get("name") != "leaky_relu":
            num += operation.primitive.name in ("mul", "neg")
            num += sum(factors(each, name) for each in inner(operation))
    return num


def taking_linear_maps(program, linear=(), layer=""):
    """The layers that take sums of other layers' outputs, with no curve between; whether each output is such a sum."""
    linear, found = set(linear), set()
    for operation in program.eqns:
        taken = [value for value in operation.invars if not isinstance(value, core.Literal) and value in linear]
        name, kind = layer or str(operation.source_info.name_stack), operation.primitive.name
        given = bool(taken)
        if kind in PRODUCTS:
            given, found = True, found | ({name} if taken else set())
        elif kind in CURVES:
            given = False
        for each in inner(operation):
            assert len(each.invars) == len(operation.invars), kind
            passed = [new for new, old in zip(each.invars, operation.invars, strict=True) if old in taken]
            deeper, outputs = taking_linear_maps(each, passed, name)
            found |= deeper
            linear |= {value for value, is_linear in zip(operation.outvars, outputs, strict=True) if is_linear}
            given = False
        linear |= set(operation.outvars) if given else set()
    return found, [value in linear for value in program.outvars]
