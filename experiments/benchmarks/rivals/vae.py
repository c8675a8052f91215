"""A VAE with MLPs and Bernoulli pixels: in PyTorch, and as Flax's example has it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from experiments.benchmarks.rivals import Rival, mlp, parameters, wrap
from jaxgen.autoencoders import vae


class Trainer(NamedTuple):
    """A network in training; images are rows of 0 and 1."""

    step: Callable[[Any], None]  # one update with a batch
    loss: Callable[[Any], float]  # mean of -ELBO over images, one latent each
    parameters: int


def with_mlps(config: vae.Config, batch_size: int, *, compiled: bool = False) -> Rival:
    """PyTorch's update on random binary images."""
    import torch  # pyright: ignore[reportMissingImports]

    trainer = in_torch(config, compiled=compiled)
    images = (torch.rand(batch_size, int(np.prod(config.image_shape))) > 0.5).float()
    return Rival(lambda: trainer.step(images), trainer.parameters)


def in_torch(config: vae.Config, *, compiled: bool = False) -> Trainer:
    """MLPs of the widths of `config` in PyTorch, with Adam at 1e-3."""
    import torch  # pyright: ignore[reportMissingImports]
    import torch.nn.functional as F  # pyright: ignore[reportMissingImports]

    pixels, latents = int(np.prod(config.image_shape)), config.latent_dim
    widths = config.encoder.features, config.decoder.features  # pyright: ignore[reportAttributeAccessIssue]
    encoder, decoder = mlp([pixels, *widths[0], 2 * latents], 0.0), mlp([latents, *widths[1], pixels], 0.0)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)

    def loss(images: Any) -> Any:
        mean, logvar = encoder(images).chunk(2, dim=1)
        logits = decoder(mean + torch.randn_like(mean) * (logvar / 2).exp())
        nll = F.binary_cross_entropy_with_logits(logits, images, reduction="none").sum(1)
        kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum(1)
        return (nll + kl).mean()

    compute = wrap(compiled)(loss)

    def step(images: Any) -> None:
        optimizer.zero_grad()
        compute(torch.as_tensor(images)).backward()
        optimizer.step()

    def evaluate(images: Any) -> float:
        with torch.no_grad():
            return loss(torch.as_tensor(images)).item()

    return Trainer(step, evaluate, parameters(encoder, decoder))


def in_flax(config: vae.Config) -> Trainer:
    """The same as Flax's example trains it: linen, optax, one jitted step for each batch that NumPy hands over."""
    import flax.linen as nn
    import jax
    import jax.numpy as jnp
    import optax
    from flax.training import train_state

    pixels, latents = int(np.prod(config.image_shape)), config.latent_dim
    widths = config.encoder.features, config.decoder.features  # pyright: ignore[reportAttributeAccessIssue]

    class Network(nn.Module):
        @nn.compact
        def __call__(self, images, key):
            x = images
            for width in widths[0]:
                x = nn.relu(nn.Dense(width)(x))
            mean, logvar = nn.Dense(latents)(x), nn.Dense(latents)(x)
            x = mean + jnp.exp(0.5 * logvar) * jax.random.normal(key, mean.shape)
            for width in widths[1]:
                x = nn.relu(nn.Dense(width)(x))
            return nn.Dense(pixels)(x), mean, logvar

    def loss(params, images, key):
        outputs: Any = network.apply({"params": params}, images, key)
        logits, mean, logvar = outputs
        nll = optax.sigmoid_binary_cross_entropy(logits, images).sum(axis=1)
        kl = 0.5 * (mean**2 + jnp.exp(logvar) - 1 - logvar).sum(axis=1)
        return (nll + kl).mean()

    @jax.jit
    def train_step(state, images, key):
        return state.apply_gradients(grads=jax.grad(loss)(state.params, images, key))

    network = Network()
    params = network.init(jax.random.key(0), jnp.zeros((1, pixels)), jax.random.key(0))["params"]
    holder = [train_state.TrainState.create(apply_fn=network.apply, params=params, tx=optax.adam(1e-3))]
    key = jax.random.key(1)

    def step(images: Any) -> None:
        holder[0] = train_step(holder[0], images, jax.random.fold_in(key, holder[0].step))

    def evaluate(images: Any) -> float:
        return float(jax.jit(loss)(holder[0].params, images, jax.random.key(2)))

    return Trainer(step, evaluate, sum(leaf.size for leaf in jax.tree.leaves(params)))
