"""Convolutional networks in PyTorch, NCHW: layer for layer those of `jaxgen.nets.conv`, `dcgan` and `resnet`.

In the order of layers that PyTorch codes have: up-sampling before a convolution and pooling after it, in the
shortcuts too.
"""

import itertools
import math
from typing import Any

from jaxgen.nets.conv import ConvCritic, ConvGenerator, halvings
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator, pyramid
from jaxgen.nets.resnet import ResNetCritic, ResNetGenerator
from jaxgen.nets.spectral import Spectral
from jaxgen.typing import Shape


def network(ours: Any, image_shape: Shape, latent_dim: int) -> Any:
    """The same network as `ours`."""
    match ours:
        case ConvGenerator():
            return _up_sampling(ours, image_shape, latent_dim)
        case ConvCritic():
            return _pooling(ours, image_shape)
        case DCGANGenerator():
            return _transposed(ours, image_shape, latent_dim)
        case DCGANDiscriminator():
            return _strided(ours, image_shape)
        case ResNetGenerator():
            return _residual_generator(ours, image_shape, latent_dim)
        case ResNetCritic():
            return _residual_critic(ours, image_shape)
        case Spectral():
            return _spectral(network(ours.net, image_shape, latent_dim), ours.steps)
    raise ValueError(f"{type(ours).__name__} is not here in PyTorch; add it to {__name__}")


def _spectral(theirs: Any, steps: int) -> Any:
    """PyTorch's own normalisation, on every layer that has a matrix."""
    from torch import nn  # pyright: ignore[reportMissingImports]
    from torch.nn.utils.parametrizations import spectral_norm  # pyright: ignore[reportMissingImports]

    for layer in list(theirs.modules()):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            spectral_norm(layer, n_power_iterations=steps)
    return theirs


def _norm(norm: str, channels: int) -> list[Any]:
    from torch import nn  # pyright: ignore[reportMissingImports]

    return [nn.BatchNorm2d(channels)] if norm == "batch" else []


def _start(latent_dim: int, channels: int, height: int, width: int) -> list[Any]:
    from torch import nn  # pyright: ignore[reportMissingImports]

    return [nn.Linear(latent_dim, channels * height * width), nn.Unflatten(1, (channels, height, width))]


