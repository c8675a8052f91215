"""A discriminator of latents, as adversarial autoencoders and FactorVAE apply it.

A model's config has `discriminator`, `discriminator_optimizer` and `latent_dim`.
"""

from typing import Any

from jaxgen.mode import EVALUATION, Mode
from jaxgen.train_state import TrainState, apply, blank, create
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


def score(config: Any, variables: Variables, latents: Latents, mode: Mode = EVALUATION) -> tuple[PerExample, Variables]:
    """One score for each latent, and the variables after the pass."""
    return apply(config.discriminator, variables, latents, (), mode=mode)
