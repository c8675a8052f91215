"""The defaults of networks of translation, styles, texts and diffusion: the papers' numbers, or those of the codes.

`test_defaults` has those of the other networks, and nothing is in neither.
"""

import dataclasses

import jax.numpy as jnp
import pytest

from jaxgen.nets import biggan, biggan_deep, resnet, sngan_resnet
from jaxgen.nets.attention import Attention
from jaxgen.nets.bicyclegan import CodedUNetTranslator, CodeEncoder, ScaledDiscriminator
from jaxgen.nets.biggan_deep import DiscriminatorBlock, GeneratorBlock
from jaxgen.nets.code_transformer import CodeTransformer
from jaxgen.nets.context_encoder import ContextDiscriminator, ContextEncoder
from jaxgen.nets.courses.annotated_diffusion import ConvNeXtBlock, ConvNeXtUNet, SelfAttention
from jaxgen.nets.courses.fidle import FidleDiscriminator, FidleGenerator
from jaxgen.nets.courses.lanham import LanhamCritic, LanhamGenerator
from jaxgen.nets.cyclegan import ResNetTranslator
from jaxgen.nets.discogan import DiscoGANDiscriminator, DiscoGANTranslator
from jaxgen.nets.dit import DiT
from jaxgen.nets.dualgan import DualGANCritic, DualGANTranslator
from jaxgen.nets.equalized import EqualizedConv, EqualizedDense
from jaxgen.nets.gan_cls import Bottleneck, TextDiscriminator, TextGenerator, TextScore
from jaxgen.nets.inception import BasicConv2d
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.nets.kl_autoencoder import LatentDecoder, LatentEncoder, PlainResidualBlock
from jaxgen.nets.layer_maps import LayerMaps
from jaxgen.nets.magnitude_preserving import MagnitudePreservingConv
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.minibatch_discrimination import MinibatchDiscrimination
from jaxgen.nets.modulated import ModulatedConv
from jaxgen.nets.munit import StyleDecoder, StyleEncoder
from jaxgen.nets.partial_convolution import PartialConv, PartialUNet
from jaxgen.nets.pix2pix import PatchDiscriminator, PixelDiscriminator, UNetTranslator
from jaxgen.nets.pixelda import DomainClassifier, NoisyDiscriminator, NoisyTranslator
from jaxgen.nets.progan import ProGANDiscriminator, ProGANGenerator
from jaxgen.nets.projection import LinearDiscriminator, ProjectionDiscriminator
from jaxgen.nets.rrdb import RRDB, ResidualDenseBlock, RRDBNet
from jaxgen.nets.sngan_resnet import ResNetFeatures
from jaxgen.nets.spatial_transformer import SpatialTransformer
from jaxgen.nets.srgan import SRGANDiscriminator
from jaxgen.nets.srresnet import SRResNet
from jaxgen.nets.stackgan import StageOneGenerator, StageTwoDiscriminator, StageTwoGenerator, WideBlock
from jaxgen.nets.stargan import StarGANDiscriminator, StarGANTranslator
from jaxgen.nets.stylegan import StyleGANSynthesis
from jaxgen.nets.stylegan2 import StyledLayer, StyleGAN2Discriminator, StyleGAN2Synthesis
from jaxgen.nets.stylegan3 import StyleGAN3Synthesis
from jaxgen.nets.text.char_cnn_rnn import CharCNNRNN
from jaxgen.nets.text.given import GivenContext
from jaxgen.nets.text.pooled import PooledText
from jaxgen.nets.text.transformer import TextTransformer, TransformerBlock
from jaxgen.nets.time_mlp import TimeMLP
from jaxgen.nets.tp_gan import CoarseDiscriminator, GlobalPathway, IdentityHead, LocalPathway
from jaxgen.nets.uncertainty import LevelUncertainty
from jaxgen.nets.unet.blocks import AttentionBlock, GroupNorm, ResidualBlock
from jaxgen.nets.unet.classifier import NoisyClassifier
from jaxgen.nets.unet.cross_attention import CrossAttentionUNet
from jaxgen.nets.unet.ddpm import UNet
from jaxgen.nets.unet.ddpm_plus_plus import DDPMPlusPlus
from jaxgen.nets.unet.edm2 import EDM2Block, EDM2UNet
from jaxgen.nets.unet.embeddings import Fourier, PhasedFourier, Sinusoid
from jaxgen.nets.unet.fourier_inputs import FourierInputs
from jaxgen.nets.unet.patches import Patched
from jaxgen.nets.unit import ContentDecoder, ContentEncoder, MultiScaleDiscriminator, ResidualBlocks
from jaxgen.nets.vgg16 import VGG16Maps
from jaxgen.nets.vgg19 import VGG19
from jaxgen.nets.virtual_batch_norm import VirtualBatchNorm
from jaxgen.nets.weight_norm import WeightNormConv, WeightNormDense
from tests.nets.networks import networks
from tests.nets.test_defaults import NUMBERS as OTHERS

