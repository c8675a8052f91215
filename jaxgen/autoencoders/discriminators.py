"""A discriminator of latents, as adversarial autoencoders and FactorVAE apply it.

A model's config has `discriminator`, `discriminator_optimizer` and `latent_dim`.
"""

from typing import Any

import flax.linen as nn

from jaxgen.losses.adversarial import minimax_discriminator
from jaxgen.mode import EVALUATION, Mode
from jaxgen.train_state import LossOutput, TrainState, apply, blank, create
from jaxgen.typing import Key, Latents, PerExample, Variables


def create_discriminator(config: Any, key: Key) -> TrainState:
    """A fresh discriminator. ValueError for one with batch statistics."""
    inputs = blank((config.latent_dim,)), ()
    discriminator = create(config.discriminator, config.discriminator_optimizer, key, *inputs)
    if "batch_stats" in discriminator.collections:
        raise ValueError(
            "the discriminator scores draws of the prior and latents of images in separate batches, but this one has "
            "batch normalisation: use layer normalisation or none in its place"
        )
    return discriminator


def latents_loss(config: Any, variables: Variables, prior: Latents, latents: Latents, mode: Mode) -> LossOutput:
    """E[-log D(z) - log(1 - D(f(x)))], mean over the batch; 2 log 2 = 1.386 where it cannot tell them apart.

    `prior` are draws z of the prior, `latents` f(x) of images.
    """
    prior_scores, variables = score(config, variables, prior, mode.stream(2))
    latent_scores, variables = score(config, variables, latents, mode.stream(3))
    loss = minimax_discriminator(prior_scores, latent_scores).mean()
    metrics = {
        "discriminator_loss": loss,
        "prior_probability": nn.sigmoid(prior_scores).mean(),  # D(z)
        "code_probability": nn.sigmoid(latent_scores).mean(),  # D(f(x))
    }
    return loss, (metrics, variables)


def score(config: Any, variables: Variables, latents: Latents, mode: Mode = EVALUATION) -> tuple[PerExample, Variables]:
    """One score for each latent, and the variables after the pass."""
    return apply(config.discriminator, variables, latents, (), mode=mode)
