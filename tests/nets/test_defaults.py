"""The defaults are the numbers of the papers, or of the codes that the docstrings name; the house's where none says.

Tests of the files themselves build small networks, so that nothing else would show a wrong default.
"""

import dataclasses
from typing import get_args

import pytest

from jaxgen.nets import initializers
from jaxgen.nets.acgan import IMAGENET_CHANNELS, ACGANDiscriminator, ACGANGenerator
from jaxgen.nets.ali import ALIDiscriminator, ALIEncoder, ALIGenerator
from jaxgen.nets.began import BEGANAutoencoder, BEGANDecoder
from jaxgen.nets.bgan import BGANDiscriminator, BGANGenerator
from jaxgen.nets.biggan import BigGANGenerator
from jaxgen.nets.biggan_deep import BigGANDeepFeatures, BigGANDeepGenerator
from jaxgen.nets.classifier import ConvClassifier
from jaxgen.nets.clustergan import ClusterGANEncoder, ClusterGANGenerator
from jaxgen.nets.cogan import CoGANDiscriminator, CoGANGenerator, CoGANStem
from jaxgen.nets.conditional_mlp import ConditionalMLPDiscriminator, ConditionalMLPGenerator
from jaxgen.nets.conv import ConvCritic, ConvGenerator
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder
from jaxgen.nets.convolution_layers import Conv, ConvMeanPool, ConvTranspose, UpsampleConv
from jaxgen.nets.courses.atienza import AtienzaDiscriminator, AtienzaGenerator
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgen.nets.diff_augment import DiffAugment
from jaxgen.nets.grid import GridDecoder, GridEncoder
from jaxgen.nets.improved_gan import (
    ImprovedConvDiscriminator,
    ImprovedConvGenerator,
    ImprovedMLPDiscriminator,
    ImprovedMLPGenerator,
)
from jaxgen.nets.infogan import InfoGANDiscriminator, InfoGANGenerator
from jaxgen.nets.lapgan import BandDiscriminator, BandGenerator, DropoutMLP
from jaxgen.nets.lsgan import LSGANDiscriminator, LSGANGenerator
from jaxgen.nets.maxout import Maxout
from jaxgen.nets.mlp import MLP
from jaxgen.nets.pixelcnn import PixelCNN
from jaxgen.nets.r3gan import InvertedBottleneck, R3GANDiscriminator, R3GANGenerator
from jaxgen.nets.resnet import FlatResNetCritic, ResNetCritic, ResNetGenerator
from jaxgen.nets.self_attention import SelfAttention
from jaxgen.nets.sngan import SNGANDiscriminator, SNGANGenerator
from jaxgen.nets.sngan_resnet import ConditionalResNetGenerator, ResNetFeatures
from jaxgen.nets.spectral import Spectral
from jaxgen.nets.vq_vae_2 import Features, GivenTop

GRID = {"channels": 128, "residual_blocks": 2, "residual_channels": 32}  # Sonnet's example
KERNEL = {"kernel_size": 3, "use_bias": True, "feature_groups": 1}

