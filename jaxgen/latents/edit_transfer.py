"""What an edit changes, brought to a photograph: where its pixels come from, and what becomes of their colours.

Zhu, Krähenbühl, Shechtman, Efros: Generative Visual Manipulation on the Natural Image Manifold, 2016, arXiv 1609.03552
(iGAN), section 4.3. From one image I to the next J on the way from G(z_0) to G(z_1), the flow F and affine colours A of
each pixel p are the minimum of

    sum over p of |A(p) [I(p + F(p)), 1] - J(p)|^2 + s_F |grad F|^2 + s_A |grad A|^2                      (1)

The changes of all steps are joined to one, which is applied to the photograph: it keeps its detail. The authors find F
by an optical flow and A by linear equations, three times in turn; here both are found at once by steps of Gauss and
Newton, from coarse images to fine ones. The paper names no weights.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.ndimage import map_coordinates
from jax.scipy.sparse.linalg import cg
from jaxtyping import Array, Float

from jaxgen.checks import PositiveFloat, PositiveInt, require, require_bounds
from jaxgen.latents.interpolation import linear
from jaxgen.latents.projection import Generate
from jaxgen.losses._arrays import Floats, ranked
from jaxgen.typing import Images

SMALLEST = 8
"""Shortest side, in pixels, of the coarsest images, unless the images are smaller."""

DAMPING = 1e-4
"""Times the squared step, added in each step of Gauss and Newton: it has one minimum, where equation 1 has many."""


class Change(NamedTuple):
    """Of each pixel; zeros change nothing."""

    flow: Float[Array, "*batch height width 2"]  # F: rows, columns, pixels
    color: Float[Array, "*batch height width channels _"]  # A less the identity, channels + 1 columns


@dataclass(frozen=True)
class Transfer:
    """How the change is found."""

    frames: PositiveInt = 8  # images on the way, both ends among them
    smooth_flow: PositiveFloat = 0.01  # s_F
    smooth_color: PositiveFloat = 1.0  # s_A
    steps: PositiveInt = 5  # of Gauss and Newton, for images of each size
    solver_steps: PositiveInt = 100  # of conjugate gradients in each, at most

    def __post_init__(self):
        require_bounds(self)
        require(self.frames >= 2, "frames", self.frames, "at least 2: both ends")


def transfer(
    settings: Transfer,
    generate: Generate,
    ends: tuple[Floats, Floats],
    photographs: Floats,
    given: tuple[Any, ...] = (),
) -> Images:
    """The photographs, changed as G changes on the line from z_0 to z_1; exactly as they are if the two are one.

    Args:
        settings: of the search.
        generate: G(latents, *given), a function of each latent alone.
        ends: z_0 and z_1, (B, ...) each.
        photographs: (B, height, width, channels) in the value range of G, of any size.
        given: with the latents: labels (B,), for one.

    Returns:
        In the shape of the photographs, cut to no range.

    Raises:
        ValueError: if the shapes do not fit.
    """
    start, end = ends
    require(start.shape == end.shape, "shape of the last latents", end.shape, f"that of the first, {start.shape}")
    made = jax.eval_shape(generate, start, *given).shape
    fits = photographs.ndim == 4 and (photographs.shape[0], photographs.shape[3]) == (made[0], made[3])
    wanted = f"({made[0]}, height, width, {made[3]}), as many and of as many channels as the generator makes"
    require(fits, "shape of photographs", photographs.shape, wanted)
    flat = [each.reshape(len(each), -1) for each in ends]

    def frame(t: Array) -> Images:
        there = linear(flat[0], flat[1], jnp.full(len(start), t))
        return generate(jnp.where(flat[0] == flat[1], flat[0], there).reshape(start.shape), *given)

    return apply(change_along(settings, jax.lax.map(frame, jnp.linspace(0.0, 1.0, settings.frames))), photographs)


def change_along(settings: Transfer, frames: Float[Array, "frames batch height width channels"]) -> Change:
    """The changes from each frame to the next, joined to one."""
    changes = jax.lax.map(lambda pair: change_between(settings, *pair), (frames[:-1], frames[1:]))
    first, others = (jax.tree.map(lambda leaf, part=part: leaf[part], changes) for part in (0, slice(1, None)))
    return jax.lax.scan(lambda before, after: (jax.vmap(joined)(before, after), None), first, others)[0]


def change_between(settings: Transfer, images: Floats, targets: Floats) -> Change:
    """Equation 1: the change that makes each target J of its image I. No image knows of the others.

    Args:
        settings: of the search.
        images: I, (B, height, width, channels), in [-1, 1] or [0, 1].
        targets: J, in the same shape.

    >>> images = jnp.linspace(-1.0, 0.5, 64).reshape(1, 8, 8, 1) ** 3
    >>> change = change_between(Transfer(), images, images + 0.25)
    >>> float(abs(apply(change, images) - images - 0.25).max()) < 0.01
    True
    """
    images, targets = ranked("batch, height, width, channels", images=images, targets=targets)
    return jax.vmap(lambda image, target: _coarse_to_fine(settings, image, target))(images, targets)


def apply(change: Change, images: Floats) -> Images:
    """A(p) [I(p + F(p)), 1] of images (B, height, width, channels); the change is resized to theirs.

    Pixels from beyond the border are those of the border.
    """
    return jax.vmap(lambda one, image: _applied(resized(one, (image.shape[0], image.shape[1])), image))(change, images)


def joined(first: Change, second: Change) -> Change:
    """Of one image: the first change, then the second."""
    before = Change(*(_read(field, second.flow) for field in first))
    matrix = second.color[..., :-1]
    return Change(second.flow + before.flow, before.color + second.color + matrix @ before.color)


def resized(change: Change, shape: tuple[int, int]) -> Change:
    """The change of one image, for images of another shape: its flow grows with them."""
    here = change.flow.shape[:2]
    if here == shape:
        return change
    flow, color = (jax.image.resize(field, (*shape, *field.shape[2:]), "linear") for field in change)
    return Change(flow * jnp.array([there / side for there, side in zip(shape, here, strict=True)])[None, None], color)


def _coarse_to_fine(settings: Transfer, image: Array, target: Array) -> Change:
    shapes = [(image.shape[0], image.shape[1])]
    while min(shapes[-1]) >= 2 * SMALLEST:
        shapes.append((shapes[-1][0] // 2, shapes[-1][1] // 2))
    num = image.shape[2]
    change = Change(jnp.zeros((*shapes[-1], 2)), jnp.zeros((*shapes[-1], num, num + 1)))
    for shape in shapes[::-1]:
        small, wanted = (jax.image.resize(each, (*shape, num), "linear") for each in (image, target))
        change = _nearer(settings, resized(change, shape), small, wanted)
    return change


def _nearer(settings: Transfer, change: Change, image: Array, target: Array) -> Change:
    """Steps of Gauss and Newton from a change on, equation 1 being the squared length of what `_residuals` gives."""

    def step(change: Change, _: None) -> tuple[Change, None]:
        errors, forward = jax.linearize(
            _residuals(settings, change, image, target), jax.tree.map(jnp.zeros_like, change)
        )
        backward = jax.linear_transpose(forward, change)
        slope = jax.tree.map(jnp.negative, backward(errors)[0])

        def curved(move: Change) -> Change:
            return jax.tree.map(lambda part, whole: part * DAMPING + whole, move, backward(forward(move))[0])

        move, _ = cg(curved, slope, tol=1e-4, maxiter=settings.solver_steps)
        return jax.tree.map(jnp.add, change, move), None

    return jax.lax.scan(step, change, length=settings.steps)[0]


def _residuals(settings: Transfer, change: Change, image: Array, target: Array) -> Callable[[Change], Any]:
    """A function of moves from the change on. What is read of the image is taken as linear: no move reads it again."""
    read, down = jax.jvp(lambda rows: _read(image, change.flow.at[..., 0].add(rows)), *_unit(image))
    _, right = jax.jvp(lambda columns: _read(image, change.flow.at[..., 1].add(columns)), *_unit(image))

    def residuals(move: Change) -> Any:
        near = read + move.flow[..., :1] * down + move.flow[..., 1:] * right
        there = jax.tree.map(jnp.add, change, move)
        smooth = [
            weight**0.5 * jnp.diff(field, axis=axis)
            for weight, field in ((settings.smooth_flow, there.flow), (settings.smooth_color, there.color))
            for axis in (0, 1)
        ]
        return [_colored(there.color, near) - target, *smooth]

    return residuals


def _unit(image: Array) -> tuple[tuple[Array], tuple[Array]]:
    """A place and a direction for `jvp`: a pixel further."""
    zeros = jnp.zeros(image.shape[:2], image.dtype)
    return (zeros,), (zeros + 1,)


def _applied(change: Change, image: Array) -> Array:
    """`apply` of one image, of the size of the change."""
    return _colored(change.color, _read(image, change.flow))


def _colored(color: Array, values: Array) -> Array:
    """A [x, 1] of each pixel x."""
    ones = jnp.ones((*values.shape[:2], 1), values.dtype)
    return values + (color * jnp.concatenate([values, ones], axis=2)[:, :, None]).sum(axis=3)  # faster than a product


def _read(field: Array, flow: Array) -> Array:
    """(height, width, ...) at p + F(p), on lines between pixels."""
    height, width = flow.shape[:2]
    rows, columns = jnp.meshgrid(jnp.arange(float(height)), jnp.arange(float(width)), indexing="ij")
    places = [rows + flow[..., 0], columns + flow[..., 1]]
    flat = field.reshape(height, width, -1)
    read = jax.vmap(lambda channel: map_coordinates(channel, places, order=1, mode="nearest"), 2, 2)(flat)
    return read.reshape(field.shape)
