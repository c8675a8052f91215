"""Adaptive discriminator augmentation (ADA): images transformed as often as the discriminator needs it.

Karras, Aittala, Hellsten, Laine, Lehtinen, Aila: Training Generative Adversarial Networks with Limited Data, 2020,
arXiv 2006.06676.

The discriminator meets T(x) and T(G(z)) alone, in its own step, in the generator's, and in the penalty on its slope,
which is taken in x. Each transformation of T happens with a probability p, and p follows

    r_t = E[sign(D(T(x)))]                                                      over real images x      (1)
    p <- max(0, p + sign(r_t - target) (images since the last time) / speed)                            (2)

With r_t near 1 the discriminator knows the real images by heart; the larger p, the less it does. The code has no upper
bound of p; the probabilities of the transformations are at most 1.

An augmentation is a value of a model's config:

    init()                                   its state, a part of the model's state
    transform(images, state, keys)           T(x), one key for each image; differentiable twice
    update(state, sign, step, batch_size)    the state after one more update of the discriminator
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from jaxgen.checks import NonNegativeFloat, PositiveFloat, PositiveInt, require, require_bounds
from jaxgen.gans.augmentation_pipeline import Pipeline
from jaxgen.mode import ExampleKeys
from jaxgen.typing import Points, Scalar


class AdaptiveState(NamedTuple):
    """What the next update needs."""

    p: Scalar  # the probability of each transformation, before its multiplier
    signs: Scalar  # sum of the means of sign(D(T(x))) since p last moved


@dataclass(frozen=True)
class NoAugmentation:
    """Images as they are."""

    def init(self) -> tuple[()]:
        """Nothing."""
        return ()

    def transform(self, images: Points, state: Any, keys: ExampleKeys) -> Points:
        """The images."""
        return images

    def update(self, state: Any, sign: Scalar, step: Int[Array, ""], batch_size: int) -> Any:
        """Nothing."""
        return state


@dataclass(frozen=True)
class Adaptive:
    """T happens with a probability that equations 1 and 2 move."""

    target: float = 0.6  # of r_t
    every: PositiveInt = 4  # updates from one move of p to the next
    speed_images: PositiveFloat = 500_000.0  # real images in which p moves by 1; the authors go on from a run with 1e5
    initial: NonNegativeFloat = 0.0  # p
    pipeline: Pipeline = Pipeline()  # T

    def __post_init__(self):
        require_bounds(self)
        require(-1 <= self.target <= 1, "target", self.target, "in [-1, 1]")

    def init(self) -> AdaptiveState:
        """The state of a new run."""
        return AdaptiveState(jnp.float32(self.initial), jnp.zeros((), jnp.float32))

    def transform(self, images: Points, state: AdaptiveState, keys: ExampleKeys) -> Points:
        """T(x): exactly the images where p is 0.

        Args:
            images: in [-1, 1], of one or of three channels.
            state: of this moment.
            keys: one for each image (`Mode.example_keys`).
        """
        return self.pipeline.transform(images, jax.lax.stop_gradient(state.p), keys)

    def update(self, state: AdaptiveState, sign: Scalar, step: Int[Array, ""], batch_size: int) -> AdaptiveState:
        """Equation 2 after every `every`-th update, with r_t the mean over the updates since the last time.

        Args:
            state: before.
            sign: mean of sign(D(T(x))) over the real images of all devices.
            step: updates of the discriminator before this one.
            batch_size: real images of an update, on all devices.
        """
        require(batch_size >= 1, "batch_size", batch_size, "at least 1")
        signs, due = state.signs + sign.astype(jnp.float32), (step + 1) % self.every == 0
        move = jnp.sign(signs / self.every - self.target) * (batch_size * self.every / self.speed_images)
        moved = AdaptiveState(jnp.maximum(0.0, state.p + move), jnp.zeros((), jnp.float32))
        return jax.tree.map(lambda after, before: jnp.where(due, after, before), moved, AdaptiveState(state.p, signs))


Augmentation: TypeAlias = NoAugmentation | Adaptive
