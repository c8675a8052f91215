"""What games of images and texts share: settings, what the discriminator pays, and what the generator does.

A model's config names its networks `generator` and `discriminator`. With `r1` the discriminator also pays for its slope
in real images that have their own texts, (gamma / 2) E|grad_x D(x, t)|^2, as text to image models after these do in
place of batch normalisation (Tao et al.: DF-GAN, 2020, arXiv 2008.05865, there also in t and to the power of 6).
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.gans.diagnostics import certainty
from jaxgen.gans.discrimination import FAKE, REAL, require_no_batch_statistics, score_both
from jaxgen.gans.networks import scorer
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.gans.regularization import Slope, critic_of, slope_term
from jaxgen.losses.penalties import r1_penalty
from jaxgen.mode import Mode
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal, Prior
from jaxgen.text_to_image.embedding import TextDefaults
from jaxgen.train_state import LossOutput, TrainState
from jaxgen.typing import Embeddings, Images, Scalar, Variables

OTHER = 6
"""Stream of the keys of a pass: of real images with texts that are not theirs."""


@dataclass(frozen=True)
class GameDefaults(TextDefaults):
    """What the settings of these games say; an update takes pairs of image and text, and as many other images."""

    prior: Prior = Normal(100)  # of z
    objective: Objective = NonSaturating()  # what stands for the logarithms
    mismatch: float = 0.5  # c, weight of real images with texts that are not theirs; 0: a plain conditional GAN
    r1: Slope = Slope()  # on the discriminator, at real images with their own texts
    generator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    discriminator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    average: MovingAverage = NoAverage()  # of the generator, from which samples are drawn

    minibatches: ClassVar = 2

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.mismatch <= 1, "mismatch", self.mismatch, "in [0, 1]")


def suited(config: Any, discriminator: TrainState) -> TrainState:
    """The fresh discriminator. ValueError for batch statistics and a penalty on slopes."""
    if config.r1.weight > 0:
        require_no_batch_statistics(discriminator)
    return discriminator


def matching_loss(
    config: Any, variables: Variables, shown: tuple[Images, Images, Images], texts: Embeddings, mode: Mode
) -> LossOutput:
    """-E[log D(x, t)] - c E[log(1 - D(x', t))] - (1 - c) E[log(1 - D(G, t))], of any objective, c being `mismatch`.

    Besides these, the penalty on the slope. Shown are x, x' and G, each in a batch of its own. Logged is how often x
    scores higher than x' with the text of x.
    """
    score, (images, others, fakes), before = scorer(config.discriminator), shown, variables
    real, variables = score(variables, (images, texts), mode.stream(REAL))
    other, variables = score(variables, (others, texts), mode.stream(OTHER))
    fake, variables = score(variables, (fakes, texts), mode.stream(FAKE))
    against = partial(config.objective.discriminator, axis_name=mode.axis_name)
    loss = config.mismatch * against(real, other).mean() + (1 - config.mismatch) * against(real, fake).mean()
    metrics = {"discriminator_loss": loss, "matching": (real > other).astype(jnp.float32).mean()}
    metrics |= certainty(config.objective, real, fake, axis_name=mode.axis_name)
    if config.r1.weight > 0:
        critic = critic_of(score, before, (images, texts), mode.stream(REAL))
        metrics["r1"] = slope_term(config.r1, partial(r1_penalty, critic), images, mode)
        loss = loss + metrics["r1"]
    return loss, (metrics, variables)


def fakes_loss(
    config: Any, opponent: Variables, images: Images, fakes: Images, texts: Embeddings, mode: Mode
) -> Scalar:
    """E[-log D(G, t)], of any objective; the images x with texts t are seen by a relativistic one alone."""
    real = (images, texts) if config.objective.needs_real else None
    scores, _ = score_both(scorer(config.discriminator), opponent, real, (fakes, texts), mode)
    return config.objective.generator(*scores, axis_name=mode.axis_name).mean()
