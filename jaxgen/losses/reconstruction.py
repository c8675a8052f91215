"""Reconstruction losses: how far images are from their targets.

Unless said otherwise a value is one for each example, (B,), the mean over all other axes, in
float32 or wider; arrays of different shapes raise a ValueError. The structural similarities are in
`jaxgen.losses.similarity`.

- Rudin, Osher, Fatemi: Nonlinear Total Variation Based Noise Removal Algorithms, 1992,
  Physica D 60.
- Yeh et al.: Semantic Image Inpainting with Deep Generative Models, 2016, arXiv 1607.07539.
- Girshick: Fast R-CNN, 2015, arXiv 1504.08083 (smooth L1).
- Zhu et al.: Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, 2017,
  arXiv 1703.10593.
- Lai et al.: Deep Laplacian Pyramid Networks for Fast and Accurate Super-Resolution, 2017,
  arXiv 1704.03915 (Charbonnier).
"""

from collections.abc import Callable
from typing import TypeAlias

import jax.numpy as jnp
from jaxtyping import Array

from jaxgen.losses._arrays import (
    Floats,
    arrays,
    batched,
    correlate,
    floats,
    mean_per_example,
    ranked,
    sum_per_example,
)
from jaxgen.typing import PerExample

Translator: TypeAlias = Callable[[Array], Array]
"""Images of one domain, (B, ...), to images of the other."""


def mean_absolute_error(outputs: Floats, targets: Floats) -> PerExample:
    """mean of |y - x|: L1.

    Args:
        outputs: y, (B, ...).
        targets: x, in the same shape.

    >>> import jax.numpy as jnp
    >>> mean_absolute_error(jnp.array([[1.0, -2.0]]), jnp.zeros((1, 2)))
    Array([1.5], dtype=float32)
    """
    outputs, targets = batched(outputs=outputs, targets=targets)
    return mean_per_example(jnp.abs(outputs - targets))


def mean_squared_error(outputs: Floats, targets: Floats) -> PerExample:
    """mean of (y - x)^2: L2.

    Args:
        outputs: y, (B, ...).
        targets: x, in the same shape.

    >>> import jax.numpy as jnp
    >>> mean_squared_error(jnp.array([[1.0, -2.0]]), jnp.zeros((1, 2)))
    Array([2.5], dtype=float32)
    """
    outputs, targets = batched(outputs=outputs, targets=targets)
    return mean_per_example((outputs - targets) ** 2)


def charbonnier_error(outputs: Floats, targets: Floats, *, epsilon: float = 1e-3) -> PerExample:
    """mean of sqrt((y - x)^2 + epsilon^2): section 3.3 of arXiv 1704.03915, a smooth L1.

    Args:
        outputs: y, (B, ...).
        targets: x, in the same shape.
        epsilon: the error below which it is quadratic; also its value for equal images.

    >>> import jax.numpy as jnp
    >>> charbonnier_error(jnp.array([[3.0]]), jnp.zeros((1, 1)), epsilon=4.0)
    Array([5.], dtype=float32)
    """
    outputs, targets = batched(outputs=outputs, targets=targets)
    return mean_per_example(jnp.sqrt((outputs - targets) ** 2 + epsilon**2))


def smooth_l1_error(outputs: Floats, targets: Floats, *, beta: float = 1.0) -> PerExample:
    """mean of (y - x)^2 / (2 beta) where |y - x| < beta, else |y - x| - beta / 2: arXiv 1504.08083, equation 3.

    Args:
        outputs: y, (B, ...).
        targets: x, in the same shape.
        beta: the error up to which it is quadratic, above 0.

    >>> import jax.numpy as jnp
    >>> smooth_l1_error(jnp.array([[1.0, -2.0]]), jnp.zeros((1, 2)))
    Array([1.], dtype=float32)
    """
    outputs, targets = batched(outputs=outputs, targets=targets)
    if not beta > 0:
        raise ValueError(f"beta is {beta}, but must be above 0")
    size = jnp.abs(outputs - targets)
    return mean_per_example(jnp.where(size < beta, 0.5 * size**2 / beta, size - 0.5 * beta))


def cycle_consistency(to_y: Translator, to_x: Translator, images_x: Floats, images_y: Floats) -> PerExample:
    """|F(G(x)) - x| + |G(F(y)) - y|, means over pixels: equation 2 of arXiv 1703.10593.

    The paper's norms are sums; its code takes means, for which its weight lambda is 10.

    Args:
        to_y: G, x to y.
        to_x: F, y to x.
        images_x: x, (B, ...).
        images_y: y, (B, ...).

    Raises:
        ValueError: if a cycle changes the shape or the batches differ.

    >>> import jax.numpy as jnp
    >>> cycle_consistency(lambda x: 2 * x, lambda y: y, jnp.ones((1, 3)), jnp.ones((1, 3)))
    Array([2.], dtype=float32)
    """
    arrays(images_x=images_x, images_y=images_y)
    forward = mean_absolute_error(to_x(to_y(images_x)), images_x)
    backward = mean_absolute_error(to_y(to_x(images_y)), images_y)
    forward, backward = batched(images_x=forward, images_y=backward)
    return forward + backward


