"""Optimal transport where it has a closed form: on a line, and on lines through higher dimensions.

All values need the whole sample, in float32 or wider; the samples have one size.

- Rubner, Tomasi, Guibas: The Earth Mover's Distance as a Metric for Image Retrieval, 2000,
  International Journal of Computer Vision 40.
- Bonneel et al.: Sliced and Radon Wasserstein Barycenters of Measures, 2015, Journal of
  Mathematical Imaging and Vision 51.
- Deshpande, Zhang, Schwing: Generative Modeling using the Sliced Wasserstein Distance, 2018,
  arXiv 1803.11188.
"""

import jax.numpy as jnp

from jaxgen.losses._arrays import Floats, per_example, ranked, same_shape
from jaxgen.losses.penalties import safe_norm
from jaxgen.typing import Scalar


def wasserstein_1d(x: Floats, y: Floats, *, order: int = 1) -> Scalar:
    """W_p^p = mean of |x_(i) - y_(i)|^p over the sorted samples.

    The p-th power of the Wasserstein-p distance, which for p = 1 is the distance itself.

    Args:
        x: a sample of numbers, (N,).
        y: a sample of numbers, (N,).
        order: p.

    Raises:
        ValueError: unless both are (N,).

    >>> import jax.numpy as jnp
    >>> wasserstein_1d(jnp.array([0.0, 1.0, 3.0]), jnp.array([5.0, 6.0, 8.0]))
    Array(5., dtype=float32)
    """
    x, y = per_example(x=x, y=y)
    return (jnp.abs(jnp.sort(x) - jnp.sort(y)) ** order).mean()


def earth_movers_distance(p: Floats, q: Floats) -> Floats:
    """sum over k of |sum over i <= k of (p_i - q_i)|: the work to turn histogram p into q.

    One unit of work moves one unit of mass by one bin. Both must hold the same mass, which is not
    checked.

    Args:
        p: masses of the bins, (..., bins).
        q: masses of the bins, in the same shape.

    Returns:
        One value for each pair of histograms, (...).

    Raises:
        ValueError: if the shapes differ or have no axis of bins.

    >>> import jax.numpy as jnp
    >>> earth_movers_distance(jnp.array([3.0, 2.0, 1.0, 4.0]), jnp.array([1.0, 2.0, 4.0, 3.0]))
    Array(5., dtype=float32)
    """
    p, q = same_shape(p=p, q=q)
    if p.ndim < 1 or p.size == 0:
        raise ValueError(f"p and q have shape {p.shape}, but must be histograms (..., bins), one at least")
    return jnp.abs(jnp.cumsum(p - q, axis=-1)).sum(axis=-1)


def sliced_wasserstein(x: Floats, y: Floats, directions: Floats, *, order: int = 1) -> Scalar:
    """Mean over the directions of W_p^p between the projected samples: arXiv 1803.11188, section 3.

    Args:
        x: a sample of vectors, (N, d).
        y: a sample of vectors, (N, d).
        directions: of the projections, (K, d), such as standard normal; their length is normalised.
        order: p.

    Raises:
        ValueError: unless x and y are (N, d) and directions (K, d).

    >>> import jax.numpy as jnp
    >>> x = jnp.array([[0.0, 0.0], [1.0, 1.0]])
    >>> sliced_wasserstein(x, x + jnp.array([[3.0, 4.0]]), jnp.array([[2.0, 0.0], [0.0, 1.0]]))
    Array(3.5, dtype=float32)
    """
    x, y = ranked("N, d", x=x, y=y)
    (directions,) = ranked("K, d", directions=directions)
    if directions.shape[1] != x.shape[1]:
        raise ValueError(f"directions {directions.shape} must have {x.shape[1]} columns, as x has")
    unit = directions.astype(x.dtype) / safe_norm(directions).astype(x.dtype)[:, None]
    projected_x, projected_y = (jnp.matmul(s, unit.T, precision="highest") for s in (x, y))
    distances = jnp.abs(jnp.sort(projected_x, axis=0) - jnp.sort(projected_y, axis=0))
    return (distances**order).mean()
