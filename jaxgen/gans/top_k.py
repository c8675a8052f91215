"""Top-k training: only the fakes with the largest scores count in the generator's loss.

Sinha, Zhao, Goyal, Raffel, Odena: Top-k Training of GANs: Improving GAN Performance by Throwing Away Bad Samples, 2020,
arXiv 2002.06224.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import PositiveInt, require, require_bounds
from jaxgen.mode import Mode
from jaxgen.parallel import gather, share
from jaxgen.typing import PerExample, Scalar


@dataclass(frozen=True)
class TopK:
    """The share of the fakes that counts for the generator: max(gamma^n, least) after n times `every` updates."""

    gamma: float = 1.0  # such as 0.99; 1 for all fakes
    least: float = 0.5  # nu
    every: PositiveInt = 1000  # updates between two steps of the share, such as those of an epoch

    def __post_init__(self):
        require_bounds(self)
        require(0 < self.gamma <= 1, "gamma", self.gamma, "in (0, 1]")
        require(0 < self.least <= 1, "least", self.least, "in (0, 1]")


def mean_of_best(
    top_k: TopK, losses: Float[Array, "global_batch"], fake_scores: PerExample, mode: Mode, *, lowest: bool = False
) -> Scalar:
    """The mean of the losses of the k fakes with the largest scores on all devices; of all where `top_k` is off.

    The others have no gradient, but in an objective that compares with the mean score of all.

    Args:
        top_k: settings.
        losses: one for each fake, or for each of the whole batch where an objective gathers it.
        fake_scores: of this device's fakes.
        mode: of the pass, with the step.
        lowest: the smallest scores instead, where they are energies.
    """
    if top_k.gamma == 1:
        return losses.mean()
    step = mode.current_step("top-k training")
    scores = jax.lax.stop_gradient(gather(fake_scores if lowest else -fake_scores, mode.axis_name))
    portion = jnp.maximum(jnp.float32(top_k.gamma) ** (step // top_k.every).astype(jnp.float32), top_k.least)
    k = jnp.maximum(jnp.floor(portion * len(scores) + 1e-3), 1.0)  # 1e-3 against rounding below a whole number
    ranks = jnp.argsort(jnp.argsort(scores))
    weights = jnp.where(ranks < k.astype(ranks.dtype), len(scores) / k, 0.0)
    return (losses * (weights if len(losses) == len(weights) else share(weights, mode.axis_name))).mean()
