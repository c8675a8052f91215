"""The transformations of adaptive discriminator augmentation, each of which happens to an image with a probability.

Karras, Aittala, Hellsten, Laine, Lehtinen, Aila: Training Generative Adversarial Networks with Limited Data, 2020,
arXiv 2006.06676, appendix B.

In this order: an image is mirrored, turned by quarters and shifted by whole pixels (blit); scaled, turned, stretched,
turned and shifted by a part of a pixel (geometry); made brighter, of more contrast, flipped in its luma, turned in its
hue and saturated (colour); its octaves of frequency are amplified (filter); noise is added; a rectangle is cut out.
`jaxgen.gans.augmentation_draws` says how far each goes.

All of what an image becomes is drawn from its own key. With p = 0 the images are returned as they are: an image that no
transformation of geometry or filter happens to is not resampled, and so mirrored and shifted images are exact. (The
authors resample always; their filters give the identity back, but not quite a flip.)
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxgen import affine_augmentations as affine
from jaxgen import color_augmentations as color
from jaxgen.augmentations import cut_out_share, require_images
from jaxgen.band_filters import amplify
from jaxgen.checks import require
from jaxgen.gans.augmentation_draws import (
    Blit,
    Color,
    Cutout,
    Filter,
    Geometry,
    Noise,
    band_gains,
    blit_map,
    color_map,
    geometry_map,
    normal,
    sometimes,
)
from jaxgen.mode import ExampleKeys, fold
from jaxgen.typing import Images, Key, Points, Scalar

STREAM = 2**31 - 5
"""The number that sets its keys apart from those of dropout layers and of other layers that draw for each image."""


@dataclass(frozen=True)
class Pipeline:
    """All transformations; the default is the authors', "bgc": blit, geometry and colour."""

    blit: Blit = Blit()
    geometry: Geometry = Geometry()
    color: Color = Color()
    filter: Filter = Filter()
    noise: Noise = Noise()
    cutout: Cutout = Cutout()

    def transform(self, images: Points, p: Scalar, keys: ExampleKeys) -> Points:
        """T(x), differentiable in the images, as often as need be.

        Args:
            images: in [-1, 1].
            p: the probability, before the multipliers.
            keys: one for each image.

        Raises:
            ValueError: for what is no image, or a part that these images do not allow.
        """
        require_images(images, "augmentation")
        keys = fold(keys, STREAM)
        for number, part in enumerate((_place, _recolor, _filter, _add_noise, _cut_out)):
            images = part(self, images, p.astype(jnp.float32), fold(keys, number))
        return images


BGCFNC = Pipeline(filter=Filter(1.0), noise=Noise(1.0), cutout=Cutout(1.0))
"""All of them: blit, geometry, colour, filter, noise, cutout."""


def _place(pipeline: Pipeline, images: Images, p: Scalar, keys: ExampleKeys) -> Images:
    """Blit and geometry; what geometry happens to is moved by both at once, from the pixels as they are."""
    blit, geometry, size = pipeline.blit, pipeline.geometry, (images.shape[1], images.shape[2])
    inverse, moved = _identities(images), images
    if blit.mirror or blit.quarter_turn or blit.shift:
        even = not blit.quarter_turn or (size[0] - size[1]) % 2 == 0
        require(even, "size of images", f"{size[0]}x{size[1]}", "even or odd in both sides, for quarter turns")
        inverse = jax.vmap(partial(blit_map, blit, size, p))(fold(keys, 0))
        moved = affine.move_pixels(images, inverse)
    if geometry.scale or geometry.rotation or geometry.stretch or geometry.shift:
        maps = jax.vmap(partial(geometry_map, geometry, size, p))(fold(keys, 1))
        happens = (maps != _identities(images)).any(axis=(1, 2))
        moved = _where(happens, affine.resample(images, inverse @ maps), moved)
    return moved


def _recolor(pipeline: Pipeline, images: Images, p: Scalar, keys: ExampleKeys) -> Images:
    colors, channels = pipeline.color, images.shape[3]
    chromatic = channels > 1 and (colors.hue or colors.saturation)
    if not (colors.brightness or colors.contrast or colors.luma_flip or chromatic):
        return images
    return color.recolor(images, jax.vmap(partial(color_map, colors, channels, p))(keys))


def _filter(pipeline: Pipeline, images: Images, p: Scalar, keys: ExampleKeys) -> Images:
    if not pipeline.filter.bands:
        return images
    gains = jax.vmap(partial(band_gains, pipeline.filter, p))(keys)
    return _where((gains != 1).any(axis=1), amplify(images, gains), images)


def _add_noise(pipeline: Pipeline, images: Images, p: Scalar, keys: ExampleKeys) -> Images:
    if not pipeline.noise.noise:
        return images

    def noise(key: Key) -> Array:
        of_sigma, of_noise = jax.random.split(key)
        draw = partial(normal, (), pipeline.noise.std)
        sigma = jnp.abs(sometimes(p * pipeline.noise.noise, of_sigma, draw, jnp.zeros(())))
        return sigma * jax.random.normal(of_noise, images.shape[1:])

    return images + jax.vmap(noise)(keys).astype(images.dtype)


def _cut_out(pipeline: Pipeline, images: Images, p: Scalar, keys: ExampleKeys) -> Images:
    cutout = pipeline.cutout
    if not cutout.cutout:
        return images
    outside = jnp.full(2, -1.0 - cutout.size)
    draw = partial(sometimes, p * cutout.cutout, draw=lambda key: jax.random.uniform(key, (2,)), otherwise=outside)
    return cut_out_share(images, jax.vmap(draw)(keys), cutout.size)


def _identities(images: Images) -> affine.Maps:
    return jnp.broadcast_to(jnp.eye(3), (images.shape[0], 3, 3))


def _where(chosen: Any, images: Images, others: Images) -> Images:
    return jnp.where(chosen[:, None, None, None], images, others)
