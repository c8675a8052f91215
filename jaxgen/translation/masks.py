"""Holes in images: masks as values, what is left of an image, and a fill put into its hole.

A mask is (batch, height, width, 1) in float32: 1 where a pixel is known, 0 in the hole. A kind of masks is a frozen
dataclass with a method `draw(key, shape)` that gives the mask of one example, (height, width, 1); `draw_masks` draws
that of each example from its own key. A class of your own with such a method will do.

- Pathak, Krahenbuhl, Donahue, Darrell, Efros: Context Encoders: Feature Learning by Inpainting, 2016, arXiv 1604.07379
  (squares in the middle, random blocks).
- Liu, Reda, Shih, Wang, Tao, Catanzaro: Image Inpainting for Irregular Holes Using Partial Convolutions, 2018, arXiv
  1804.07723 (irregular masks by the share of the hole; theirs are of the motion in videos, these are random walks).
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import NonNegativeFloat, PositiveFloat, PositiveInt, require, require_bounds
from jaxgen.parallel import example_keys
from jaxgen.typing import Images, Key, Keys, Shape

Mask: TypeAlias = Float[Array, "batch height width 1"]
"""1 where a pixel is known, 0 in the hole."""

ExampleMask: TypeAlias = Float[Array, "height width 1"]
"""The mask of one example."""


Fill: TypeAlias = Float[Array, "_ _ _ _"] | float
"""What stands in a hole: a number, a colour (1, 1, 1, channels), one for each image, or images."""


class Masked(NamedTuple):
    """Images with a hole that is given: a condition for models that fill holes."""

    images: Images  # in the value range; what stands in the hole plays no part
    mask: Mask


@dataclass(frozen=True)
class CenterSquare:
    """A square hole in the middle; of a margin of odd size the larger part lies below and right."""

    side: PositiveInt = 64  # pixels

    def __post_init__(self):
        require_bounds(self)

    def draw(self, key: Key, shape: Shape) -> ExampleMask:
        """The same mask whatever the key. ValueError for images smaller than the hole."""
        return center_square(self.side, shape)


@dataclass(frozen=True)
class RandomSquare:
    """A square hole anywhere inside the image, each place alike."""

    side: PositiveInt = 64  # pixels

    def __post_init__(self):
        require_bounds(self)

    def draw(self, key: Key, shape: Shape) -> ExampleMask:
        """One square. ValueError for images smaller than the hole."""
        _require_room(self.side, shape)
        places = jnp.array([size - self.side + 1 for size in shape[:2]])
        top, left = jax.random.randint(key, (2,), 0, places)
        return _without_box(shape, (top, left), (self.side, self.side))


@dataclass(frozen=True)
class RandomBlocks:
    """Several rectangles, which may overlap, each anywhere inside the image."""

    num: PositiveInt = 4  # rectangles
    shortest: PositiveInt = 8  # side in pixels
    longest: PositiveInt = 24  # side in pixels

    def __post_init__(self):
        require_bounds(self)
        require(self.shortest <= self.longest, "shortest", self.shortest, f"at most longest, {self.longest}")

    def draw(self, key: Key, shape: Shape) -> ExampleMask:
        """All rectangles. ValueError for images smaller than the longest side."""
        _require_room(self.longest, shape)

        def block(key: Key) -> ExampleMask:
            key_sides, key_place = jax.random.split(key)
            sides = jax.random.randint(key_sides, (2,), self.shortest, self.longest + 1)
            top, left = jax.random.randint(key_place, (2,), 0, jnp.array(shape[:2]) - sides + 1)
            return _without_box(shape, (top, left), (sides[0], sides[1]))

        return jax.vmap(block)(jax.random.split(key, self.num)).min(axis=0)


@dataclass(frozen=True)
class Strokes:
    """Thick lines that wander over the image until the hole has the share of the pixels that is drawn for it.

    A stroke begins anywhere, goes on for some segments, each turned a little against the one before, and is mirrored at
    the border. If the strokes end before the hole is large enough, they grow wider.
    """

    least: NonNegativeFloat = 0.1  # share of the hole
    most: NonNegativeFloat = 0.5  # share of the hole
    width: PositiveFloat = 6.0  # of the lines, pixels
    length: PositiveFloat = 10.0  # of a step, pixels
    segments: PositiveInt = 6  # of a stroke
    strokes: PositiveInt = 8
    turn: NonNegativeFloat = 0.7  # standard deviation of the angle between two segments, radians

    def __post_init__(self):
        require_bounds(self)
        require(self.least <= self.most < 1, "least, most", (self.least, self.most), "in order and below 1")

    def draw(self, key: Key, shape: Shape) -> ExampleMask:
        """The pixels that the walk reaches first, as many as the share that is drawn says."""
        key_walk, key_share = jax.random.split(key)
        height, width = shape[:2]
        share = jax.random.uniform(key_share, minval=self.least, maxval=self.most)
        rows, columns = jnp.meshgrid(*(jnp.arange(0.5, size) for size in (height, width)), indexing="ij")
        order = _reached(self._walk(key_walk, shape), jnp.stack([rows, columns], axis=2), self.width / 2)
        num = jnp.round(share * (height * width)).astype(jnp.int32)
        first = jnp.sort(order.reshape(-1))[num]
        return (order >= first).astype(jnp.float32)[:, :, None]

    def _walk(self, key: Key, shape: Shape) -> jax.Array:
        """Ends of the segments in order, (strokes * segments, 2 ends, 2 coordinates), pixels."""
        key_start, key_angle, key_turn = jax.random.split(key, 3)
        sizes = jnp.array(shape[:2], jnp.float32)
        starts = jax.random.uniform(key_start, (self.strokes, 1, 2)) * sizes[None, None]
        angles = jax.random.uniform(key_angle, (self.strokes, 1), maxval=2 * jnp.pi)
        angles += jnp.cumsum(self.turn * jax.random.normal(key_turn, (self.strokes, self.segments)), axis=1)
        moves = self.length * jnp.stack([jnp.sin(angles), jnp.cos(angles)], axis=2)
        ends = starts + jnp.cumsum(moves, axis=1)
        corners = jnp.concatenate([starts, ends], axis=1)
        corners = sizes[None, None] - jnp.abs(corners % (2 * sizes[None, None]) - sizes[None, None])
        return jnp.stack([corners[:, :-1], corners[:, 1:]], axis=2).reshape(-1, 2, 2)


def center_square(side: int, shape: Shape) -> ExampleMask:
    """The mask of a square hole in the middle. ValueError for images smaller than the hole."""
    _require_room(side, shape)
    top, left = ((size - side) // 2 for size in shape[:2])
    return _without_box(shape, (top, left), (side, side))


Masks: TypeAlias = CenterSquare | RandomSquare | RandomBlocks | Strokes
"""The kinds of masks."""


def draw_masks(masks: Masks, key: Keys, num: int, shape: Shape) -> Mask:
    """A mask for each of `num` examples of a shape, from its own key: `example_keys` of one key, or these keys."""
    return jax.vmap(lambda one: masks.draw(one, shape))(example_keys(key, num))


def masked(masks: Masks, key: Keys, num: int, shape: Shape, condition: Images | Masked | None) -> Masked:
    """The images that a model is to fill, with the hole that they come with or one drawn from each image's key.

    Raises:
        ValueError: there are no images.
    """
    if isinstance(condition, Masked):
        return condition
    return Masked(require_images(condition), draw_masks(masks, key, num, shape))


def require_images(condition: Images | None) -> Images:
    """The images whose holes are to be filled. ValueError if there are none."""
    if condition is None:
        raise ValueError("condition is None, but must be the images with holes to fill, in the value range")
    return condition


def hide(images: Images, mask: Mask, value: Fill) -> Images:
    """The images where they are known, `value` in the hole."""
    return jnp.where(mask > 0, images, value)


def composite(images: Images, fills: Images, mask: Mask) -> Images:
    """M x + (1 - M) y without rounding: exactly the images where they are known, the fills in the hole."""
    return hide(images, mask, fills)


def mean_color(images: Images, mask: Mask) -> Float[Array, "batch 1 1 channels"]:
    """The mean of the known pixels of each image, (batch, 1, 1, channels): the plainest fill; 0 without any."""
    known = jnp.maximum(mask.sum(axis=(1, 2), keepdims=True), 1.0)
    return hide(images, mask, 0.0).sum(axis=(1, 2), keepdims=True) / known


def _require_room(side: int, shape: Shape) -> None:
    require(side <= min(shape[:2]), "side of the hole", side, f"at most that of the images, {min(shape[:2])}")


def _without_box(shape: Shape, corner: tuple, sides: tuple) -> ExampleMask:
    """1 outside of a rectangle."""
    inside = [
        (jnp.arange(size) >= first) & (jnp.arange(size) < first + side)
        for size, first, side in zip(shape[:2], corner, sides, strict=True)
    ]
    return 1.0 - (inside[0][:, None] & inside[1][None]).astype(jnp.float32)[:, :, None]


def _reached(segments: jax.Array, points: jax.Array, radius: float) -> jax.Array:
    """When a walk along the segments comes within the radius of each point: the segment's number, and less than 1 more.

    Points that it does not reach come last, the nearest first.
    """
    start, way = segments[:, 0], segments[:, 1] - segments[:, 0]
    offset = points[:, :, None] - start[None, None]
    along = jnp.clip((offset * way[None, None]).sum(3) / jnp.maximum((way**2).sum(1), 1e-6)[None, None], 0.0, 1.0)
    across = jnp.sqrt(((offset - along[..., None] * way[None, None]) ** 2).sum(3))
    number = jnp.arange(len(segments), dtype=jnp.float32)[None, None]
    when = number + 0.5 * along + 0.4 * across / radius
    reached = jnp.where(across <= radius, when, jnp.inf).min(axis=2)
    return jnp.where(jnp.isfinite(reached), reached, len(segments) + across.min(axis=2))
