"""Histograms of the orientations of edges in cells of an image: what drawn lines are compared with.

Zhu et al. 2016, arXiv 1609.03552 (iGAN), and the authors' code: of a grey image in [0, 1], with Sobel's slopes g_x and
g_y, the strength of n orientations t_k = pi k / n, and their means over cells whose weights fall on a line:

    h_k = |cos(t_k) g_x + sin(t_k) g_y|,    a = cos(pi / n),    s = sqrt(g_x^2 + g_y^2 + 0.001)               (1)
    b_k = max(0, (h_k - a s) / (1 - a))                                                                       (2)

b_k is near s for an edge across t_k, and 0 from the next orientation on. Unlike in the code, the border of an image is
no edge: its pixels are repeated beyond it.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats, correlate, ranked

SOFTENED = 1e-3
"""Added to the squared slope inside the root of equation 1."""


def edge_histograms(
    images: Floats, *, cell: int = 8, orientations: int = 8
) -> Float[Array, "batch rows columns orientations"]:
    """Equation 2, summed over each cell with weights that fall from its middle to 0 at `cell` pixels from there.

    Args:
        images: (B, height, width, channels) in [0, 1]; the mean of the channels is taken.
        cell: side of a cell, pixels; 8 for 64 pixels in the authors' code.
        orientations: n.

    Returns:
        One histogram for each of height // cell times width // cell cells, at least one.

    Raises:
        ValueError: unless images have four axes and the sizes are positive.

    >>> ramp = jnp.broadcast_to(jnp.array([0.0, 1.0])[:, None], (1, 4, 2, 1))
    >>> edge_histograms(ramp, cell=4, orientations=2)[0, 0, 0] == 0  # all of it in the first bin
    Array([False,  True], dtype=bool)
    """
    (images,) = ranked("batch, height, width, channels", images=images)
    require(cell >= 1, "cell", cell, "at least 1")
    require(orientations >= 2, "orientations", orientations, "at least 2")
    gray = jnp.pad(images.mean(axis=3), ((0, 0), (1, 1), (1, 1)), mode="edge")
    smooth, slope = (0.25, 0.5, 0.25), (-1.0, 0.0, 1.0)
    across = correlate(correlate(gray, smooth, 1), slope, 2)
    down = correlate(correlate(gray, slope, 1), smooth, 2)
    angles = np.pi * np.arange(orientations) / orientations
    cosines, sines = (jnp.asarray(some(angles), gray.dtype)[None, None, None] for some in (np.cos, np.sin))
    strengths = jnp.abs(cosines * across[..., None] + sines * down[..., None])
    least = float(np.cos(np.pi / orientations))
    length = jnp.sqrt(across**2 + down**2 + SOFTENED)[..., None]
    return in_cells(jnp.maximum(0.0, (strengths - least * length) / (1.0 - least)), cell)


def in_cells(values: Float[Array, "batch height width some"], cell: int) -> Float[Array, "batch rows columns some"]:
    """The sums of all values over each cell, with the weights of `edge_histograms`."""
    rows, columns = (jnp.asarray(_weights(size, cell), values.dtype) for size in values.shape[1:3])
    return jnp.einsum("bhwc,rh,sw->brsc", values, rows, columns)


def _weights(size: int, cell: int) -> np.ndarray:
    """(cells, size): 1 in the middle of a cell, 0 at the distance of its side and beyond."""
    num = max(1, size // cell)
    middles = (np.arange(num) + 0.5) * (size / num if num == 1 else cell) - 0.5
    return np.maximum(0.0, 1.0 - np.abs(np.arange(size)[None] - middles[:, None]) / cell)
