"""The weight of an autoencoder's game against a discriminator, which follows from gradients.

Esser, Rombach, Ommer: Taming Transformers for High-Resolution Image Synthesis (VQGAN), 2020, arXiv 2012.09841, section
3.1 and the authors' code. With L_rec what is learnt without the discriminator, L_G = -D(x^) and w the last weights of
the decoder,

    lambda = ||dL_rec / dw|| / (||dL_G / dw|| + 1e-4),   at most 1e4                                      (7)

is the weight of L_G, besides a constant one, so that both terms have a like part in what the decoder learns.
`jaxgen.autoencoders.patch_game` has the losses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from jaxgen.checks import NonNegativeFloat, NonNegativeInt, require_bounds
from jaxgen.mode import Mode
from jaxgen.parallel import pmean
from jaxgen.typing import AxisName, Images, Scalar

MOST = 1e4
"""The largest weight."""


@dataclass(frozen=True)
class Adversarial:
    """Part of the discriminator in what the autoencoder learns."""

    weight: NonNegativeFloat = 0.5  # of equation 7
    begin: NonNegativeInt = 50_001  # updates before the discriminator learns and counts

    def __post_init__(self):
        require_bounds(self)

    def begun(self, mode: Mode) -> Scalar:
        """1 from the update `begin` on, 0 before."""
        return (mode.current_step("an adversarial term that begins late") >= self.begin).astype(jnp.float32)


def last_weights(params: Any) -> tuple[str, ...]:
    """Where the weights of a decoder's last layer are: the outermost layer that is called `outputs`.

    Raises:
        ValueError: a decoder without such a layer.
    """
    leaves = jax.tree_util.tree_leaves_with_path(params)
    names = [tuple(entry.key for entry in path) for path, _ in leaves]
    found = sorted((path for path in names if path[-2:] == ("outputs", "kernel")), key=len)
    if not found:
        raise ValueError(
            "the decoder has no layer called 'outputs', by whose gradients the discriminator is weighted: name the "
            "last layer so, as LatentDecoder does, or set discriminator to None"
        )
    return found[0]


def replaced(tree: Any, path: tuple[str, ...], leaf: jax.Array) -> Any:
    """A tree of dicts with another leaf at that path."""
    return leaf if not path else {**tree, path[0]: replaced(tree[path[0]], path[1:], leaf)}


def at(tree: Any, path: tuple[str, ...]) -> jax.Array:
    """The leaf of a tree of dicts at that path."""
    return at(tree[path[0]], path[1:]) if path else tree


def adaptive_weight(
    decode: Callable[[jax.Array], Images],
    weights: jax.Array,
    losses: tuple[Callable[[Images], Scalar], Callable[[Images], Scalar]],
    axis_name: AxisName = None,
) -> Scalar:
    """Equation 7, without a gradient of its own.

    Args:
        decode: the last weights w to the images x^, all else constant.
        weights: w.
        losses: images to L_rec and to L_G, each the mean over the batch.
        axis_name: of the devices that share the batch, or None.

    >>> double = lambda w: jnp.full((1, 1, 1, 1), 2.0) * w
    >>> adaptive_weight(double, jnp.array(1.0), (lambda x: 3 * x.sum(), lambda x: 6 * x.sum())).round(3)
    Array(0.5, dtype=float32)
    """
    images, back = jax.vjp(decode, jax.lax.stop_gradient(weights))

    def length(loss: Callable[[Images], Scalar]) -> Scalar:
        slopes = jax.grad(lambda images: pmean(loss(images), axis_name))(images)
        return jnp.sqrt((pmean(back(slopes)[0], axis_name) ** 2).sum())  # both means, as in `train_state.descend`

    lengths = [length(loss) for loss in losses]
    return jax.lax.stop_gradient(jnp.clip(lengths[0] / (lengths[1] + 1e-4), 0.0, MOST))