NUMBERS = [
    # Odena et al., appendix A, for CIFAR-10.
    (ACGANGenerator, {"channels": (384, 192, 96), "kernel_size": 5}),
    (ACGANDiscriminator, {"channels": (16, 32, 64, 128, 256, 512), "negative_slope": 0.2, "dropout": 0.5}),
    (ConvClassifier, {"channels": 16, "width": 64}),
    # Zhao et al., the authors' code.
    (DiffAugment, {"color": True, "translation": 0.125, "cutout": 0.5}),
    # Mirza & Osindero, section 4.1.
    (
        ConditionalMLPGenerator,
        {"latent_features": 200, "condition_features": 1000, "features": 1200, "dropout": 0.5},
    ),
    (
        ConditionalMLPDiscriminator,
        {
            "image_features": 240,
            "condition_features": 50,
            "features": 240,
            "pieces": 5,
            "joint_pieces": 4,
            "dropout": 0.5,
        },
    ),
    (ConvGenerator, {"channels": 64, "kernel_size": 3, "negative_slope": 0.0}),
    (ConvCritic, {"channels": 64, "kernel_size": 3, "negative_slope": 0.2}),
    (ConvEncoder, {"channels": (32, 64), "kernel_size": 3, "features": (), "negative_slope": 0.0}),
    (
        ConvDecoder,
        {
            "channels": (64, 64, 32),
            "kernel_size": 3,
            "features": (),
            "output_strides": 1,
            "linear_map": False,
            "negative_slope": 0.0,
        },
    ),
    (Conv, {**KERNEL, "strides": 1}),
    (ConvTranspose, {"kernel_size": 4, "strides": 2, "use_bias": True, "feature_groups": 1}),
    (UpsampleConv, KERNEL),
    (ConvMeanPool, KERNEL),
    # Radford et al., for 64x64: 1024 channels at 4x4, four doublings.
    (DCGANGenerator, {"channels": 128, "kernel_size": 5, "norm": "batch", "norm_units": False}),
    (DCGANDiscriminator, {"channels": 128, "kernel_size": 5, "negative_slope": 0.2, "norm": "batch"}),
    # Atienza, chapter 4.
    (AtienzaGenerator, {"channels": 32, "kernel_size": 5, "norm": "batch"}),
    (AtienzaDiscriminator, {"channels": 32, "kernel_size": 5, "last_stride": 1, "negative_slope": 0.2}),
    (GridEncoder, GRID),
    (GridDecoder, GRID),
    (Features, {"residual_blocks": 2, "residual_channels": 32}),
    (GivenTop, {"residual_blocks": 2}),
    # Chen et al., table 1.
    (InfoGANGenerator, {"features": 1024, "channels": 64}),
    (InfoGANDiscriminator, {"channels": 64, "features": 1024, "q_features": 128, "negative_slope": 0.1}),
    # Dumoulin et al., table 3.
    (ALIEncoder, {"channels": 32, "negative_slope": 0.1, "initializer": initializers.Normal(0.01)}),
    (ALIGenerator, {"channels": 32, "negative_slope": 0.1, "initializer": initializers.Normal(0.01)}),
    (
        ALIDiscriminator,
        {
            "channels": 32,
            "latent_features": 512,
            "features": 1024,
            "input_dropout": 0.2,
            "hidden_dropout": 0.5,
            "initializer": initializers.Normal(0.01),
        },
    ),
    # Liu & Tuzel, the authors' code for digits.
    (CoGANGenerator, {"channels": 1024}),
    (CoGANStem, {"channels": 20}),
    (CoGANDiscriminator, {"channels": 50, "features": 500}),
    # Mukherjee et al., the authors' code for MNIST.
    (ClusterGANGenerator, {"features": 1024, "channels": 64, "initializer": initializers.Normal(0.02)}),
    (
        ClusterGANEncoder,
        {"channels": 64, "features": 1024, "negative_slope": 0.2, "initializer": initializers.Normal(0.02)},
    ),
    # Berthelot et al., for faces of 64x64.
    (BGANGenerator, {"features": 1024, "channels": 64}),
    (BGANDiscriminator, {"channels": 64, "features": 1024}),
    (BEGANDecoder, {"channels": 128}),
    (BEGANAutoencoder, {"channels": 128, "code_dim": 64}),
    # The authors' code of improved GAN, for MNIST and for CIFAR-10.
    (ImprovedMLPGenerator, {"features": (500, 500), "norm": "batch", "num_reference": 100}),
    (
        ImprovedMLPDiscriminator,
        {"features": (1000, 500, 250, 250, 250), "input_noise": 0.3, "noise": 0.5, "kernels": 0},
    ),
    (ImprovedConvGenerator, {"channels": (512, 256, 128), "norm": "batch", "num_reference": 100}),
    (ImprovedConvDiscriminator, {"channels": (96, 192), "input_rate": 0.2, "rate": 0.5, "kernels": 0}),
    # In the manner of Denton et al., for CIFAR-10.
    (DropoutMLP, {"features": (600, 600), "rate": 0.5}),
    (BandGenerator, {"channels": 64, "layers": 2, "kernel_size": 7}),
    (BandDiscriminator, {"channels": 64, "kernel_size": 5, "rate": 0.5}),
    # Mao et al., figure 2.
    (LSGANGenerator, {"features": (256, 256, 256, 256, 256, 128, 64), "strides": (2, 1, 2, 1, 2, 2)}),
    (LSGANDiscriminator, {"channels": 64, "layers": 4, "negative_slope": 0.2}),
    # The authors' Pylearn2 configuration for MNIST.
    (Maxout, {"features": (240, 240), "pieces": 5, "input_dropout": 0.2, "hidden_dropout": 0.5}),
    (MLP, {"features": (512, 512, 512), "negative_slope": 0.0, "affine": True}),
    (PixelCNN, {"channels": 64, "layers": 6, "reach": 1}),
    # Huang et al., for CIFAR-10.
    (
        R3GANGenerator,
        {"channels": (768,) * 4, "groups": (96,) * 4, "blocks": 2, "embedding": 64, "negative_slope": 0.2},
    ),
    (R3GANDiscriminator, {"channels": (768,) * 4, "groups": (96,) * 4, "blocks": 2, "negative_slope": 0.2}),
    (InvertedBottleneck, {"negative_slope": 0.2}),
    # Gulrajani et al., appendix F, and their code.
    (ResNetGenerator, {"channels": (128, 128, 128, 128), "inner_bias": True}),
    (ResNetCritic, {"channels": 128, "blocks": 2, "norm": "none", "pool": "mean", "last_bias": True}),
    (FlatResNetCritic, {"channels": (64, 128, 256, 512, 512), "norm": "layer", "inner_bias": False}),
    # Miyato et al., table 3.
    (SNGANGenerator, {"channels": 64}),
    (SNGANDiscriminator, {"channels": 64, "negative_slope": 0.1}),
    (Spectral, {"steps": 1, "exempt": ()}),
    # Miyato et al., table 4; Zhang et al.'s code.
    (
        ConditionalResNetGenerator,
        {"channels": (256, 256, 256, 256), "attention": (), "initializer": None, "remat": False},
    ),
    (ResNetFeatures, {"channels": (128, 128, 128, 128), "halvings": 2, "wide": False, "attention": (), "remat": False}),
    (SelfAttention, {"pool": True, "initializer": initializers.GlorotUniform()}),
    # Brock et al., appendices B and C, for 128x128.
    (
        BigGANGenerator,
        {
            "channels": 96,
            "multipliers": (16, 16, 8, 4, 2, 1),
            "attention": (64,),
            "embedding": 128,
            "remat": False,
            "hierarchical": True,
            "initializer": initializers.Orthogonal(),
        },
    ),
    (
        BigGANDeepGenerator,
        {
            "channels": 128,
            "multipliers": (16, 16, 8, 4, 2, 1),
            "blocks": 2,
            "attention": (64,),
            "embedding": 128,
            "remat": False,
            "initializer": initializers.Orthogonal(),
        },
    ),
    (
        BigGANDeepFeatures,
        {
            "channels": 128,
            "multipliers": (1, 2, 4, 8, 16, 16),
            "halvings": 5,
            "blocks": 2,
            "attention": (64,),
            "remat": False,
        },
    ),
]