GUIDED = Sinusoid(endpoint=False, cosines_first=True)  # of the code of Dhariwal & Nichol, which others took on
NUMBERS = [
    (Attention, {"heads": 8, "features": None, "use_bias": True, "causal": False}),
    (CodedUNetTranslator, {"channels": 64, "downs": 8, "rate": 0.0, "norm": "instance"}),
    (CodeEncoder, {"channels": 64, "blocks": 4, "norm": "instance"}),
    (ScaledDiscriminator, {"channels": 64, "layers": 3, "scales": 2, "norm": "instance"}),
    (GeneratorBlock, {"up": False}),
    (DiscriminatorBlock, {"down": False}),
    (ContextEncoder, {"channels": 64, "bottleneck": 4000, "channel_wise": False, "norm": "batch"}),
    (ContextDiscriminator, {"channels": 64, "norm": "batch"}),
    (ConvNeXtBlock, {"expansion": 2}),
    (
        ConvNeXtUNet,
        {"channels": 28, "multipliers": (1, 2, 4), "expansion": 2, "heads": 4, "head_features": 32, "remat": False},
    ),
    (FidleGenerator, {"channels": 64}),
    (FidleDiscriminator, {"channels": 64, "negative_slope": 0.2, "dropout": 0.2}),
    (LanhamGenerator, {"channels": 64, "kernel_size": 4, "norm": "batch"}),
    (LanhamCritic, {"channels": 16, "negative_slope": 0.2, "norm": "batch", "dropout": 0.25}),
    (ResNetTranslator, {"channels": 64, "blocks": 9, "norm": "instance"}),
    (DiscoGANTranslator, {"channels": 64, "downs": 4, "bottleneck": 0, "norm": "batch"}),
    (DiscoGANDiscriminator, {"channels": 64, "downs": 4, "norm": "batch"}),
    (DiT, {"features": GUIDED, "width": 1152, "blocks": 28, "heads": 16, "patch": 2, "remat": False}),
    (DualGANTranslator, {"channels": 64, "downs": 8, "rate": 0.5, "norm": "instance"}),
    (DualGANCritic, {"channels": 64, "layers": 5, "patches": False, "norm": "instance"}),
    (EqualizedDense, {"gain": 1.0, "use_bias": True, "bias": 0.0, "lr_multiplier": 1.0}),
    (
        EqualizedConv,
        {"kernel_size": 3, "gain": 2**0.5, "use_bias": True, "strides": 1, "padding": "SAME", "upsample": False},
    ),
    (Bottleneck, {"norm": "batch"}),
    (TextGenerator, {"channels": 128, "text": 256, "norm": "batch"}),
    (TextDiscriminator, {"channels": 64, "text": 256, "norm": "batch"}),
    (TextScore, {"text": 256, "norm": "batch"}),
    (InstanceNoise, {"end": 0}),
    (LatentEncoder, {"channels": 128, "multipliers": (1, 2, 4, 4), "blocks": 2, "attention": (), "dropout": 0.0}),
    (LatentDecoder, {"channels": 128, "multipliers": (1, 2, 4, 4), "blocks": 2, "attention": (), "dropout": 0.0}),
    (MagnitudePreservingConv, {"kernel_size": 3}),
    (Mapping, {"layers": 8, "features": 512, "lr_multiplier": 0.01, "scaled_activation": False}),
    (MinibatchDiscrimination, {"kernels": 100, "dims": 5}),
    (ModulatedConv, {"kernel_size": 3, "demodulate": True, "up": False, "form": "scaled"}),
    (StyleEncoder, {"channels": 64, "downs": 4}),
    (StyleDecoder, {"ups": 2, "blocks": 4, "features": (256, 256)}),
    (PartialConv, {"kernel_size": 3, "strides": 1, "padding": "SAME", "use_bias": True}),
    (PartialUNet, {"channels": 64, "downs": 8, "norm": "batch", "fixed_statistics": False}),
    (UNetTranslator, {"channels": 64, "downs": 8, "rate": 0.5, "norm": "batch"}),
    (PatchDiscriminator, {"channels": 64, "layers": 3, "norm": "batch"}),
    (PixelDiscriminator, {"channels": 64, "norm": "batch"}),
    (NoisyTranslator, {"channels": 64, "blocks": 6}),
    (NoisyDiscriminator, {"channels": 64, "rate": 0.1, "deviation": 0.2}),
    (DomainClassifier, {"private": True, "channels": (32, 48), "width": 100}),
    (GlobalPathway, {"channels": 64, "code": 256, "kernels": (7, 5), "norm": "batch"}),
    (LocalPathway, {"channels": 64, "downs": 3, "norm": "batch"}),
    (CoarseDiscriminator, {"channels": 64, "side": 2, "norm": "batch"}),
    (IdentityHead, {"rate": 0.7}),
    (ProGANGenerator, {"base": 8192, "maximum": 512, "smallest": 4}),
    (ProGANDiscriminator, {"base": 8192, "maximum": 512, "smallest": 4, "group": 4, "blurred": False}),
    (LinearDiscriminator, {"last_bias": True}),
    (ProjectionDiscriminator, {"last_bias": True}),
    (
        resnet.ResidualBlock,
        {"resample": "none", "norm": "none", "inner_bias": True, "inner": None, "weights": None, "centred": False},
    ),
    (ResidualDenseBlock, {"growth": 32, "residual_scale": 0.2}),
    (RRDB, {"growth": 32, "residual_scale": 0.2}),
    (RRDBNet, {"channels": 64, "growth": 32, "blocks": 23, "residual_scale": 0.2}),
    (SpatialTransformer, {"heads": 8, "depth": 1}),
    (
        SRGANDiscriminator,
        {"channels": 64, "downs": 4, "width": 1024, "halving_kernel": 3, "use_bias": True, "norm": "batch"},
    ),
    (SRResNet, {"channels": 64, "blocks": 16, "norm": "batch"}),
    (StageOneGenerator, {"channels": 128, "norm": "batch"}),
    (StageTwoGenerator, {"channels": 128, "blocks": 4, "norm": "batch"}),
    (WideBlock, {"norm": "batch"}),
    (StageTwoDiscriminator, {"channels": 64, "text": 128, "norm": "batch"}),
    (StarGANTranslator, {"channels": 64, "blocks": 6, "norm": "instance"}),
    (StarGANDiscriminator, {"channels": 64, "layers": 6}),
    (StyleGANSynthesis, {"base": 8192, "maximum": 512, "smallest": 4}),
    (StyledLayer, {"up": False, "clamp": None, "form": "scaled"}),
    (StyleGAN2Synthesis, {"channel_base": 32768, "channel_max": 512, "clamp": None, "form": "scaled"}),
    (
        StyleGAN2Discriminator,
        {"channel_base": 32768, "channel_max": 512, "residual": True, "group": 4, "mapping_layers": 8, "clamp": None},
    ),
    (
        StyleGAN3Synthesis,
        {
            "channel_base": 32768,
            "channel_max": 512,
            "num_layers": 14,
            "num_critical": 2,
            "first_cutoff": 2.0,
            "first_stopband": 2**2.1,
            "last_stopband": 2**0.3,
            "margin": 10,
            "kernel_size": 3,
            "radial": False,
            "filter_size": 6,
            "output_scale": 0.25,
            "magnitude_half_life": 625.0,
        },
    ),
    (
        CharCNNRNN,
        {
            "channels": (384, 512, 256),
            "strides": (3, 3, 2),
            "window": 3,
            "kernel_size": 4,
            "cell": "relu",
            "width": 256,
        },
    ),
    (GivenContext, {"features": 768}),
    (PooledText, {"pooling": "mean"}),
    (TransformerBlock, {"dropout": 0.0, "layer": 0, "causal": False}),
    (CodeTransformer, {"width": 128, "blocks": 4, "heads": 4, "dropout": 0.0}),
    (TextTransformer, {"vocabulary": 256, "width": 128, "blocks": 2, "heads": 4, "dropout": 0.0}),
    (TimeMLP, {"features": Sinusoid(), "width": 128, "blocks": 3, "num_features": 64}),
    (GroupNorm, {"groups": None, "epsilon": 1e-06, "activate": True}),
    (ResidualBlock, {"resample": "none", "layer": 0}),
    (AttentionBlock, {"heads": 1}),
    (
        NoisyClassifier,
        {
            "features": GUIDED,
            "channels": 128,
            "multipliers": (1, 2, 3, 4),
            "blocks": 4,
            "attention": (32, 16, 8),
            "head_features": 64,
            "pool": "attention",
            "dropout": 0.0,
            "remat": False,
        },
    ),
    (
        CrossAttentionUNet,
        {
            "features": GUIDED,
            "channels": 320,
            "multipliers": (1, 2, 4, 4),
            "blocks": 2,
            "attention": (64, 32, 16),
            "heads": 8,
            "depth": 1,
            "dropout": 0.0,
            "remat": False,
        },
    ),
    (FourierInputs, {"exponents": (6, 7)}),
    (
        UNet,
        {
            "features": Sinusoid(endpoint=True, cosines_first=False),
            "channels": 128,
            "multipliers": (1, 2, 2, 2),
            "blocks": 2,
            "attention": (16,),
            "heads": 1,
            "dropout": 0.1,
            "scale_shift": False,
            "remat": False,
        },
    ),
    (
        DDPMPlusPlus,
        {
            "features": Sinusoid(endpoint=True, cosines_first=False),
            "channels": 128,
            "multipliers": (2, 2, 2),
            "blocks": 4,
            "attention": (16,),
            "heads": 1,
            "dropout": 0.13,
            "remat": False,
        },
    ),
    (
        EDM2UNet,
        {
            "channels": 128,
            "multipliers": (1, 2, 3, 4),
            "blocks": 3,
            "attention": (16, 8),
            "head_features": 64,
            "dropout": 0.0,
            "bandwidth": 1.0,
            "remat": False,
        },
    ),
    (EDM2Block, {"down": True, "attends": False, "layer": 0}),
    (PhasedFourier, {"bandwidth": 1.0}),
    (LevelUncertainty, {"features": 128}),
    (Sinusoid, {"endpoint": True, "cosines_first": False}),
    (Fourier, {"scale": 1.0}),
    (Patched, {"size": 2}),
    (ContentEncoder, {"channels": 64, "downs": 2, "blocks": 4, "norm": "instance"}),
    (ResidualBlocks, {"blocks": 1, "norm": "instance"}),
    (ContentDecoder, {"ups": 2, "blocks": 4, "norm": "instance"}),
    (MultiScaleDiscriminator, {"channels": 64, "layers": 4, "scales": 3, "norm": "none"}),
    (VGG16Maps, {"channels": 64, "convolutions": (2, 2, 3)}),
    (VGG19, {"block": 5, "conv": 4, "activated": True, "channels": 64}),
    (VirtualBatchNorm, {"epsilon": 1e-05}),
    (WeightNormDense, {"gain": 2**0.5, "learned": False}),
    (
        WeightNormConv,
        {"kernel_size": 3, "strides": 1, "padding": "SAME", "gain": 2**0.5, "learned": False, "transposed": False},
    ),
    (PlainResidualBlock, {"dropout": 0.0, "layer": 0}),
    (BasicConv2d, {"strides": 1, "padding": 0}),
    (LayerMaps, {"shape": ()}),
    (SelfAttention, {"heads": 4, "head_features": 32}),
]


