"""Images of a style-based generator put together of the maps between its layers.

Chong, Lee, Forsyth: StyleGAN of All Trades: Image Manipulation with Only Pretrained StyleGAN, 2021, arXiv 2111.01619.

With h_i the maps after layer i, f_i a layer, s and s' the styles of two images and A an image of numbers in [0, 1],
brought to the size of each map,

    h_i = (1 - A) f_i(h_(i-1), s_i) + A f_i(h_(i-1), s'_i)           both of the same maps before    (1)

and the same for the colours that a network adds up. Where A is 0 in all layers the image is that of s, where it is 1
that of s'. A ramp leads from image to image (`ramp`), a soft box moves what is in it (`blurred_box`), and ramps on
a wider map make one picture of several images (`panorama`). Other edits are of the maps after one layer: a part that
is another image's (`swapped`), and larger maps, of which the later layers make larger images (`stretched`, `padded`).

The functions take a generator as a function of ws, `partial(stylegan2.from_w_plus, config, state)`, of a network whose
maps are the image's size divided by powers of two: StyleGAN and StyleGAN 2.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.gans.style_features import Edit, edited, features_at, map_sizes
from jaxgen.gans.style_space import Draw
from jaxgen.gans.styles import Styles
from jaxgen.latents.blending import soft_composite
from jaxgen.nets.hook_point import Features
from jaxgen.typing import Points

Side: TypeAlias = Literal["height", "width"]

AXES: dict[Side, int] = {"height": 1, "width": 2}

Padding: TypeAlias = Literal["reflect", "replicate", "circular"]

_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}

Group: TypeAlias = Float[Array, "batch sources layers features"]
"""The styles of several images, which become one."""

Alphas: TypeAlias = Float[Array, "batch further height width 1"]
"""A of each source but the first, in pixels of the image."""


class Box(NamedTuple):
    """A part of an image, in pixels."""

    top: int
    left: int
    height: int
    width: int


def mixed(draw: Draw, ws: Group, alphas: Alphas, layers: Sequence[int] | None = None) -> Points:
    """Equation 1, one source after the other over what is there: the images, (batch, ...).

    Args:
        draw: a generator as a function of ws.
        ws: the styles of each source.
        alphas: of the sources from the second on.
        layers: those in which A is not 0; all of them by default.

    Raises:
        ValueError: for sizes or layers that do not fit.
    """
    num, sources, there = ws.shape[:3]
    require(alphas.shape[:2] == (num, sources - 1), "shape of alphas", alphas.shape, f"({num}, {sources - 1}, ...)")
    image = jax.eval_shape(draw, ws[:, 0]).shape
    require(alphas.shape[2:4] == image[1:3], "size of alphas", alphas.shape[2:4], f"that of the images, {image[1:3]}")
    chosen = _chosen(layers, there)
    edits = {layer: _joining(sources, alphas if layer in chosen else jnp.zeros_like(alphas)) for layer in range(there)}
    return edited(draw, _rows(ws), edits)[::sources]


def panorama(draw: Draw, ws: Group, overlap: int) -> Points:
    """All sources of a group side by side in one image, each from linear ramps on: equation 1 on wider maps.

    Args:
        draw: a generator as a function of ws.
        ws: the styles of each source, from left to right.
        overlap: of neighbours, in pixels of the image: a multiple of what a place of the first map is wide.

    Returns:
        (batch, height, sources * width - (sources - 1) * overlap, channels).

    Raises:
        ValueError: for an overlap that does not fit.
    """
    sources, there = ws.shape[1:3]
    _, height, width, _ = jax.eval_shape(draw, ws[:, 0]).shape
    first = map_sizes(draw, ws[:, 0])[0][1]
    place = width // first
    fits = place <= overlap <= width and overlap % place == 0
    require(fits, "overlap", overlap, f"a multiple of {place} in [{place}, {width}], pixels of the image")
    total = width + (sources - 1) * (width - overlap)
    starts = (width - overlap) * jnp.arange(1.0, sources)
    ramps = jnp.clip((jnp.arange(float(total))[None] + 0.5 - starts[:, None]) / overlap, 0.0, 1.0)
    alphas = jnp.broadcast_to(ramps[None, :, None, :, None], (len(ws), sources - 1, height, total, 1))

    def side_by_side(features: Features) -> Features:
        """Each source in its place: where it ends its ramp is 0, or that of the next is 1."""

        def placed(maps: jax.Array) -> jax.Array:
            step, end = first - overlap // place, total // place
            shifts = jnp.arange(len(maps)) % sources * step
            wide = jnp.pad(maps, ((0, 0), (0, 0), (0, end - first), (0, 0)))
            return jax.vmap(partial(jnp.roll, axis=1))(wide, shifts)

        return _joining(sources, alphas)(jax.tree.map(placed, features))

    edits = {0: side_by_side} | {layer: _joining(sources, alphas) for layer in range(1, there)}
    return edited(draw, _rows(ws), edits)[::sources]


def swapped(draw: Draw, ws: Styles, others: Styles, box: Box, layer: int) -> Points:
    """The images of ws with the maps of the others in a box, after one layer; the others' own way stays apart.

    Args:
        draw: a generator as a function of ws.
        ws: (batch, layers, features).
        others: in the same shape.
        box: its sides are brought to the size of the maps and rounded down.
        layer: a box of the whole image is `jaxgen.gans.styles.mix(others, ws, layer + 1)`.

    Raises:
        ValueError: for a layer or a box that is not there, or one in which a map has no place.
    """
    _, height, width, _ = jax.eval_shape(draw, ws).shape
    require_box(box, height, width)
    kept = features_at(draw, others, layer)
    rows, columns = kept.hidden.shape[1:3]
    top, bottom = (edge * rows // height for edge in (box.top, box.top + box.height))
    left, right = (edge * columns // width for edge in (box.left, box.left + box.width))
    least = f"of {height // rows}x{width // columns} pixels or more, a place of the maps after layer {layer}"
    require(top < bottom and left < right, "box", tuple(box), least)

    def replace(features: Features) -> Features:
        inside = (slice(None), slice(top, bottom), slice(left, right))
        return jax.tree.map(lambda maps, others: maps.at[inside].set(others[inside]), features, kept)

    return edited(draw, ws, {layer: replace})


def stretched(draw: Draw, ws: Styles, layer: int, side: Side) -> Points:
    """The images of maps whose places are repeated along a side after a layer: twice as long there."""
    return edited(draw, ws, {layer: _each(partial(jnp.repeat, repeats=2, axis=AXES[side]))})


def padded(draw: Draw, ws: Styles, layer: int, side: Side, padding: Padding) -> Points:
    """The images of maps with half of a side's length more at both of its ends after a layer: twice as long there."""
    return edited(draw, ws, {layer: _each(partial(pad, side=side, padding=padding))})