def identity_mapping(to_y: Translator, to_x: Translator, images_x: Floats, images_y: Floats) -> PerExample:
    """|G(y) - y| + |F(x) - x|, means over pixels: section 5.2 of arXiv 1703.10593.

    Args:
        to_y: G, x to y.
        to_x: F, y to x.
        images_x: x, (B, ...).
        images_y: y, (B, ...).

    Raises:
        ValueError: if a translation changes the shape or the batches differ.

    >>> import jax.numpy as jnp
    >>> identity_mapping(lambda x: 3 * x, lambda y: y, jnp.ones((1, 3)), jnp.ones((1, 3)))
    Array([2.], dtype=float32)
    """
    arrays(images_x=images_x, images_y=images_y)
    kept_y = mean_absolute_error(to_y(images_y), images_y)
    kept_x = mean_absolute_error(to_x(images_x), images_x)
    kept_x, kept_y = batched(images_x=kept_x, images_y=kept_y)
    return kept_y + kept_x


def total_variation(images: Floats) -> PerExample:
    """sum of |x_(i+1)j - x_ij| + |x_i(j+1) - x_ij|: anisotropic total variation.

    Args:
        images: x, (B, height, width, channels).

    Returns:
        The sum over pixels and channels for each image, (B,).

    Raises:
        ValueError: unless images have four axes.

    >>> import jax.numpy as jnp
    >>> total_variation(jnp.array([[[[0.0], [1.0]], [[3.0], [0.0]]]]))  # 3 + 1 and 1 + 3
    Array([8.], dtype=float32)
    """
    (images,) = ranked("B, height, width, channels", images=images)
    down = jnp.abs(jnp.diff(images, axis=1))
    right = jnp.abs(jnp.diff(images, axis=2))
    return sum_per_example(down) + sum_per_example(right)


def context_weights(mask: Floats, *, window: int = 7) -> Floats:
    """W_i = M_i mean over the window around i of (1 - M_j): the weights of arXiv 1607.07539.

    Known pixels count by the share of missing ones around them; the image is mirrored at its edge.

    Args:
        mask: M, 1 where a pixel is known and 0 where it is missing, (B, height, width).
        window: side of the window in pixels, odd.

    Returns:
        W, (B, height, width).

    Raises:
        ValueError: unless mask has three axes and window is odd.

    >>> import jax.numpy as jnp
    >>> context_weights(jnp.array([[[1.0, 1.0, 0.0]]]), window=3).round(4)
    Array([[[0.    , 0.3333, 0.    ]]], dtype=float32)
    """
    (mask,) = ranked("B, height, width", mask=mask)
    if window < 1 or window % 2 == 0:
        raise ValueError(f"window is {window}, but must be odd and positive")
    reach = window // 2
    missing = jnp.pad(1 - mask, ((0, 0), (reach, reach), (reach, reach)), mode="symmetric")
    mean = [1 / window] * window
    return mask * correlate(correlate(missing, mean, axis=1), mean, axis=2)


def context_error(outputs: Floats, targets: Floats, weights: Floats) -> PerExample:
    """||W * (G(z) - y)||_1, the sum over pixels: the context loss of arXiv 1607.07539.

    Args:
        outputs: G(z), (B, height, width, channels).
        targets: y, in the same shape.
        weights: W, from `context_weights`, (B, height, width), the same for all channels.

    Raises:
        ValueError: if the shapes do not fit.

    >>> import jax.numpy as jnp
    >>> image = jnp.array([[[[1.0], [2.0]]]])
    >>> context_error(image, jnp.zeros((1, 1, 2, 1)), jnp.array([[[0.5, 2.0]]]))
    Array([4.5], dtype=float32)
    """
    ranked("B, height, width, channels", outputs=outputs, targets=targets)
    arrays(weights=weights)
    if weights.shape != outputs.shape[:-1]:
        raise ValueError(
            f"weights have shape {weights.shape}, but must be {outputs.shape[:-1]} for images of "
            f"shape {outputs.shape}: one weight for each pixel"
        )
    outputs, targets, weights = floats(outputs=outputs, targets=targets, weights=weights)
    return sum_per_example(weights[..., None] * jnp.abs(outputs - targets))
