"""Weights as matrices: spectral normalisation and penalties for columns that are not orthogonal.

A weight counts as a matrix W in R^(in x out) whose columns are its output units: all axes but that of
the outputs are joined. The axis of the outputs depends on the library, so that functions take it:

- `axis=-1`, the default: linen, nnx and Haiku, dense (in, out) and convolutions (height, width, in, out);
- `axis=0`: Equinox and PyTorch, dense (out, in) and convolutions (out, in, height, width).

With the wrong one sigma is that of another matrix. Penalties are one number for a weight, in float32 or
wider, without their weight.

- Miyato et al.: Spectral Normalization for Generative Adversarial Networks, 2018, arXiv 1802.05957.
- Brock, Donahue, Simonyan: Large Scale GAN Training for High Fidelity Natural Image Synthesis,
  2018, arXiv 1809.11096.
"""

import jax
import jax.numpy as jnp

from jaxgen.losses._arrays import Floats, floats
from jaxgen.typing import Scalar


def spectral_norm(weight: Floats, u: Floats, *, num_steps: int = 1, axis: int = -1) -> tuple[Scalar, Floats]:
    """sigma = v^T W u, the largest singular value of W, estimated by the power method.

    Algorithm 1 of arXiv 1802.05957: v is W u, then u is W^T v, both normalised and held constant,
    so that the gradient of sigma is v u^T.

    Args:
        weight: W, (..., out), or with the outputs along another axis.
        u: the vector of the last call, (out,); at first any, such as standard normal.
        num_steps: of the power method; the paper takes one for each training step.
        axis: of the outputs: -1 in (..., out), 0 in (out, ...).

    Returns:
        sigma and the new u.

    Raises:
        ValueError: if the shapes do not fit, weight has no such axis or num_steps is below one.

    >>> import jax.numpy as jnp
    >>> sigma, u = spectral_norm(jnp.diag(jnp.array([3.0, 1.0])), jnp.ones(2), num_steps=20)
    >>> print(round(float(sigma), 4))
    3.0
    """
    matrix = _matrix(weight, axis)
    scale = _size(matrix)
    sigma, u = _power_method(matrix / scale, u, num_steps)
    return scale * sigma, u


def spectral_normalize(weight: Floats, u: Floats, *, num_steps: int = 1, axis: int = -1) -> tuple[Floats, Floats]:
    """W / sigma(W): equation 8 of arXiv 1802.05957, with sigma from `spectral_norm`.

    Args:
        weight: W, (..., out), or with the outputs along another axis.
        u: the vector of the last call, (out,).
        num_steps: of the power method.
        axis: of the outputs: -1 in (..., out), 0 in (out, ...).

    Returns:
        The normalised weight, in the dtype of `weight` (a zero weight stays zero), and the new u.

    Raises:
        ValueError: if the shapes do not fit, weight has no such axis or num_steps is below one.

    >>> import jax.numpy as jnp
    >>> weight, u = spectral_normalize(jnp.array([[3.0, 4.0]]), jnp.ones(2))
    >>> weight
    Array([[0.6, 0.8]], dtype=float32)
    """
    matrix = _matrix(weight, axis)
    scale = _size(matrix)
    sigma, u = _power_method(matrix / scale, u, num_steps)
    (wide,) = floats(weight=weight)
    return jnp.where(sigma == 0, wide, wide / scale / jnp.where(sigma == 0, 1.0, sigma)).astype(weight.dtype), u


def orthonormal_penalty(weight: Floats, *, axis: int = -1) -> Scalar:
    """||W^T W - I||_F^2: orthogonal regularisation, section 3.1 of arXiv 1809.11096.

    Args:
        weight: W, (..., out), or with the outputs along another axis.
        axis: of the outputs: -1 in (..., out), 0 in (out, ...).

    Raises:
        ValueError: if weight has less than two axes or no such axis.

    >>> import jax.numpy as jnp
    >>> orthonormal_penalty(2 * jnp.eye(2))  # two entries of 4 - 1
    Array(18., dtype=float32)
    """
    gram = _gram(weight, axis)
    return ((gram - jnp.eye(len(gram), dtype=gram.dtype)) ** 2).sum()


def orthogonal_penalty(weight: Floats, *, axis: int = -1) -> Scalar:
    """||W^T W * (1 - I)||_F^2: section 3.1 of arXiv 1809.11096; its weight is beta = 1e-4.

    Only products of different columns count, so that the norms of the columns are free.

    Args:
        weight: W, (..., out), or with the outputs along another axis.
        axis: of the outputs: -1 in (..., out), 0 in (out, ...).

    Raises:
        ValueError: if weight has less than two axes or no such axis.

    >>> import jax.numpy as jnp
    >>> orthogonal_penalty(jnp.array([[3.0, 4.0], [0.0, 5.0]]))  # 12^2, twice
    Array(288., dtype=float32)
    """
    gram = _gram(weight, axis)
    return ((gram * (1 - jnp.eye(len(gram), dtype=gram.dtype))) ** 2).sum()


def _matrix(weight: Floats, axis: int) -> Floats:
    """(in, out), with the outputs along `axis` of the weight."""
    (wide,) = floats(weight=weight)
    if weight.ndim < 2 or weight.size == 0:
        raise ValueError(f"weight has shape {weight.shape}, but must be (..., in, out): not a bias, not empty")
    if not -weight.ndim <= axis < weight.ndim:
        raise ValueError(f"axis is {axis}, but must be one of the {weight.ndim} of a weight {weight.shape}")
    wide = jnp.moveaxis(wide, axis, -1)
    return wide.reshape(-1, wide.shape[-1])


def _power_method(matrix: Floats, u: Floats, num_steps: int) -> tuple[Scalar, Floats]:
    """sigma of a matrix with entries near one, and the new u."""
    (u,) = floats(u=u)
    if u.shape != matrix.shape[1:]:
        raise ValueError(f"u has shape {u.shape}, but a weight of {matrix.shape[1]} outputs needs {matrix.shape[1:]}")
    if num_steps < 1:
        raise ValueError(f"num_steps is {num_steps}, but must be at least 1")
    constant = jax.lax.stop_gradient(matrix)
    u = jax.lax.stop_gradient(u.astype(matrix.dtype))
    for _ in range(num_steps):
        v = _normalized(_product(constant, u), otherwise=jnp.zeros(len(matrix), matrix.dtype))
        u = _normalized(_product(v, constant), otherwise=u)
    return _product(v, _product(matrix, u)), u


def _gram(weight: Floats, axis: int) -> Floats:
    """W^T W, (out, out)."""
    matrix = _matrix(weight, axis)
    return _product(matrix.T, matrix)


def _product(left: Floats, right: Floats) -> Floats:
    """Matrix product in the full precision of its dtype on every device."""
    return jnp.matmul(left, right, precision="highest")


def _normalized(vector: Floats, otherwise: Floats) -> Floats:
    """x / ||x||, or another vector for x = 0: a zero weight must not lose its u for ever."""
    scaled = vector / _size(vector)
    norm = jnp.linalg.norm(scaled)
    return jnp.where(norm == 0, otherwise, scaled / jnp.where(norm == 0, 1.0, norm))


def _size(values: Floats) -> Scalar:
    """The power of two below the largest absolute value, held constant: divided by it, no square overflows or vanishes.

    Of a power of two, because to divide by it rounds nothing.
    """
    largest = jax.lax.stop_gradient(jnp.abs(values).max())
    _, exponent = jnp.frexp(largest)
    return jnp.ldexp(jnp.ones((), values.dtype), exponent - 1)
