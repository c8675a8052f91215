"""How a discriminator is shown real and fake examples: in which batches, under which labels.

The batches matter where the discriminator keeps batch statistics. Radford's DCGAN, its torch successors and the GAN
hacks normalise a batch of real examples and a batch of fakes apart (`joint=False`), so that in both players' steps
fakes stand among fakes. Codes that train on one mixed batch (Atienza's Keras examples) normalise them together, but
show the generator's step a batch of fakes alone: `joint=True`.

- Salimans et al.: Improved Techniques for Training GANs, 2016, arXiv 1606.03498 (labels that are smoothed).
- Chintala et al.: How to train a GAN, 2016 (labels that are flipped now and then).

Noise on the discriminator's inputs is a network around it: `jaxgen.nets.instance_noise`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import Mode
from jaxgen.train_state import TrainState
from jaxgen.typing import PerExample, Variables

Network: TypeAlias = Callable[[Variables, Any, Mode], tuple[Any, Variables]]
"""`(variables, inputs, mode) -> (outputs, variables)`; inputs and outputs are trees of arrays with one batch."""

REAL, FAKE, LABELS, PENALTY, GENERATOR = range(5)
"""Streams of the keys of a pass (`Mode.stream`): what is random in each is independent of the others."""


@dataclass(frozen=True)
class Discrimination:
    """Settings; none of them does anything by default."""

    joint: bool = False  # real and fake in one batch in the discriminator's step, for its statistics
    flip: float = 0.0  # share of the pairs whose labels are exchanged in the discriminator's step

    def __post_init__(self):
        require(0 <= self.flip <= 0.5, "flip", self.flip, "in [0, 0.5]")


def score_both(
    network: Network, variables: Variables, real: Any, fake: Any, mode: Mode, *, joint: bool = False
) -> tuple[tuple[Any, Any], Variables]:
    """The network's outputs for real and for fake inputs, and its variables afterwards.

    Args:
        network: the discriminator, applied to a tree of inputs: images alone, or images with labels.
        variables: of the network.
        real: inputs of real examples; None leaves them out: each of their outputs is None.
        fake: inputs of as many fakes.
        mode: of the pass, with one key for each pair of a real and a fake example.
        joint: both in one batch, interleaved, so that devices that share the batch exchange nothing; else the real
            ones first.
    """
    if real is None:
        outputs, variables = network(variables, fake, mode.stream(FAKE))
        return (jax.tree.map(lambda _: None, outputs), outputs), variables
    if not joint:
        real_outputs, variables = network(variables, real, mode.stream(REAL))
        fake_outputs, variables = network(variables, fake, mode.stream(FAKE))
        return (real_outputs, fake_outputs), variables
    keys = None if mode.keys is None else _interleave(mode.stream(REAL).keys, mode.stream(FAKE).keys)
    pairs = jax.tree.map(_interleave, real, fake)
    outputs, variables = network(variables, pairs, mode.with_keys(keys))
    return (jax.tree.map(lambda leaf: leaf[0::2], outputs), jax.tree.map(lambda leaf: leaf[1::2], outputs)), variables


def _interleave(real: Any, fake: Any) -> jax.Array:
    return jnp.stack([real, fake], axis=1).reshape(-1, *real.shape[1:])


def flip_labels(
    share: float, real_scores: PerExample, fake_scores: PerExample, mode: Mode
) -> tuple[PerExample, PerExample]:
    """Real and fake scores, in a `share` of the pairs exchanged, which exchanges the labels of their examples."""
    if share == 0:
        return real_scores, fake_scores
    keys = mode.stream(LABELS).example_keys("label flipping")
    flipped = jax.vmap(lambda key: jax.random.bernoulli(key, share))(keys)
    return jnp.where(flipped, fake_scores, real_scores), jnp.where(flipped, real_scores, fake_scores)


def require_no_batch_statistics(critic: TrainState) -> None:
    """ValueError for a critic whose score of an example depends on the rest of its batch."""
    if "batch_stats" in critic.collections:
        raise ValueError(
            "the gradient penalty needs a critic that scores each example on its own, but this one has batch "
            "normalisation: use layer normalisation, spectral normalisation or none in its place"
        )
