"""The geometric augmentation of EDM: images are moved, and the network is told how.

Karras, Aittala, Aila, Laine, 2022, arXiv 2206.00364, section 5 and table 6, after the pipeline of Karras et al.:
Training Generative Adversarial Networks with Limited Data, 2020, arXiv 2006.06676. Each move is made with a probability
of its own and independently: mirrored, upside down, scaled, turned, stretched along a direction, shifted. The nine
numbers of the moves go to the network; zeros stand for an image as it is, and are given when it draws.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.ndimage import map_coordinates
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import ExampleKeys
from jaxgen.typing import Images, Shape

NUM_LABELS = 9

SCALING, STRETCHING, SHIFTING = 0.2, 0.2, 0.125  # deviations: of log2, of log2, and of the shift as a share of the side

SYM6 = np.array(
    (
        *(0.015404109327, 0.003490712084, -0.117990111148, -0.048311742586, 0.491055941927, 0.787641141030),
        *(0.337929421728, -0.072637522786, -0.021060292512, 0.044724901771, 0.001767711864, -0.007800708325),
    )
)
"""Low-pass filter of the symlet of order 6: orthogonal to itself moved by 2, 4, ... places."""


@dataclass(frozen=True)
class Augmentation:
    """How often each move is made; the mirror is made on half of the images."""

    rate: float = 0.0  # p: 0.12 in the paper for CIFAR-10; 0 for none, and no labels

    def __post_init__(self):
        require(0 <= self.rate <= 1, "rate", self.rate, "in [0, 1]")


class Moves(NamedTuple):
    """The numbers of an image's moves; 0 for each that is not made."""

    mirror: jax.Array  # 0 or 1
    upside_down: jax.Array  # 0 or 1
    scale: jax.Array  # from N(0, 1): by 2^(0.2 scale)
    angle: jax.Array  # in [-pi, pi]
    stretch: jax.Array  # from N(0, 1): by 2^(0.2 stretch) along a direction, and by its inverse across
    direction: jax.Array  # in [-pi, pi]
    shift: jax.Array  # (2,) from N(0, 1): by 0.125 times it, along columns and rows, as a share of the side


def augment(rate: float, images: Images, keys: ExampleKeys) -> tuple[Images, Float[Array, "batch numbers"]]:
    """Images after their moves, and the labels (batch, 9) that tell the network.

    Args:
        rate: the probability of each move.
        images: (batch, height, width, channels).
        keys: one for each image.
    """
    moves = jax.vmap(lambda key: draw(rate, key))(keys)
    return jax.vmap(moved)(images, moves), jax.vmap(labels)(moves)


def draw(rate: float, key: jax.Array) -> Moves:
    """The moves of one image."""
    parts = [jax.random.split(each) for each in jax.random.split(key, 8)]

    def chosen(number: int, value: jax.Array, share: float = rate) -> jax.Array:
        return jnp.where(jax.random.uniform(parts[number][0]) < share, value, jnp.zeros_like(value))

    def turn(number: int) -> jax.Array:
        return jax.random.uniform(parts[number][1], minval=-math.pi, maxval=math.pi)

    coin = [jax.random.bernoulli(parts[number][1]).astype(jnp.float32) for number in (0, 1)]
    return Moves(
        mirror=chosen(0, coin[0], 1.0),
        upside_down=chosen(1, coin[1]),
        scale=chosen(2, jax.random.normal(parts[2][1])),
        angle=chosen(3, turn(3)),
        stretch=chosen(4, jax.random.normal(parts[4][1])),
        direction=chosen(5, turn(5), 0.5),
        shift=chosen(6, jax.random.normal(parts[6][1], (2,))),
    )


def labels(moves: Moves) -> Float[Array, "numbers"]:
    """What the network is told: nine numbers, all 0 for an image as it is."""
    along = moves.stretch * jnp.stack([jnp.cos(moves.direction), jnp.sin(moves.direction)])
    turned = jnp.stack([jnp.cos(moves.angle) - 1.0, jnp.sin(moves.angle)])
    single = jnp.stack([moves.mirror, moves.upside_down, moves.scale])
    return jnp.concatenate([single, turned, along, moves.shift])