def pad(maps: Float[Array, "batch height width channels"], side: Side, padding: Padding) -> jax.Array:
    """Half of a side's length more at both of its ends.

    >>> pad(jnp.arange(4.0).reshape(1, 1, 4, 1), "width", "circular").ravel()
    Array([2., 3., 0., 1., 2., 3., 0., 1.], dtype=float32)
    """
    axis = AXES[side]
    before = maps.shape[axis] // 2
    ends = [(before, maps.shape[axis] - before) if place == axis else (0, 0) for place in range(4)]
    return jnp.pad(maps, ends, mode=_MODES[padding])


def ramp(height: int, width: int, side: Side, margin: float = 0.25) -> Float[Array, "height width 1"]:
    """A line from 0 to 1 along a side, 0 and 1 in the margins.

    Args:
        height: of the image.
        width: of the image.
        side: along which A rises.
        margin: share of the side at each of its ends.

    >>> ramp(1, 4, "width").ravel()
    Array([0.  , 0.25, 0.75, 1.  ], dtype=float32)
    """
    require(0 <= margin < 0.5, "margin", margin, "in [0, 0.5)")
    size = (height, width)[AXES[side] - 1]
    line = jnp.clip(((jnp.arange(float(size)) + 0.5) / size - margin) / (1 - 2 * margin), 0.0, 1.0)
    return jnp.broadcast_to(line[:, None, None] if side == "height" else line[None, :, None], (height, width, 1))


def blurred_box(box: Box, height: int, width: int) -> Float[Array, "height width 1"]:
    """1 in a box and 0 outside, smoothed by a Gaussian of half the box's sides, which is as wide as its deviation.

    >>> blurred_box(Box(0, 2, 1, 2), 1, 4).ravel()
    Array([0., 0., 1., 1.], dtype=float32)
    """
    require_box(box, height, width)
    found = jnp.ones((height, width))
    for axis, (size, start, length) in enumerate(((height, box.top, box.height), (width, box.left, box.width))):
        places = jnp.arange(size)
        inside = ((places >= start) & (places < start + length)).astype(jnp.float32)
        taps = length // 2 | 1
        kernel = jnp.exp(-(((jnp.arange(float(taps)) - taps // 2) / taps) ** 2) / 2)
        line = jnp.convolve(jnp.pad(inside, taps // 2, mode="edge"), kernel / kernel.sum(), "valid")
        found = found * jnp.expand_dims(line, 1 - axis)
    return jnp.clip(found, 0.0, 1.0)[:, :, None]


def require_box(box: Box, height: int, width: int) -> None:
    """ValueError for a box that is empty, or not within an image."""
    rows = 0 <= box.top < box.top + box.height <= height
    columns = 0 <= box.left < box.left + box.width <= width
    inside = f"top, left, height, width of a part of the {height}x{width} image"
    require(rows and columns, "box", tuple(box), inside)


def _chosen(layers: Sequence[int] | None, num: int) -> set[int]:
    chosen = set(range(num) if layers is None else layers)
    require(chosen <= set(range(num)), "layers", sorted(chosen - set(range(num))), f"in [0, {num})")
    return chosen


def _rows(ws: Group) -> jax.Array:
    """The sources of an example one after the other, so that they stay on one device."""
    return ws.reshape(-1, *ws.shape[2:])


def _each(change: Callable[[jax.Array], jax.Array]) -> Edit:
    """The same change of the maps and of the colours so far."""
    return lambda features: jax.tree.map(change, features)


def _joining(sources: int, alphas: Alphas) -> Edit:
    """Equation 1: each source gets the same maps."""

    def joined(maps: jax.Array) -> jax.Array:
        groups = maps.reshape(-1, sources, *maps.shape[1:])
        found = groups[:, 0]
        for number in range(1, sources):
            alpha = _resized(alphas[:, number - 1], found).astype(found.dtype)
            found = soft_composite(groups[:, number], found, alpha)
        return jnp.repeat(found, sources, axis=0)

    return _each(joined)


def _resized(alpha: jax.Array, maps: jax.Array) -> jax.Array:
    """Bilinear; numbers of one value keep it exactly, since the weights are powers of two."""
    (height, width), (rows, columns) = alpha.shape[1:3], maps.shape[1:3]
    fits = height % rows == 0 and height // rows * columns == width
    require(fits, "size of maps", f"{rows}x{columns}", f"a part of the image's {height}x{width}: use StyleGAN 1 or 2")
    return jax.image.resize(alpha, (len(alpha), rows, columns, 1), "linear", antialias=False)
