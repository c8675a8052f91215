"""How a discriminator sees real and fake examples: in which batches, through which noise, under which labels.

The batches matter where the discriminator keeps batch statistics. Radford's DCGAN, its torch successors and the GAN
hacks normalise a batch of real examples and a batch of fakes apart (`joint=False`), so that in both players' steps
fakes stand among fakes. Codes that train on one mixed batch (Atienza's Keras examples) normalise them together, but
show the generator's step a batch of fakes alone: `joint=True`.

- Salimans et al.: Improved Techniques for Training GANs, 2016, arXiv 1606.03498.
- Arjovsky, Bottou: Towards Principled Methods for Training Generative Adversarial Networks, 2017, arXiv 1701.04862
  (noise on the discriminator's inputs).
- Chintala et al.: How to train a GAN, 2016 (labels that are flipped now and then).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Key

from jaxgen import parallel
from jaxgen.checks import require
from jaxgen.nets.dropout import drops
from jaxgen.train_state import apply
from jaxgen.typing import Collections, Params, PerExample, Points, Shape
from jaxgen.typing import Key as OneKey

Judge: TypeAlias = Callable[[Any, Collections], tuple[Any, Collections]]
"""`(inputs, collections) -> (outputs, collections)`; inputs and outputs are trees of arrays with one batch."""


@dataclass(frozen=True)
class InstanceNoise:
    """Gaussian noise on all that the discriminator sees, real and fake, in both players' steps."""

    std: float = 0.0  # at the first update; 0 for none
    end: int = 0  # update at which it has fallen, on a line, to 0; 0 for noise that stays

    def __post_init__(self):
        require(self.std >= 0, "std", self.std, "at least 0")
        require(self.end >= 0, "end", self.end, "at least 0")

    def at(self, step: jax.Array) -> jax.Array:
        """Its deviation at an update."""
        left = 1.0 if self.end == 0 else jnp.maximum(0.0, 1.0 - step.astype(jnp.float32) / self.end)
        return jnp.float32(self.std) * left


@dataclass(frozen=True)
class Discrimination:
    """Settings; none of them does anything by default."""

    joint: bool = False  # real and fake in one batch in the discriminator's step, for its statistics
    flip: float = 0.0  # share of the pairs whose real example is taken for the fake, in the discriminator's step
    noise: InstanceNoise = InstanceNoise()

    def __post_init__(self):
        require(0 <= self.flip <= 0.5, "flip", self.flip, "in [0, 0.5]")


class Chance(NamedTuple):
    """What is random when a discriminator looks at pairs of a real and a fake example; None for what is off."""

    real_noise: Points | None
    fake_noise: Points | None
    flipped: Bool[Array, "batch"] | None  # pairs with their labels exchanged
    real_keys: Key[Array, "batch"] | None  # of dropout
    fake_keys: Key[Array, "batch"] | None


def chance(
    view: Discrimination,
    net: nn.Module,
    key: OneKey,
    num: int,
    shape: Shape,
    step: jax.Array,
    axis_name: str | None = None,
) -> Chance:
    """Draws for `num` pairs of examples of `shape` at an update, the same however many devices share them."""
    keys = jax.random.split(key, 5)
    real_noise = fake_noise = flipped = real_keys = fake_keys = None
    if view.noise.std > 0:
        deviation = view.noise.at(step)
        real_noise, fake_noise = (
            deviation * parallel.draw(lambda key: jax.random.normal(key, shape), key, num, axis_name)
            for key in keys[:2]
        )
    if view.flip > 0:
        flipped = parallel.draw(lambda key: jax.random.bernoulli(key, view.flip), keys[2], num, axis_name)
    if drops(net):
        real_keys, fake_keys = (parallel.example_keys(key, num, axis_name) for key in keys[3:])
    return Chance(real_noise, fake_noise, flipped, real_keys, fake_keys)


def look(
    net: nn.Module,
    params: Params,
    collections: Collections,
    images: Points,
    *inputs: Any,
    noise: Points | None = None,
    keys: Key[Array, "batch"] | None = None,
    train: bool = True,
    axis_name: str | None = None,
) -> tuple[Any, Collections]:
    """`net`'s outputs for x + noise and what else it is given, and its collections after it.

    `inputs` end with the shape of the outputs; `keys` are those of dropout.
    """
    options = {} if keys is None else {"keys": keys}
    images = images if noise is None else images + noise
    return apply(net, params, collections, images, *inputs, train=train, axis_name=axis_name, **options)


def score_pairs(
    view: Discrimination,
    net: nn.Module,
    params: Params,
    collections: Collections,
    real: Points,
    fake: Points,
    luck: Chance,
    axis_name: str | None = None,
) -> tuple[tuple[PerExample, PerExample], Collections]:
    """Scores of real and fake examples in the discriminator's step, labels flipped, and its collections after it."""

    def judge(inputs, collections):
        images, noise, keys = inputs
        return look(net, params, collections, images, (), noise=noise, keys=keys, axis_name=axis_name)

    inputs = (real, luck.real_noise, luck.real_keys), (fake, luck.fake_noise, luck.fake_keys)
    scores, collections = in_batches(judge, collections, *inputs, joint=view.joint)
    return flip(luck.flipped, *scores), collections


def in_batches(
    judge: Judge, collections: Collections, real: Any, fake: Any, *, joint: bool
) -> tuple[tuple[Any, Any], Collections]:
    """What `judge` says of real and of fake inputs, in one batch or in two, the real one first.

    Joint batches are interleaved, so that devices that share the batch exchange nothing.
    """
    if not joint:
        real_outputs, collections = judge(real, collections)
        fake_outputs, collections = judge(fake, collections)
        return (real_outputs, fake_outputs), collections
    pairs = jax.tree.map(lambda a, b: jnp.stack([a, b], axis=1).reshape(-1, *a.shape[1:]), real, fake)
    outputs, collections = judge(pairs, collections)
    real_outputs, fake_outputs = (jax.tree.map(lambda leaf, start=start: leaf[start::2], outputs) for start in (0, 1))
    return (real_outputs, fake_outputs), collections


def flip(
    flipped: Bool[Array, "batch"] | None, real_scores: PerExample, fake_scores: PerExample
) -> tuple[PerExample, PerExample]:
    """The two scores of each flipped pair exchanged, which exchanges the labels of its examples."""
    if flipped is None:
        return real_scores, fake_scores
    return jnp.where(flipped, fake_scores, real_scores), jnp.where(flipped, real_scores, fake_scores)


def score_fakes(
    view: Discrimination,
    net: nn.Module,
    params: Params,
    collections: Collections,
    fake: Points,
    luck: Chance,
    real: Points | None = None,
    axis_name: str | None = None,
) -> tuple[PerExample, PerExample | None]:
    """Scores of fakes as the generator's step sees them, alone or beside real examples, and of those."""
    if real is None:
        options = {"noise": luck.fake_noise, "keys": luck.fake_keys, "axis_name": axis_name}
        return look(net, params, collections, fake, (), **options)[0], None
    luck = luck._replace(flipped=None)
    (real_scores, fake_scores), _ = score_pairs(view, net, params, collections, real, fake, luck, axis_name)
    return fake_scores, real_scores
