"""WGAN-GP with any networks in PyTorch: n_critic critic steps with penalty, one of the generator, a moving average."""

import functools
from typing import Any

import numpy as np

from experiments.benchmarks.rivals import Rival, lerp, mlp, parameters, wrap
from experiments.benchmarks.rivals.convolutional import network
from jaxgen.gans import wgan_gp


def with_mlps(config: wgan_gp.Config, batch_size: int, *, compiled: bool = False) -> Rival:
    """MLPs of the widths of `config`."""
    from torch import nn  # pyright: ignore[reportMissingImports]

    pixels = int(np.prod(config.image_shape))
    shape = nn.Unflatten(1, (config.image_shape[-1], *config.image_shape[:-1]))
    widths = config.generator.features, config.critic.features  # pyright: ignore[reportAttributeAccessIssue]
    generator = mlp([config.latent_dim, *widths[0], pixels], 0.0, nn.Tanh(), shape)
    critic = nn.Sequential(nn.Flatten(), mlp([pixels, *widths[1], 1], 0.2))
    return update(config, batch_size, generator, critic, compiled=compiled)


def with_convolutions(config: wgan_gp.Config, batch_size: int, *, compiled: bool = False) -> Rival:
    """The convolutional networks of `config`."""
    shape = config.image_shape, config.latent_dim
    networks = network(config.generator, *shape), network(config.critic, *shape)
    return update(config, batch_size, *networks, compiled=compiled)


def update(
    config: wgan_gp.Config,
    batch_size: int,
    generator: Any,
    critic: Any,
    *,
    compiled: bool = False,
) -> Rival:
    """The update with these networks, images NCHW; the critic's step detaches the fakes."""
    import torch  # pyright: ignore[reportMissingImports]

    height, width, channels = config.image_shape
    count = parameters(generator, critic)
    adam = functools.partial(torch.optim.Adam, lr=1e-3, betas=(0.0, 0.9))
    optimizer_g, optimizer_c = adam(generator.parameters()), adam(critic.parameters())
    average = [parameter.detach().clone() for parameter in generator.parameters()]
    real = torch.rand(config.critic_steps, batch_size, channels, height, width) * 2 - 1
    generate, score = wrap(compiled)(generator), wrap(compiled)(critic)

    def critic_step(x: Any) -> None:
        fake = generate(torch.randn(batch_size, config.latent_dim)).detach()
        mix = torch.rand(batch_size, 1, 1, 1)
        points = (mix * x + (1 - mix) * fake).requires_grad_(True)
        (slope,) = torch.autograd.grad(score(points).sum(), points, create_graph=True)
        penalty = ((slope.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
        loss = score(fake).mean() - score(x).mean() + config.penalty_weight * penalty
        optimizer_c.zero_grad()
        loss.backward()
        optimizer_c.step()

    def run() -> None:
        for x in real:
            critic_step(x)
        loss = -score(generate(torch.randn(batch_size, config.latent_dim))).mean()
        optimizer_g.zero_grad()
        loss.backward()
        optimizer_g.step()
        lerp(average, generator, getattr(config.average, "decay", 0.0))

    return Rival(run, count)