def _up_sampling(ours: ConvGenerator, image_shape: Shape, latent_dim: int) -> Any:
    from torch import nn  # pyright: ignore[reportMissingImports]

    height, width, image_channels = image_shape
    num, k, slope = halvings(height, width), ours.kernel_size, ours.negative_slope
    channels = [ours.channels << level for level in range(num, -1, -1)]
    layers = _start(latent_dim, channels[0], height >> num, width >> num)
    for level, features in enumerate(channels):
        if level:
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(channels[level - 1], features, k, padding=k // 2)]
        layers += [*_norm(ours.norm, features), nn.LeakyReLU(slope) if slope else nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(channels[-1], image_channels, k, padding=k // 2), nn.Tanh())


def _pooling(ours: ConvCritic, image_shape: Shape) -> Any:
    from torch import nn  # pyright: ignore[reportMissingImports]

    height, width, image_channels = image_shape
    num, k = halvings(height, width), ours.kernel_size
    layers: list[Any] = [nn.Conv2d(image_channels, ours.channels, k, padding=k // 2), nn.LeakyReLU(ours.negative_slope)]
    for level in range(1, num + 1):
        before, features = ours.channels << (level - 1), ours.channels << level
        layers += [nn.AvgPool2d(2), nn.Conv2d(before, features, k, padding=k // 2), *_norm(ours.norm, features)]
        layers += [nn.LeakyReLU(ours.negative_slope)]
    left = (height >> num) * (width >> num) * (ours.channels << num)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(left, 1))


def _transposed(ours: DCGANGenerator, image_shape: Shape, latent_dim: int) -> Any:
    from torch import nn  # pyright: ignore[reportMissingImports]

    height, width, image_channels = image_shape
    sizes = pyramid(height, width)[::-1]
    channels = [ours.channels << level for level in range(len(sizes) - 2, -1, -1)]
    layers = _start(latent_dim, channels[0], *sizes[0])
    for level, features in enumerate(channels):
        out = channels[level + 1] if level + 1 < len(channels) else image_channels
        layers += [*_norm(ours.norm, features), nn.ReLU(), nn.ConvTranspose2d(features, out, *_halving(ours))]
    return nn.Sequential(*layers, nn.Tanh())


def _strided(ours: DCGANDiscriminator, image_shape: Shape) -> Any:
    from torch import nn  # pyright: ignore[reportMissingImports]

    height, width, image_channels = image_shape
    sizes = pyramid(height, width)
    layers: list[Any] = []
    before = image_channels
    for level in range(len(sizes) - 1):
        features = ours.channels << level
        layers += [nn.Conv2d(before, features, *_halving(ours)), *(_norm(ours.norm, features) if level else [])]
        layers += [nn.LeakyReLU(ours.negative_slope)]
        before = features
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * math.prod(sizes[-1]), 1))


def _halving(ours: DCGANGenerator | DCGANDiscriminator) -> tuple[int, int, int]:
    """Kernel, stride and padding that halve or double even sides; PyTorch knows them for even kernels."""
    if ours.kernel_size % 2:
        raise ValueError(f"kernel_size is {ours.kernel_size}, but must be even to be the same network in PyTorch")
    return ours.kernel_size, 2, ours.kernel_size // 2 - 1


def _residual_generator(ours: ResNetGenerator, image_shape: Shape, latent_dim: int) -> Any:
    from torch import nn  # pyright: ignore[reportMissingImports]

    height, width, image_channels = image_shape
    channels, halved = ours.channels, len(ours.channels) - 1
    layers = _start(latent_dim, channels[0], height >> halved, width >> halved)
    for before, features in itertools.pairwise(channels):
        convolutions = _conv3(before, features, bias=ours.inner_bias), _conv3(features, features)
        inner = [*_norm("batch", before), nn.ReLU(), nn.Upsample(scale_factor=2), convolutions[0]]
        inner += [*_norm("batch", features), nn.ReLU(), convolutions[1]]
        layers += [_sum(inner, [nn.Upsample(scale_factor=2), nn.Conv2d(before, features, 1)])]
    last = [*_norm("batch", channels[-1]), nn.ReLU(), _conv3(channels[-1], image_channels), nn.Tanh()]
    return nn.Sequential(*layers, *last)


def _residual_critic(ours: ResNetCritic, image_shape: Shape) -> Any:
    from torch import nn  # pyright: ignore[reportMissingImports]

    features, image_channels = ours.channels, image_shape[-1]
    if ours.norm != "none":
        raise ValueError(f"norm is {ours.norm!r}, but the critic is here in PyTorch without any")

    def twice(inputs: int) -> list[Any]:
        return [_conv3(inputs, features), nn.ReLU(), _conv3(features, features)]

    layers = [
        _sum([*twice(image_channels), nn.AvgPool2d(2)], [nn.AvgPool2d(2), nn.Conv2d(image_channels, features, 1)])
    ]
    layers += [
        _sum([nn.ReLU(), *twice(features), nn.AvgPool2d(2)], [nn.Conv2d(features, features, 1), nn.AvgPool2d(2)])
    ]
    layers += [_sum([nn.ReLU(), *twice(features)], []) for _ in range(ours.blocks)]
    return nn.Sequential(*layers, nn.ReLU(), _pooled(ours.pool), nn.Linear(features, 1, bias=ours.last_bias))


def _pooled(pool: str) -> Any:
    """The mean or the sum over all places."""
    from torch import nn  # pyright: ignore[reportMissingImports]

    class Pooled(nn.Module):
        def forward(self, inputs):
            return inputs.mean((2, 3)) if pool == "mean" else inputs.sum((2, 3))

    return Pooled()


def _conv3(before: int, features: int, *, bias: bool = True) -> Any:
    from torch import nn  # pyright: ignore[reportMissingImports]

    return nn.Conv2d(before, features, 3, padding=1, bias=bias)


def _sum(inner: list[Any], shortcut: list[Any]) -> Any:
    """A residual block: the sum of two branches; an empty one is the identity."""
    from torch import nn  # pyright: ignore[reportMissingImports]

    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.shortcut = nn.Sequential(*inner), nn.Sequential(*shortcut)

        def forward(self, inputs):
            return self.inner(inputs) + self.shortcut(inputs)

    return Sum()
