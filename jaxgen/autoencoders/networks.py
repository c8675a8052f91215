"""Encoders and decoders of papers and of courses (docs/courses.md), to be settings of a model's Config.

    vae.Config(latent_dim=10, encoder=HIGGINS_CONV.encoder, decoder=HIGGINS_CONV.decoder)

Where a paper has two heads, a mean and a log-variance for each latent, one last layer gives both: the parameters and
the function are the same. A squared error after a sigmoid needs a decoder whose smallest map is linear, as Atienza's
is: with a ReLU all outputs become strongly negative at first, where the sigmoid's gradient vanishes.

- Kingma, Welling: Auto-Encoding Variational Bayes, 2013, arXiv 1312.6114.
- Burda, Grosse, Salakhutdinov: Importance Weighted Autoencoders, 2015, arXiv 1509.00519.
- Higgins et al.: beta-VAE, 2017, ICLR.
- Burgess et al.: Understanding disentangling in beta-VAE, 2018, arXiv 1804.03599.
- Kim, Mnih: Disentangling by Factorising, 2018, arXiv 1802.05983.
- Atienza: Advanced Deep Learning with Keras, 2018, chapters 3 and 8.
- Jodoin: IFT780; Lingrand, Precioso: DSAI; Flax's VAE example.
"""

from typing import NamedTuple

import flax.linen as nn

from jaxgen.nets.conditioning import ChannelCondition, ConcatCondition
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder
from jaxgen.nets.initializers import Normal
from jaxgen.nets.mlp import MLP


class Pair(NamedTuple):
    """An encoder and its decoder."""

    encoder: nn.Module
    decoder: nn.Module


def mirrored(*features: int) -> Pair:
    """MLPs with ReLUs of these hidden widths, and of the same in reverse."""
    return Pair(MLP(features), MLP(features[::-1]))


# Autoencoders
JODOIN_AUTOENCODER = mirrored(128, 64, 12)  # 784-128-64-12-2
ATIENZA_AUTOENCODER = Pair(ConvEncoder(), ConvDecoder(linear_map=True))  # 28x28 to 16 latents
FULLY_CONVOLUTIONAL = Pair(  # 28x28 to latents of 7x7 c
    ConvEncoder(bottleneck="map"), ConvDecoder(bottleneck="map", linear_map=True)
)

# Variational autoencoders
KINGMA_WELLING = Pair(  # one hidden layer of tanh; 500 for MNIST, 200 for Frey faces; N(0, 0.01) weights
    MLP((500,), activation="tanh", initializer=Normal(0.01)), MLP((500,), activation="tanh", initializer=Normal(0.01))
)
BURDA = Pair(MLP((200, 200), activation="tanh"), MLP((200, 200), activation="tanh"))  # one stochastic layer of 50
JODOIN = mirrored(128, 64)  # 784-128-64, 32 latents
LINGRAND_PRECIOSO = mirrored(256)  # 784-256, 28 latents
FLAX_EXAMPLE = mirrored(500)  # 784-500, 20 latents
ATIENZA_MLP = mirrored(512)  # 784-512, 2 latents
ATIENZA_CONV = Pair(ConvEncoder(features=(16,)), ConvDecoder())  # 28x28, 2 latents

# Conditional
ATIENZA_CONDITIONAL = Pair(
    ChannelCondition(ConvEncoder(features=(16,))), ConcatCondition(ConvDecoder())
)  # 28x28, 2 latents

# Disentangling, 64x64
HIGGINS_DENSE = Pair(MLP((1200, 1200)), MLP((1200, 1200, 1200), activation="tanh"))  # dSprites, 10 latents
HIGGINS_CONV = Pair(
    ConvEncoder((32, 32, 64, 64), kernel_size=4, features=(256,)),
    ConvDecoder((64, 64, 32, 32), kernel_size=4, features=(256,), output_strides=2),
)
BURGESS = Pair(
    ConvEncoder((32, 32, 32, 32), kernel_size=4, features=(256, 256)),
    ConvDecoder((32, 32, 32, 32), kernel_size=4, features=(256, 256), output_strides=2),
)
KIM_MNIH = Pair(  # dSprites, 10 latents
    ConvEncoder((32, 32, 64, 64), kernel_size=4, features=(128,)),
    ConvDecoder((64, 64, 32, 32), kernel_size=4, features=(128,), output_strides=2),
)
