"""A GAN with any networks in PyTorch: k steps of the discriminator on separate batches, one of the generator."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from experiments.benchmarks.rivals import Rival, mlp, parameters, wrap
from experiments.benchmarks.rivals.convolutional import network
from jaxgen.gans import gan
from jaxgen.gans.objectives import Hinge, NonSaturating, Objective


def with_mlps(config: gan.Config, batch_size: int, *, compiled: bool = False) -> Rival:
    """MLPs of the widths of `config`."""
    from torch import nn  # pyright: ignore[reportMissingImports]

    pixels, (height, width, channels) = int(np.prod(config.image_shape)), config.image_shape
    widths = config.generator.features, config.discriminator.features  # pyright: ignore[reportAttributeAccessIssue]
    shape = nn.Unflatten(1, (channels, height, width))
    generator = mlp([config.prior.dim, *widths[0], pixels], 0.0, nn.Tanh(), shape)
    discriminator = nn.Sequential(nn.Flatten(), mlp([pixels, *widths[1], 1], 0.2))
    return update(config, batch_size, generator, discriminator, compiled=compiled)


def with_convolutions(config: gan.Config, batch_size: int, *, compiled: bool = False) -> Rival:
    """The convolutional networks of `config`."""
    shape = config.image_shape, config.prior.dim
    networks = network(config.generator, *shape), network(config.discriminator, *shape)
    return update(config, batch_size, *networks, compiled=compiled)


def update(config: gan.Config, batch_size: int, generator: Any, discriminator: Any, *, compiled: bool) -> Rival:
    """The game with Adam, images NCHW."""
    import torch  # pyright: ignore[reportMissingImports]

    height, width, channels = config.image_shape
    adam = functools.partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))
    optimizer_g, optimizer_d = adam(generator.parameters()), adam(discriminator.parameters())
    real = torch.rand(config.discriminator_steps, batch_size, channels, height, width) * 2 - 1
    generate, score = wrap(compiled)(generator), wrap(compiled)(discriminator)
    discriminator_loss, generator_loss = _game(config.objective, batch_size)

    def run() -> None:
        for x in real:
            fake = generate(torch.randn(batch_size, config.prior.dim)).detach()
            loss = discriminator_loss(score(x), score(fake))
            optimizer_d.zero_grad()
            loss.backward()
            optimizer_d.step()
        loss = generator_loss(score(generate(torch.randn(batch_size, config.prior.dim))))
        optimizer_g.zero_grad()
        loss.backward()
        optimizer_g.step()

    return Rival(run, parameters(generator, discriminator))


def _game(objective: Objective, batch_size: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """What the discriminator and the generator minimise."""
    import torch  # pyright: ignore[reportMissingImports]
    import torch.nn.functional as F  # pyright: ignore[reportMissingImports]

    ones, zeros, entropy = torch.ones(batch_size, 1), torch.zeros(batch_size, 1), F.binary_cross_entropy_with_logits
    match objective:
        case NonSaturating(smoothing=0.0):
            return lambda x, y: entropy(x, ones) + entropy(y, zeros), lambda y: entropy(y, ones)
        case Hinge():
            return lambda x, y: F.relu(1 - x).mean() + F.relu(1 + y).mean(), lambda y: -y.mean()
    raise ValueError(f"{objective} is not here in PyTorch; add it to {__name__}")
