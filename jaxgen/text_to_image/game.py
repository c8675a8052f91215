"""What games of images and texts share: settings, what the discriminator pays, and what the generator does.

A model's config names its networks `generator` and `discriminator`.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.gans.diagnostics import certainty
from jaxgen.gans.discrimination import FAKE, REAL, score_both
from jaxgen.gans.networks import scorer
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.mode import Mode
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal, Prior
from jaxgen.text_to_image.embedding import TextDefaults
from jaxgen.train_state import LossOutput
from jaxgen.typing import Embeddings, Images, Scalar, Variables

OTHER = 6
"""Stream of the keys of a pass: of real images with texts that are not theirs."""


@dataclass(frozen=True)
class GameDefaults(TextDefaults):
    """What the settings of these games say; an update takes pairs of image and text, and as many other images."""

    prior: Prior = Normal(100)  # of z
    objective: Objective = NonSaturating()  # what stands for the logarithms
    mismatch: float = 0.5  # c, weight of real images with texts that are not theirs; 0: a plain conditional GAN
    generator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    discriminator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    average: MovingAverage = NoAverage()  # of the generator, from which samples are drawn

    minibatches: ClassVar = 2

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.mismatch <= 1, "mismatch", self.mismatch, "in [0, 1]")


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


def fakes_loss(
    config: Any, opponent: Variables, images: Images, fakes: Images, texts: Embeddings, mode: Mode
) -> Scalar:
    """E[-log D(G, t)], of any objective; the images x with texts t are seen by a relativistic one alone."""
    real = (images, texts) if config.objective.needs_real else None
    scores, _ = score_both(scorer(config.discriminator), opponent, real, (fakes, texts), mode)
    return config.objective.generator(*scores, axis_name=mode.axis_name).mean()