@pytest.mark.parametrize(("network", "wanted"), NUMBERS, ids=[network.__name__ for network, _ in NUMBERS])
def test_numbers_by_default_are_the_papers(network, wanted):
    found = {field.name: field.default for field in dataclasses.fields(network)}
    assert {name: found[name] for name in wanted} == wanted


def test_every_number_of_a_network_by_default_stands_in_a_table():
    told = {kind: set(wanted) for kind, wanted in [*OTHERS, *NUMBERS]}
    untold = {
        f"{kind.__name__}.{name}"
        for kind, defaults in networks()
        for name, value in defaults.items()
        if isinstance(value, bool | int | float | tuple) and name not in {"parent", "name"} | told.get(kind, set())
    }
    assert untold == set()


def test_every_network_computes_in_float32_by_default():
    found = {kind.__name__: defaults["dtype"] for kind, defaults in networks() if "dtype" in defaults}
    whole = {"float32", jnp.float32, None, dataclasses.MISSING}
    assert len(found) > 80 and {name for name, dtype in found.items() if dtype not in whole} == set()


def test_channels_of_networks_by_resolution():
    """Miyato et al., tables 3 to 5 and the authors' code for 128x128; Brock et al., tables 4 to 9."""
    assert sngan_resnet.GENERATOR_32 == (256,) * 4
    assert sngan_resnet.GENERATOR_48 == (512, 256, 128, 64)
    assert sngan_resnet.GENERATOR_64 == (1024, 512, 256, 128, 64)
    assert sngan_resnet.GENERATOR_128 == (1024, 1024, 512, 256, 128, 64)
    assert biggan.MULTIPLIERS_32 == (4, 4, 4, 4)
    assert biggan.MULTIPLIERS_64 == (16, 16, 8, 4, 2)
    assert biggan.MULTIPLIERS_128 == (16, 16, 8, 4, 2, 1)
    assert biggan.MULTIPLIERS_256 == (16, 16, 8, 8, 4, 2, 1)
    assert ResNetFeatures() == sngan_resnet.FEATURES_32
    assert ResNetFeatures((64, 128, 256, 512, 1024), halvings=4) == sngan_resnet.FEATURES_48
    assert ResNetFeatures((64, 128, 256, 512, 1024), halvings=5) == sngan_resnet.FEATURES_64
    assert ResNetFeatures((64, 128, 256, 512, 1024, 1024), halvings=5) == sngan_resnet.FEATURES_128
    deep = biggan_deep.BigGANDeepFeatures
    assert biggan_deep.DISCRIMINATOR_32.features == deep(multipliers=(4, 4, 4, 4), halvings=2, attention=())
    assert biggan_deep.DISCRIMINATOR_64.features == deep(multipliers=(1, 2, 4, 8, 16), halvings=4, attention=(32,))
    assert biggan_deep.DISCRIMINATOR_128.features == deep()
    found = biggan.DISCRIMINATOR_CIFAR, biggan.DISCRIMINATOR_64, biggan.DISCRIMINATOR_128
    assert [net.features.channels for net in found] == [
        (256,) * 4,
        (96, 192, 384, 768, 1536),
        (96, 192, 384, 768, 1536, 1536),
    ]
    assert [net.features.halvings for net in found] == [2, 4, 5]
    assert [net.features.attention for net in found] == [(), (32,), (64,)]
    assert resnet.GOOD_CHANNELS == (512, 512, 256, 128, 64)
