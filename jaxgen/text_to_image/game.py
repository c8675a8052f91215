"""What the discriminator of a text-to-image game pays: for real images with their texts, with others, and for fakes."""

from functools import partial
from typing import Any

import jax.numpy as jnp

from jaxgen.gans.diagnostics import certainty
from jaxgen.gans.discrimination import FAKE, REAL
from jaxgen.gans.networks import scorer
from jaxgen.mode import Mode
from jaxgen.train_state import LossOutput
from jaxgen.typing import Embeddings, Images, Variables

OTHER = 6
"""Stream of the keys of a pass: of real images with texts that are not theirs."""


def matching_loss(
    config: Any, variables: Variables, shown: tuple[Images, Images, Images], texts: Embeddings, mode: Mode
) -> LossOutput:
    """-E[log D(x, t)] - c E[log(1 - D(x', t))] - (1 - c) E[log(1 - D(G, t))], of any objective, c being `mismatch`.

    Shown are x, x' and G, each in a batch of its own. Logged is how often x scores higher than x' with the text of x.
    """
    score, (images, others, fakes) = scorer(config.discriminator), shown
    real, variables = score(variables, (images, texts), mode.stream(REAL))
    other, variables = score(variables, (others, texts), mode.stream(OTHER))
    fake, variables = score(variables, (fakes, texts), mode.stream(FAKE))
    against = partial(config.objective.discriminator, axis_name=mode.axis_name)
    loss = config.mismatch * against(real, other).mean() + (1 - config.mismatch) * against(real, fake).mean()
    metrics = {"discriminator_loss": loss, "matching": (real > other).astype(jnp.float32).mean()}
    return loss, (metrics | certainty(config.objective, real, fake, axis_name=mode.axis_name), variables)
