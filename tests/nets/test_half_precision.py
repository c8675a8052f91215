"""Networks of bfloat16 whose signatures `traces.CASES` has no room for: what they multiply in halves, and what not.

A setting `dtype` that one layer does not get costs half of the speed and shows in no result: the program shows it.
"""

import re

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

from jaxgen.nets.biggan_deep import BigGANDeepFeatures
from jaxgen.nets.code_transformer import CodeTransformer
from jaxgen.nets.kl_autoencoder import LatentDecoder, LatentEncoder
from jaxgen.nets.progan import ProGANDiscriminator, ProGANGenerator
from jaxgen.nets.projection import LinearDiscriminator, ProjectionDiscriminator
from jaxgen.nets.sngan_resnet import ResNetFeatures
from jaxgen.nets.stylegan import StyleGANSynthesis
from jaxgen.nets.stylegan2 import StyleGAN2Discriminator, StyleGAN2Synthesis
from jaxgen.nets.stylegan3 import StyleGAN3Synthesis
from jaxgen.nets.text.transformer import TextTransformer
from jaxgen.nets.unet.classifier import NoisyClassifier
from jaxgen.nets.unet.cross_attention import CrossAttentionUNet
from tests.nets.networks import networks
from tests.nets.traces import CASES, PRODUCTS
from tests.nets.unet.networks import CLASSES, DENOISERS, IMAGES, TIMES
from tests.nets.unet.test_cross_attention import CONTEXT
from tests.programs import operations

LATENTS, ONE_HOT, FADE = jnp.ones((4, 5)), jnp.ones((4, 3)), jnp.float32(0.5)
SQUARES, STYLES = jnp.ones((4, 8, 8, 2)), jnp.ones((4, 4, 6))
GROWING = {"base": 16, "maximum": 6}
NETWORKS = {
    "ProGANGenerator": (ProGANGenerator(**GROWING), (LATENTS, (8, 8, 2), FADE)),
    "ProGANDiscriminator": (ProGANDiscriminator(**GROWING), (SQUARES, (), FADE)),
    "StyleGANSynthesis": (StyleGANSynthesis(**GROWING), (STYLES, (8, 8, 2), FADE)),
    "StyleGAN2Synthesis": (StyleGAN2Synthesis(32, 4), (STYLES, (8, 8, 2))),
    "StyleGAN2Discriminator": (StyleGAN2Discriminator(32, 4), (SQUARES,)),
    "StyleGAN3Synthesis": (StyleGAN3Synthesis(256, 4, num_layers=4), (jnp.ones((4, 6, 6)), (16, 16, 2))),
    "LinearDiscriminator": (LinearDiscriminator(ResNetFeatures((4, 4))), (SQUARES, (2,))),
    "ProjectionDiscriminator": (
        ProjectionDiscriminator(ResNetFeatures((8, 8), attention=(4,))),
        (SQUARES, jnp.ones((4, 3))),
    ),
    "BigGANDeepFeatures": (BigGANDeepFeatures(8, (1, 2), halvings=1, attention=(4,)), (SQUARES,)),
    "LatentEncoder": (LatentEncoder(8, (1, 2), 1, attention=(4,)), (SQUARES, (4, 4, 6))),
    "LatentDecoder": (LatentDecoder(8, (1, 2), 1, attention=(4,)), (jnp.ones((4, 4, 4, 3)), (8, 8, 2))),
    "CodeTransformer": (CodeTransformer(8, 2, 2), (jnp.ones((3, 2, 2), jnp.int32), (2, 2, 5))),
    "TextTransformer": (TextTransformer(8, 2, 2), (jnp.ones((3, 5), jnp.uint8),)),
    "NoisyClassifier": (NoisyClassifier(8, (1, 2), 1, (4,), head_features=8), (IMAGES, TIMES, (3,))),
    "CrossAttentionUNet": (
        CrossAttentionUNet(8, (1, 2), 1, attention=(4,), heads=2),
        (IMAGES, TIMES, CONTEXT, IMAGES.shape[1:]),
    ),
} | {name: (net, (IMAGES, TIMES, CLASSES, IMAGES.shape[1:])) for name, net in DENOISERS.items()}


STYLES_IN_FULL = {
    "StyleGANSynthesis": r"style$",
    "StyleGAN2Synthesis": r"affine$|/ModulatedConv_0$",
    "StyleGAN3Synthesis": r"affine$|/waves\b|/layer\d$",
}
"""Where matrix products are of float32: maps of styles, what they say of the size of outputs, and waves."""
LAYERS = {
    *("ChannelWiseDense", "Conv", "ConvTranspose", "UpsampleConv", "ConvMeanPool", "ConvNeXtBlock", "SelfAttention"),
    *("AdaptiveBlock", "EqualizedDense", "EqualizedConv", "PlainResidualBlock", "ModulatedConv", "PartialConv"),
    *("CrossAttentionBlock", "SpatialTransformer", "StyledLayer", "FilteredLayer", "TransformerBlock"),
    *("AttentionPool", "TimeEmbedding", "ResNetFeatures", "MagnitudePreservingDense", "MagnitudePreservingConv"),
}
"""Parts of the networks here and of `traces.CASES`."""


@pytest.mark.parametrize("name", NETWORKS)
def test_a_bfloat16_network_multiplies_halves_and_gives_float32(name):
    net, given = NETWORKS[name]
    halves = {"dtype": "bfloat16"}
    if isinstance(getattr(net, "features", None), nn.Module):
        halves["features"] = net.features.clone(dtype="bfloat16")
    net = net.clone(**halves)
    variables = jax.eval_shape(lambda: net.init(jax.random.key(0), *given))
    program = jax.make_jaxpr(lambda variables: net.apply(variables, *given))(variables).jaxpr
    products = [op for op in operations(program) if op.primitive.name in PRODUCTS]
    whole = [op for op in products if {value.aval.dtype.name for value in op.invars} != {"bfloat16"}]
    places = {str(op.source_info.name_stack) for op in whole if op.primitive.name == "dot_general"}
    assert len(whole) < len(products) and {op.primitive.name for op in whole} <= {"dot_general"}
    assert not {place for place in places if not re.search(STYLES_IN_FULL.get(name, "$^"), place)}
    assert {value.aval.dtype.name for value in program.outvars} - {"bool"} == {"float32"}


def test_every_network_with_a_dtype_is_traced():
    kinds = {type(net).__name__ for net, *_ in [*CASES, *NETWORKS.values()]}
    found = {kind.__name__ for kind, defaults in networks() if "dtype" in defaults}
    assert found == (kinds & found) | LAYERS
