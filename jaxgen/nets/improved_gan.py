"""Networks of improved GAN, the semi-supervised ones of the authors' code.

Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen: Improved Techniques for Training GANs, 2016, arXiv 1606.03498.

Generators have batch normalisation, or virtual batch normalisation, without scales
before each activation. Discriminators have weight normalisation, and noise or dropout in training; the logits of the
classes follow from the features that are matched, and with `kernels` from those of minibatch discrimination too.
"""

import math
from typing import Literal

import flax.linen as nn
import jax

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import ConvTranspose
from jaxgen.nets.dropout import dropout, gaussian_noise
from jaxgen.nets.image_shapes import image_shape
from jaxgen.nets.minibatch_discrimination import MinibatchDiscrimination
from jaxgen.nets.norm import offset_batch_norm
from jaxgen.nets.virtual_batch_norm import VirtualBatchNorm, with_reference, without_reference
from jaxgen.nets.weight_norm import WeightNormConv, WeightNormDense
from jaxgen.typing import Shape

GeneratorNorm = Literal["batch", "virtual"]


class ImprovedMLPGenerator(nn.Module):
    """Dense layers with softplus: the authors' for MNIST."""

    features: tuple[int, ...] = (500, 500)  # width of each hidden layer
    norm: GeneratorNorm = "batch"  # before each activation
    num_reference: int = 100  # examples of the reference batch of virtual batch normalisation

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), without output activation."""
        num = _num_reference(self.norm, self.num_reference)
        hidden = with_reference(self, latents, num) if num else latents
        for width in self.features:
            hidden = nn.softplus(_normalize(nn.Dense(width, use_bias=False)(hidden), num, mode))
        outputs = WeightNormDense(math.prod(output_shape), gain=1.0, learned=True)(without_reference(hidden, num))
        return outputs.reshape(latents.shape[0], *output_shape)


class ImprovedConvGenerator(nn.Module):
    """A dense layer, then transposed convolutions that double the sides: the authors' for CIFAR-10 and SVHN."""

    channels: tuple[int, ...] = (512, 256, 128)  # of each map, the smallest first
    norm: GeneratorNorm = "batch"  # before each activation
    num_reference: int = 100  # examples of the reference batch of virtual batch normalisation

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), without output activation."""
        height, width, image_channels = image_shape(output_shape)
        factor = 2 ** len(self.channels)
        divides = height % factor == width % factor == 0
        require(divides, "output_shape", output_shape, f"of sides that are multiples of {factor}")
        num = _num_reference(self.norm, self.num_reference)
        hidden = with_reference(self, latents, num) if num else latents
        first, *others = self.channels
        smallest = height // factor, width // factor, first
        hidden = _normalize(nn.Dense(math.prod(smallest), use_bias=False)(hidden), num, mode)
        hidden = nn.relu(hidden).reshape(-1, *smallest)
        for features in others:
            hidden = ConvTranspose(features, kernel_size=5, use_bias=False)(hidden)
            hidden = nn.relu(_normalize(hidden, num, mode))
        last = WeightNormConv(image_channels, kernel_size=5, strides=2, gain=1.0, learned=True, transposed=True)
        return last(without_reference(hidden, num))


class ImprovedMLPDiscriminator(nn.Module):
    """Dense layers with ReLU and Gaussian noise before each of them: the authors' for MNIST."""

    features: tuple[int, ...] = (1000, 500, 250, 250, 250)  # width of each hidden layer
    input_noise: float = 0.3  # deviation of the noise on the images
    noise: float = 0.5  # deviation of the noise on each hidden layer
    kernels: int = 0  # features of minibatch discrimination; 0 for none

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> dict[str, jax.Array]:
        """(batch, ...) to "features", (batch, width), and "logits", (batch, *output_shape), of classes."""
        require(min(self.features, default=0) >= 1, "features", self.features, "one positive width or more")
        hidden = gaussian_noise(images.reshape(images.shape[0], -1), self.input_noise, mode, 0)
        features = hidden
        for layer, width in enumerate(self.features, 1):
            features = nn.relu(WeightNormDense(width)(hidden))
            hidden = gaussian_noise(features, self.noise, mode, layer)
        return _heads(features, hidden, self.kernels, output_shape, mode)


class ImprovedConvDiscriminator(nn.Module):
    """Nine convolutions with dropout and a mean over the places: the authors' for CIFAR-10 and SVHN."""

    channels: tuple[int, int] = (96, 192)  # of the first three convolutions, and of the others
    input_rate: float = 0.2  # of dropout on the images
    rate: float = 0.5  # of dropout behind each halving
    kernels: int = 0  # features of minibatch discrimination; 0 for none

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> dict[str, jax.Array]:
        """(batch, height, width, channels) to "features", (batch, width), and "logits", (batch, *output_shape)."""
        require(min(self.channels) >= 1, "channels", self.channels, "positive")
        require(min(images.shape[1:3]) >= 9, "shape of images", images.shape, "of sides of at least 9")
        hidden = dropout(images, self.input_rate, mode, 0)
        for layer, width in enumerate(self.channels, 1):
            for strides in (1, 1, 2):
                hidden = nn.leaky_relu(WeightNormConv(width, strides=strides)(hidden), 0.2)
            hidden = dropout(hidden, self.rate, mode, layer)
        hidden = nn.leaky_relu(WeightNormConv(self.channels[-1], padding="VALID")(hidden), 0.2)
        for _ in range(2):
            hidden = nn.leaky_relu(WeightNormConv(self.channels[-1], kernel_size=1)(hidden), 0.2)
        features = hidden.mean(axis=(1, 2))
        return _heads(features, features, self.kernels, output_shape, mode)


def _heads(features: jax.Array, hidden: jax.Array, kernels: int, shape: Shape, mode: Mode) -> dict[str, jax.Array]:
    """The features, and the logits of what they are with their noise."""
    require(len(shape) == 1 and shape[0] >= 2, "output_shape", shape, "(classes,), at least 2")
    if kernels:
        hidden = MinibatchDiscrimination(kernels)(hidden, mode.axis_name)
    return {"features": features, "logits": WeightNormDense(shape[0], gain=1.0, learned=True)(hidden)}


def _num_reference(norm: GeneratorNorm, num: int) -> int:
    """Examples in front of the batch; 0 for batch normalisation."""
    return num if norm == "virtual" else 0


def _normalize(hidden: jax.Array, num: int, mode: Mode) -> jax.Array:
    """Virtual batch normalisation behind a reference batch of `num` examples, batch normalisation without one."""
    return VirtualBatchNorm(num)(hidden) if num else offset_batch_norm(hidden, mode)
