"""Variational autoencoders of pythae, from the settings of ours: its models and losses, its trainers' steps.

pip install pythae; nothing of it is here. Encoder and decoder are its own for rows of pixels: 784-512 and the mirror.
Its trainer of two players adds the discriminator's gradient to the encoder's; so does the step here.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from experiments.benchmarks import rivals
from experiments.benchmarks.rivals import parameters
from jaxgen.autoencoders import aae, autoencoder, factor_vae, vae, vamp_vae, wae
from jaxgen.autoencoders.aggregate import MeanDiscrepancy, TotalCorrelation
from jaxgen.autoencoders.bounds import ELBO, Capacity, ImportanceWeighted

LAST_EPOCH = 1_000_000
"""What its models are told, so that nothing of theirs is still rising: ours has no warm-up either."""


class Reference(NamedTuple):
    """Their model in training; images are binary, float32 of (..., height, width, 1)."""

    block: Callable[[np.ndarray], None]  # updates with batches (updates, batch, height, width, 1)
    log_weights: Callable[[np.ndarray, np.ndarray], np.ndarray]  # images, noise (B, K, latent): p(x,z) / q(z|x), (B, K)
    parameters: int  # of encoder, decoder and pseudo-inputs


class Deterministic(NamedTuple):
    """Their model in training, of a deterministic encoder; images are float32 in [0, 1], (..., height, width, 1)."""

    block: Callable[[np.ndarray], None]  # updates with batches (updates, batch, height, width, 1)
    encode: Callable[[np.ndarray], np.ndarray]  # images to latents
    decode: Callable[[np.ndarray], np.ndarray]  # latents to images
    parameters: int  # of encoder and decoder, without what a deterministic encoder has no use for


def reference(config: Any, num_examples: int, seed: int) -> Reference:
    """Their model of the settings of `config`. UserError if pythae is not installed."""
    model, torch = _seeded(config, seed)
    coders = [getattr(model, name) for name in ("encoder", "decoder", "pseudo_inputs") if hasattr(model, name)]
    players: list[tuple[Any, Any]] = [(model, config.optimizer)]
    if isinstance(config, factor_vae.Config):
        players = [(torch.nn.ModuleList(coders), config.optimizer)]
        players.append((model.discriminator, config.discriminator_optimizer))

    def log_weights(images: np.ndarray, noise: np.ndarray) -> np.ndarray:
        model.eval()
        with torch.no_grad():
            inputs, eps = torch.as_tensor(np.moveaxis(images, -1, 1)), torch.as_tensor(noise)
            coded = model.encoder(inputs)
            mean, logvar = coded.embedding[:, None], coded.log_covariance[:, None]
            latents = mean + (logvar / 2).exp() * eps
            flat = latents.flatten(0, 1)
            prior = model._log_p_z(flat) if hasattr(model, "_log_p_z") else -(flat**2).sum(1) / 2
            posterior = -(logvar + eps**2).sum(2) / 2  # both without the normal's constant
            outputs = model.decoder(flat)["reconstruction"].reshape(*eps.shape[:2], -1)
            targets = inputs.reshape(len(inputs), 1, -1).expand_as(outputs)
            nll = torch.nn.functional.binary_cross_entropy(outputs, targets, reduction="none").sum(2)
            return (prior.reshape(posterior.shape) - posterior - nll).numpy()

    return Reference(_trainer(model, players, num_examples), log_weights, parameters(*coders))


def deterministic(config: Any, num_examples: int, seed: int) -> Deterministic:
    """Their model of the settings of `config`, whose encoder gives a latent. UserError if pythae is not installed."""
    model, torch = _seeded(config, seed)
    if isinstance(config, aae.Config):
        coders = torch.nn.ModuleList([model.encoder, model.decoder])
        players = [(coders, config.autoencoder_optimizer), (model.discriminator, config.discriminator_optimizer)]
    else:
        players = [(model, config.optimizer)]

    def passed(network: Any, name: str, inputs: np.ndarray) -> np.ndarray:
        model.eval()
        with torch.no_grad():
            return network(torch.as_tensor(inputs))[name].numpy()

    return Deterministic(
        _trainer(model, players, num_examples),
        lambda images: passed(model.encoder, "embedding", np.moveaxis(images, -1, 1)),
        lambda latents: np.moveaxis(passed(model.decoder, "reconstruction", latents), 1, -1),
        parameters(model.encoder.layers, model.encoder.embedding, model.decoder),
    )


def require_installed() -> None:
    """UserError if pythae, or PyTorch, is not there."""
    rivals.require_installed("torch", "pythae.models", cure="pip install pythae")


def _seeded(config: Any, seed: int) -> tuple[Any, Any]:
    """Their model with the weights of a seed, and PyTorch."""
    require_installed()
    import pythae.models  # pyright: ignore[reportMissingImports]
    import torch  # pyright: ignore[reportMissingImports]

    torch.manual_seed(seed)
    return _model(pythae.models, config), torch


def _trainer(model: Any, players: list[tuple[Any, Any]], num_examples: int) -> Callable[[np.ndarray], None]:
    """Updates with batches, each player by its optimiser."""
    import torch  # pyright: ignore[reportMissingImports]

    optimizers = [
        torch.optim.Adam(player.parameters(), lr=setting.learning_rate, betas=(setting.rule.b1, setting.rule.b2))
        for player, setting in players
    ]

    def block(batches: np.ndarray) -> None:
        model.train()
        for batch in batches:
            images = torch.as_tensor(np.moveaxis(batch, -1, 1))
            found = model({"data": images}, epoch=LAST_EPOCH, dataset_size=num_examples)
            losses = [found.loss] if len(optimizers) == 1 else [found.autoencoder_loss, found.discriminator_loss]
            for optimizer, loss in zip(optimizers, losses, strict=True):
                optimizer.zero_grad()
                loss.backward(retain_graph=len(losses) > 1)
            for optimizer in optimizers:
                optimizer.step()

    return block


def _model(models: Any, config: Any) -> Any:
    height, width, channels = config.image_shape
    shared: dict[str, Any] = {"input_dim": (channels, height, width), "latent_dim": config.latent_dim}
    if not isinstance(config, autoencoder.Config | wae.Config | aae.Config):
        shared["reconstruction_loss"] = "bce"

    def made(name: str, **settings: Any) -> Any:
        arguments = getattr(models, f"{name}_Config" if "_" in name else f"{name}Config")
        return getattr(models, name)(arguments(**shared, **settings))

    match config:
        case autoencoder.Config():
            return made("AE")
        case wae.Config(penalty_weight=weight, cost_weight=cost, kernel_scales=scales):
            settings = {"reg_weight": weight, "reconstruction_loss_scale": cost, "scales": list(scales)}
            return made("WAE_MMD", kernel_choice="imq", **settings)
        case aae.Config():
            return made("Adversarial_AE", deterministic_posterior=True, discriminator_input_dim=config.latent_dim)
        case vamp_vae.Config(num_components=count):
            return made("VAMP", number_components=count)
        case factor_vae.Config(gamma=gamma):
            return made("FactorVAE", gamma=gamma)
        case vae.Config(penalty=TotalCorrelation(weight=weight)):
            return made("BetaTCVAE", beta=1 + weight, use_mss=False)
        case vae.Config(penalty=MeanDiscrepancy(weight=weight)):
            width = (config.latent_dim / 2) ** 0.5  # its kernel is exp(-||z - z'||^2 / (2 d width^2))
            return made("INFOVAE_MMD", kernel_choice="rbf", kernel_bandwidth=width, alpha=0.0, lbd=1 + weight)
        case vae.Config(objective=ImportanceWeighted(num_samples=num)):
            return made("IWAE", number_samples=num)
        case vae.Config(objective=Capacity(gamma=gamma, capacity=capacity)):
            return made("DisentangledBetaVAE", beta=gamma, C=capacity)
        case vae.Config(objective=ELBO(beta=beta)):
            return made("BetaVAE", beta=beta)
        case _:
            raise ValueError(f"pythae has no model of {config}")
