"""Adversarial examples: images that differ by little from others, and raise a loss.

    x' = x + epsilon sign(grad J(x))                                   (1)
    x_{k+1} = P(x_k + a sign(grad J(x_k)))                             (2)

Equation 1 is the fast gradient sign method (FGSM), equation 2 projected gradient descent (PGD), which begins at x plus
noise. P maps to the nearest point of the ball of radius epsilon around x, then to the range of images. In the L2 ball
the gradient over its length takes the place of its sign. J is the loss of the true label, which the attack raises, or
that of a target, which it lowers.

A loss is a callable from images (B, ...) to one value for each image, (B,), each on its own: a network without batch
statistics in evaluation. Nothing here is random: the noise is given. All can be traced and differentiated.

- Goodfellow, Shlens, Szegedy: Explaining and Harnessing Adversarial Examples, 2014, arXiv 1412.6572.
- Madry, Makelov, Schmidt, Tsipras, Vladu: Towards Deep Learning Models Resistant to Adversarial Attacks, 2017,
  arXiv 1706.06083.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import PositiveInt, require, require_bounds
from jaxgen.images import ValueRange, clip
from jaxgen.losses.penalties import safe_norm, slopes, unit_length
from jaxgen.typing import PerExample, Points

Loss = Callable[[Array], PerExample]
"""Images to J of each."""


@dataclass(frozen=True)
class Attack:
    """How far an attack may go, and how; the defaults are those of Madry et al. for MNIST in [0, 1]."""

    epsilon: float = 0.3  # radius of the ball
    norm: Literal["linf", "l2"] = "linf"  # of the ball: the largest difference of a value, or the length
    steps: PositiveInt = 40  # of PGD; FGSM takes one
    step_size: float = 0.01  # a, of PGD
    targeted: bool = False  # the loss is that of the class that the attack aims at, and is lowered
    value_range: ValueRange = (0.0, 1.0)  # of images; None for data without bounds

    def __post_init__(self):
        require_bounds(self)
        require(self.epsilon >= 0, "epsilon", self.epsilon, "at least 0")
        require(self.step_size > 0, "step_size", self.step_size, "above 0")


def fgsm(attack: Attack, loss: Loss, images: Points) -> Points:
    """x + epsilon sign(grad J(x)), clipped to the range: equation 1; in the L2 ball x + epsilon grad J / ||grad J||.

    The sign of 0 is 0, and an image without a gradient stays where it is.

    Args:
        attack: settings; those of PGD are not used.
        loss: J, (B, ...) to (B,), each image on its own.
        images: x, (B, ...), in range.

    Raises:
        ValueError: unless the loss gives (B,).

    >>> import jax.numpy as jnp
    >>> fgsm(Attack(0.25), lambda x: (x * jnp.array([[1.0, -2.0]])).sum(axis=1), jnp.array([[0.5, 0.125]]))
    Array([[0.75, 0.  ]], dtype=float32)
    """
    step = _signed(attack, attack.epsilon) * _direction(attack, slopes(loss, images))
    return clip(images + step, attack.value_range)


def pgd(attack: Attack, loss: Loss, images: Points, noise: Float[Array, "..."]) -> Points:
    """The point after `steps` of equation 2, from x + noise, projected.

    With one step of length epsilon and no noise it is FGSM. It can cross the ball where steps times step_size is above
    2 epsilon.

    Args:
        attack: settings.
        loss: J, (B, ...) to (B,), each image on its own.
        images: x, (B, ...), in range.
        noise: where to begin, in the shape of the images: uniform in [-epsilon, epsilon] in the paper, or zeros.

    Raises:
        ValueError: unless the loss gives (B,) and the noise has the shape of the images.

    >>> import jax.numpy as jnp
    >>> x = jnp.array([[0.5, 0.125]])
    >>> pgd(Attack(0.25, steps=9, step_size=0.1), lambda x: (x**2).sum(axis=1), x, jnp.zeros_like(x))
    Array([[0.75 , 0.375]], dtype=float32)
    """
    if noise.shape != images.shape:
        raise ValueError(f"noise has shape {noise.shape}, but must have that of the images, {images.shape}")
    size = _signed(attack, attack.step_size)

    def step(_: Array, points: Points) -> Points:
        moved = points + size * _direction(attack, slopes(loss, points))
        return clip(project(attack, images, moved), attack.value_range)

    begin = clip(project(attack, images, images + noise), attack.value_range)
    return jax.lax.fori_loop(0, attack.steps, step, begin)


def project(attack: Attack, images: Points, points: Points) -> Points:
    """The nearest points of the balls around the images.

    Args:
        attack: radius and norm.
        images: centres of the balls, (B, ...).
        points: what is projected, in the shape of the images.

    >>> import jax.numpy as jnp
    >>> project(Attack(1.0, "l2"), jnp.zeros((1, 2)), jnp.array([[0.0, 4.0]]))
    Array([[0., 1.]], dtype=float32)
    """
    difference = points - images
    if attack.norm == "linf":
        return images + jnp.clip(difference, -attack.epsilon, attack.epsilon)
    lengths = safe_norm(difference)
    factors = jnp.where(lengths > attack.epsilon, attack.epsilon / jnp.where(lengths == 0, 1.0, lengths), 1.0)
    return images + jax.vmap(jnp.multiply)(factors.astype(images.dtype), difference)


def _direction(attack: Attack, gradients: Points) -> Points:
    """The step of length 1 in the norm that raises a linear loss the most."""
    return jnp.sign(gradients) if attack.norm == "linf" else unit_length(gradients).astype(gradients.dtype)


def _signed(attack: Attack, length: float) -> float:
    return -length if attack.targeted else length
