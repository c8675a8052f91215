"""Parts of a face at fixed places: cut out, pasted into an empty image, and fused to one.

Huang, Zhang, Li, He, 2017, arXiv 1704.04086. The paper cuts parts around landmarks of the turned face and pastes them
where those of a frontal one lie on average, the `Template`. Without landmarks both places are the template's.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxgen.checks import NonNegativeInt, PositiveInt, require, require_bounds
from jaxgen.typing import Images, Shape


@dataclass(frozen=True)
class Place:
    """A rectangle of an image, in pixels."""

    top: NonNegativeInt
    left: NonNegativeInt
    height: PositiveInt
    width: PositiveInt

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class Template:
    """Where the parts of a frontal face lie; by default those of the authors' code for 128x128 pixels.

    Left is left in the image.
    """

    left_eye: Place = Place(20, 23, 40, 40)
    right_eye: Place = Place(20, 65, 40, 40)
    nose: Place = Place(48, 43, 32, 40)
    mouth: Place = Place(72, 40, 32, 48)

    @property
    def places(self) -> dict[str, Place]:
        """Of each part by its name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def require_within(self, image_shape: Shape) -> None:
        """ValueError for a part that is not inside of an image."""
        for name, place in self.places.items():
            inside = place.top + place.height <= image_shape[0] and place.left + place.width <= image_shape[1]
            require(inside, f"template.{name}", place, f"inside of {image_shape[0]}x{image_shape[1]} pixels")


def cut(images: Images, place: Place) -> jax.Array:
    """The part of each image at a place."""
    return images[:, place.top : place.top + place.height, place.left : place.left + place.width]


def paste(part: Images, place: Place, image_shape: Shape) -> jax.Array:
    """Images of the height and width of `image_shape` that are 0 but for the part at its place."""
    below, right = image_shape[0] - place.top - place.height, image_shape[1] - place.left - place.width
    return jnp.pad(part, ((0, 0), (place.top, below), (place.left, right), (0, 0)))


def fuse(parts: Sequence[jax.Array], places: Sequence[Place], image_shape: Shape) -> jax.Array:
    """The element-wise largest of the pasted parts: 0 outside of all of them, and nowhere less where one ends."""
    pasted = [paste(part, place, image_shape) for part, place in zip(parts, places, strict=True)]
    return jnp.stack(pasted).max(axis=0)