def moved(image: Float[Array, "height width channels"], moves: Moves) -> Float[Array, "height width channels"]:
    """The image after its moves, mirrored at its border; bit for bit itself where there are none."""
    image = jnp.where(moves.mirror > 0, image[:, ::-1], image)
    image = jnp.where(moves.upside_down > 0, image[::-1], image)
    still = (moves.scale == 0) & (moves.angle == 0) & (moves.stretch == 0) & (moves.shift == 0).all()
    return jnp.where(still, image, _resampled(image, *_inverse(moves, image.shape[:2])))


def _inverse(moves: Moves, sides: Shape) -> tuple[jax.Array, jax.Array]:
    """Where a place comes from, relative to the middle, in (x, y): `matrix @ place + offset`."""
    size = 2.0 ** (SCALING * moves.scale)
    length = 2.0 ** (STRETCHING * moves.stretch)
    axes = _rotation(moves.direction)
    stretching = axes @ jnp.diag(jnp.stack([1.0 / length, length])) @ axes.T
    matrix = _rotation(-moves.angle) / size @ stretching
    shift = SHIFTING * moves.shift * jnp.array([sides[1], sides[0]], jnp.float32)
    return matrix, -matrix @ shift


def _rotation(angle: jax.Array) -> jax.Array:
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return jnp.stack([jnp.stack([cos, -sin]), jnp.stack([sin, cos])])


def _resampled(image: jax.Array, matrix: jax.Array, offset: jax.Array) -> jax.Array:
    """The image read at other places: twice as fine by the symlet, between places on lines, and back by the symlet.

    Twice as fine and back alone give the image again, since the filter is orthogonal. A filter that is not symmetric
    has its middle where its mean is.
    """
    height, width, _ = image.shape
    margins = [(side - 1, side - 1) for side in (height, width)]
    padded = jnp.pad(image, [*margins, (0, 0)], mode="reflect")
    fine = _finer(_finer(padded, 0), 1)
    middle = float(np.arange(len(SYM6)) @ SYM6 / SYM6.sum())  # place n lies at 2 n + middle of the finer grid
    rows, columns = (
        jnp.asarray((np.arange(2 * side + len(SYM6) - 2) - middle) / 2 - (side - 1) / 2, jnp.float32)
        for side in (height, width)
    )
    y, x = jnp.meshgrid(rows, columns, indexing="ij")
    places = jnp.tensordot(matrix, jnp.stack([x, y]), axes=1) + offset[:, None, None]
    wanted = [2.0 * (places[axis] + (side - 1) / 2 + side - 1) + middle for axis, side in ((1, height), (0, width))]
    read = jax.vmap(lambda channel: map_coordinates(channel, wanted, order=1, mode="nearest"), 2, 2)(fine)
    return _coarser(_coarser(read, 0), 1)


def _finer(image: jax.Array, axis: int) -> jax.Array:
    """Twice as many places along an axis, and the filter's length less 2 more."""
    image = jnp.moveaxis(image, axis, 0)
    zeros = jnp.zeros((2 * len(image) + len(SYM6) - 2, *image.shape[1:]), image.dtype)
    for place, tap in enumerate(SYM6 * math.sqrt(2.0)):
        zeros = zeros.at[place : place + 2 * len(image) : 2].add(float(tap) * image)
    return jnp.moveaxis(zeros, 0, axis)


def _coarser(image: jax.Array, axis: int) -> jax.Array:
    """The transpose of `_finer`, halved."""
    image = jnp.moveaxis(image, axis, 0)
    num = (len(image) - len(SYM6)) // 2 + 1
    parts = [float(tap) * image[place : place + 2 * num : 2] for place, tap in enumerate(SYM6 / math.sqrt(2.0))]
    return jnp.moveaxis(sum(parts[1:], parts[0]), 0, axis)
