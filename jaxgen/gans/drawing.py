"""How a trained generator is drawn from: the truncation trick, and standing statistics in place of running ones.

Brock, Donahue, Simonyan: Large Scale GAN Training for High Fidelity Natural Image Synthesis, 2018, arXiv 1809.11096,
sections 3.1 and appendix D. No state depends on these settings: a finished run can be drawn from with others.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from jaxgen import parallel
from jaxgen.checks import require
from jaxgen.conditions import in_turn, one_hot
from jaxgen.gans.networks import generate
from jaxgen.mode import Mode
from jaxgen.nets.norm import MOMENTUM
from jaxgen.parallel import example_keys
from jaxgen.priors import Normal, Prior
from jaxgen.typing import Keys, Latents, Variables

BATCH = 64
"""Fakes of one pass of the standing statistics."""


@dataclass(frozen=True)
class Drawing:
    """Settings; none of them does anything by default."""

    threshold: float | None = None  # of |z_i|, beyond which a coordinate is drawn anew; None: the prior as it is
    standing: int = 0  # passes of 64 fakes whose mean batch statistics take the place of the running ones; 0: none

    def __post_init__(self):
        require(self.threshold is None or self.threshold > 0, "threshold", self.threshold, "above 0, or None")
        require(self.standing >= 0, "standing", self.standing, "at least 0")

    def latents(self, prior: Prior, key: Keys, num: int) -> Latents:
        """(num, *shape) from the prior; with a threshold from N(0, 1) given that |z_i| is below it.

        Raises:
            ValueError: for a threshold on a prior that is not N(0, I).
        """
        if self.threshold is None:
            return prior.draw(key, num)
        normal = isinstance(prior, Normal)
        require(normal, "threshold", self.threshold, f"None for {prior}: only Normal is truncated")
        limit, shape = self.threshold, prior.shape
        return parallel.draw(lambda key: jax.random.truncated_normal(key, -limit, limit, shape), key, num)

    def statistics(self, config: Any, variables: Variables) -> Variables:
        """The generator's variables, their batch statistics as `standing` says; without such as they are.

        The means and variances of each pass, of latents drawn as samples are and of all classes in turn, are averaged
        over the passes. The passes are the same for every call.
        """
        if not self.standing or "batch_stats" not in variables:
            return variables
        blank = jax.tree.map(jnp.zeros_like, variables["batch_stats"])
        classes = one_hot(in_turn(None, BATCH, config.num_classes), config.num_classes)

        def one_pass(total: Any, key: jax.Array) -> tuple[Any, None]:
            key_latents, key_pass = jax.random.split(key)
            latents, mode = (
                self.latents(config.prior, key_latents, BATCH),
                Mode(example_keys(key_pass, BATCH), train=True),
            )
            _, after = generate(config, {**variables, "batch_stats": blank}, latents, classes, mode=mode)
            found = jax.tree.map(lambda moved: moved / (1.0 - MOMENTUM), after["batch_stats"])  # from 0, one step
            return jax.tree.map(jnp.add, total, found), None

        total, _ = jax.lax.scan(one_pass, blank, jax.random.split(jax.random.key(0), self.standing))
        return {**variables, "batch_stats": jax.tree.map(lambda leaf: leaf / self.standing, total)}