@pytest.mark.parametrize(("kind", "wanted"), NUMBERS, ids=lambda value: getattr(value, "__name__", ""))
def test_numbers_by_default(kind, wanted):
    defaults = {field.name: field.default for field in dataclasses.fields(kind)}
    assert {name: defaults[name] for name in wanted} == wanted


FIRST_WEIGHTS = {
    "DCGANGenerator": initializers.Normal(0.02),
    "DCGANDiscriminator": initializers.Normal(0.02),
    "AtienzaGenerator": initializers.GlorotUniform(),
    "AtienzaDiscriminator": initializers.GlorotUniform(),
    "InfoGANGenerator": initializers.Normal(0.02),
    "InfoGANDiscriminator": initializers.Normal(0.02),
    "BGANGenerator": initializers.Normal(0.02),
    "BGANDiscriminator": initializers.Normal(0.02),
    "LSGANGenerator": initializers.Normal(0.02),
    "LSGANDiscriminator": initializers.Normal(0.02),
    "Maxout": initializers.Uniform(0.005),
    "MLP": initializers.LeCunNormal(),
    "BigGANDeepFeatures": initializers.Orthogonal(1.0),
}


def test_first_weights_of_all_others_by_default():
    found = {}
    for kind, wanted in NUMBERS:
        defaults = {field.name: field.default for field in dataclasses.fields(kind)}
        if isinstance(defaults.get("initializer"), get_args(initializers.Initializer)) and "initializer" not in wanted:
            found[kind.__name__] = defaults["initializer"]
    assert found == FIRST_WEIGHTS


def test_channels_of_acgan_for_imagenet():
    """768 at 8x8, appendix A."""
    assert IMAGENET_CHANNELS == (768, 384, 256, 192)
