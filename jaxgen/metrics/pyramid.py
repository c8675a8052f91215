"""Sliced Wasserstein distance of image patches, scale by scale: do textures of each size match?

Laplacian pyramid with the binomial filter b = [1, 4, 6, 4, 1]/16 along rows and columns, images mirrored at the border:
down(x) keeps every second pixel of b * x, up(y) is 4 b * (y with zeros between), and the levels are

    x_0 - up(x_1), x_1 - up(x_2), ..., x_L     with x_0 the image, x_(l+1) = down(x_l)

- Burt, Adelson: The Laplacian Pyramid as a Compact Image Code, 1983, IEEE Transactions on Communications 31.
- Karras et al.: Progressive Growing of GANs, 2017, arXiv 1710.10196.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats, correlate, ranked
from jaxgen.losses.transport import sliced_wasserstein
from jaxgen.typing import Key, Scalar

BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


class Patches(NamedTuple):
    """The authors' numbers."""

    per_image: int = 128
    size: int = 7  # pixels along a side
    projections: int = 512  # random directions
    at_a_time: int = 128  # directions along which all patches are sorted at once; no part of the value


PATCHES = Patches()


def laplacian_pyramid(images: Floats, num_levels: int) -> list[Array]:
    """The levels, finest first; the last is the blurred image, and up(...) and adding give the image back.

    Args:
        images: (B, height, width, channels), with sides that can be halved num_levels - 1 times.
        num_levels: at least 1.

    Raises:
        ValueError: unless images have four axes and can be halved so often, down to two pixels.

    >>> [level.shape for level in laplacian_pyramid(jnp.zeros((1, 32, 32, 3)), 2)]
    [(1, 32, 32, 3), (1, 16, 16, 3)]
    """
    (images,) = ranked("B, height, width, channels", images=images)
    require(num_levels >= 1, "num_levels", num_levels, "at least 1")
    factor = 2 ** (num_levels - 1)
    if any(side % factor or side // factor < 2 for side in images.shape[1:3]):
        raise ValueError(
            f"images of shape {images.shape} do not halve {num_levels - 1} times, which {num_levels} levels need: "
            f"give fewer levels, or sides that are multiples of {factor} and at least {2 * factor}"
        )
    levels = []
    for _ in range(num_levels - 1):
        smaller = _blur(images)[:, ::2, ::2]
        levels.append(images - enlarge(smaller))
        images = smaller
    return [*levels, images]


def enlarge(images: Floats) -> Array:
    """up(y): images of twice the sides.

    Args:
        images: y, (B, height, width, channels), of sides of at least 2.

    Returns:
        (B, 2 height, 2 width, channels).

    Raises:
        ValueError: unless images have four axes and such sides.

    >>> enlarge(jnp.ones((1, 2, 2, 1)))[0, :, :, 0].round(3).tolist()[0]
    [1.0, 1.0, 1.0, 1.0]
    """
    (images,) = ranked("B, height, width, channels", images=images)
    batch, height, width, channels = images.shape
    require(min(height, width) >= 2, "shape of images", images.shape, "of sides of at least 2")
    upsampled = jnp.zeros((batch, 2 * height, 2 * width, channels), images.dtype)
    return 4 * _blur(upsampled.at[:, ::2, ::2].set(images))


def pyramid_distances(
    real: Floats, fake: Floats, key: Key, *, num_levels: int | None = None, patches: Patches = PATCHES
) -> Floats:
    """10^3 x sliced W_1 between the patches of each level, finest first, (levels,): appendix of arXiv 1710.10196.

    Patches are normalised to mean 0 and deviation 1 for each channel, of real and of fake images apart. The authors
    take 16,384 images of each, and report the levels and their mean.

    Args:
        real: (N, height, width, channels).
        fake: in the same shape: sorting pairs equally many patches.
        key: of the places of the patches and the directions.
        num_levels: None to go down to 16 pixels, as the authors do.
        patches: how many, of what size.

    Raises:
        ValueError: if the shapes differ, halving fails, or patches do not fit into the smallest level.

    >>> images = jax.random.normal(jax.random.key(0), (4, 16, 16, 1))
    >>> pyramid_distances(images, images, jax.random.key(1)).shape
    (1,)
    """
    real, fake = ranked("N, height, width, channels", real=real, fake=fake)
    num_levels = max(1, (min(real.shape[1:3]) // 16).bit_length()) if num_levels is None else num_levels
    require(patches.projections % patches.at_a_time == 0, "at_a_time", patches.at_a_time, "a divisor of projections")
    pairs = zip(laplacian_pyramid(real, num_levels), laplacian_pyramid(fake, num_levels), strict=True)
    keys = jax.random.split(key, num_levels)
    return jnp.stack([1e3 * _distance(*pair, key, patches) for pair, key in zip(pairs, keys, strict=True)])


def patch_descriptors(images: Floats, key: Key, *, num: int, size: int) -> Floats:
    """`num` patches of each image at random places, normalised for each channel, (N * num, size * size * channels).

    A channel without variation stays at 0.

    Args:
        images: (N, height, width, channels).
        key: of the places.
        num: patches of an image.
        size: pixels along a side.

    Raises:
        ValueError: unless images have four axes and patches fit into them.

    >>> patch_descriptors(jnp.ones((2, 8, 8, 3)), jax.random.key(0), num=5, size=7).shape
    (10, 147)
    """
    (images,) = ranked("N, height, width, channels", images=images)
    batch, height, width, channels = images.shape
    require(
        1 <= size <= min(height, width), "size of patches", size, f"from 1 to the {min(height, width)} pixels there"
    )
    key_row, key_column = jax.random.split(key)
    rows = jax.random.randint(key_row, (batch, num), 0, height - size + 1)
    columns = jax.random.randint(key_column, (batch, num), 0, width - size + 1)

    def cut(image: Array, row: Array, column: Array) -> Array:
        return jax.lax.dynamic_slice(image, (row, column, 0), (size, size, channels))

    found = jax.vmap(jax.vmap(cut, (None, 0, 0)))(images, rows, columns).reshape(-1, size * size, channels)
    mean, stddev = found.mean(axis=(0, 1)), found.std(axis=(0, 1))
    normalised = (found - mean[None, None]) / jnp.where(stddev > 0, stddev, 1.0)[None, None]
    return normalised.reshape(len(found), -1)


def _distance(real: Array, fake: Array, key: Key, patches: Patches) -> Scalar:
    """Sliced W_1 between the patches of one level."""
    key_real, key_fake, key_directions = jax.random.split(key, 3)
    x = patch_descriptors(real, key_real, num=patches.per_image, size=patches.size)
    y = patch_descriptors(fake, key_fake, num=patches.per_image, size=patches.size)
    directions = jax.random.normal(key_directions, (patches.projections, x.shape[1]), x.dtype)
    groups = directions.reshape(-1, patches.at_a_time, x.shape[1])
    return jax.lax.map(lambda group: sliced_wasserstein(x, y, group), groups).mean()


def _blur(images: Array) -> Array:
    """b along rows and columns, the image mirrored without repeating its border."""
    images = jnp.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    return correlate(correlate(images, BINOMIAL, axis=1), BINOMIAL, axis=2)
