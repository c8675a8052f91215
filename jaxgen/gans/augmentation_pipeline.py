"""The transformations of adaptive discriminator augmentation, each of which happens to an image with a probability.

Karras, Aittala, Hellsten, Laine, Lehtinen, Aila: Training Generative Adversarial Networks with Limited Data, 2020,
arXiv 2006.06676, appendix B.

In this order: an image is mirrored, turned by quarters and shifted by whole pixels (blit); scaled, turned, stretched,
turned and shifted by a part of a pixel (geometry); made brighter, of more contrast, flipped in its luma, turned in its
hue and saturated (colour); its octaves of frequency are amplified (filter); noise is added; a square is cut out. The
distributions are those of the authors' code, for images in [-1, 1].

Each transformation happens on its own, with probability p times a multiplier; 0 switches it off. All of what an image
becomes is drawn from its own key. With p = 0 the images are returned bit for bit: an image that no transformation of
geometry or filter happens to is not resampled, and so mirrored and shifted images are exact. (The authors resample
always; their filters give the identity back, but not quite a flip.)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen import affine_augmentations as affine
from jaxgen import color_augmentations as color
from jaxgen.affine_augmentations import Map
from jaxgen.augmentations import cut_out_share, require_images
from jaxgen.band_filters import NUM_BANDS, POWER, amplify
from jaxgen.checks import NonNegativeFloat, require, require_bounds
from jaxgen.color_augmentations import ColorMap
from jaxgen.mode import ExampleKeys, fold
from jaxgen.typing import Images, Key, Points, Scalar, Shape

STREAM = 2**31 - 5
"""The number that sets its keys apart from those of dropout layers and of other layers that draw for each image."""


@dataclass(frozen=True)
class Blit:
    """Whole pixels take other places; multipliers of p first."""

    mirror: NonNegativeFloat = 1.0  # left and right exchanged or not, with equal probabilities
    quarter_turn: NonNegativeFloat = 1.0  # 0, 1, 2 or 3 right angles
    shift: NonNegativeFloat = 1.0  # rows and columns, uniform in +-farthest
    farthest: NonNegativeFloat = 0.125  # of a shift, as a share of the side

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class Geometry:
    """Images are resampled; multipliers of p first."""

    scale: NonNegativeFloat = 1.0  # by 2^N(0, scale_std^2)
    rotation: NonNegativeFloat = 1.0  # by U(-angle, angle), before or after the stretch, with probability p in all
    stretch: NonNegativeFloat = 1.0  # by s = 2^N(0, stretch_std^2) along x and 1/s along y
    shift: NonNegativeFloat = 1.0  # by N(0, shift_std^2) of the side, along x and along y
    scale_std: NonNegativeFloat = 0.2
    angle: NonNegativeFloat = math.pi  # radians
    stretch_std: NonNegativeFloat = 0.2
    shift_std: NonNegativeFloat = 0.125

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class Color:
    """Affine maps of colours; multipliers of p first. Hue and saturation are those of images of three channels."""

    brightness: NonNegativeFloat = 1.0  # plus N(0, brightness_std^2)
    contrast: NonNegativeFloat = 1.0  # times 2^N(0, contrast_std^2)
    luma_flip: NonNegativeFloat = 1.0  # dark and light exchanged or not, with equal probabilities
    hue: NonNegativeFloat = 1.0  # turned by U(-angle, angle)
    saturation: NonNegativeFloat = 1.0  # times 2^N(0, saturation_std^2)
    brightness_std: NonNegativeFloat = 0.2
    contrast_std: NonNegativeFloat = 0.5
    angle: NonNegativeFloat = math.pi  # radians
    saturation_std: NonNegativeFloat = 1.0

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class Filter:
    """Each of four octaves times 2^N(0, std^2), all divided by the root of the power that results."""

    bands: NonNegativeFloat = 0.0  # multiplier of p
    std: NonNegativeFloat = 1.0

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class Noise:
    """Plus N(0, sigma^2) in each value, sigma the absolute value of N(0, std^2)."""

    noise: NonNegativeFloat = 0.0  # multiplier of p
    std: NonNegativeFloat = 0.1

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class Cutout:
    """A rectangle of 0 around a uniform place."""

    cutout: NonNegativeFloat = 0.0  # multiplier of p
    size: NonNegativeFloat = 0.5  # of the rectangle, as a share of the sides

    def __post_init__(self):
        require_bounds(self)


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


def blit_map(blit: Blit, size: tuple[int, int], p: Scalar, key: Key) -> Map:
    """The inverse map of one image of `size`, height and width, from pixels to pixels."""
    mirror, turn, shift = jax.random.split(key, 3)
    height, width = size
    flipped = _sometimes(p * blit.mirror, mirror, jax.random.bernoulli, jnp.zeros((), bool))
    turns = _sometimes(p * blit.quarter_turn, turn, partial(_whole, num=4), jnp.zeros((), jnp.int32))
    shares = _sometimes(p * blit.shift, shift, partial(_symmetric, (2,), blit.farthest), jnp.zeros(2))
    one = jnp.ones(())
    inverse = affine.scaling(jnp.where(flipped, -one, one), one) @ affine.quarter_turns(-turns)
    return inverse @ affine.translation(-jnp.round(shares[0] * width), -jnp.round(shares[1] * height))


def geometry_map(geometry: Geometry, size: tuple[int, int], p: Scalar, key: Key) -> Map:
    """The inverse map of one image of `size`, height and width; the identity where nothing happens to it."""
    scale, before, stretch, after, shift = jax.random.split(key, 5)
    height, width = size
    either = 1.0 - jnp.sqrt(1.0 - jnp.clip(p * geometry.rotation, 0.0, 1.0))  # 1 - (1 - either)^2 = p

    def turned(key: Key) -> Map:
        return affine.rotation(-_sometimes(either, key, partial(_symmetric, (), geometry.angle), jnp.zeros(())))

    def octaves(share: float, key: Key, std: float) -> Scalar:
        return jnp.exp2(-_sometimes(p * share, key, partial(_normal, (), std), jnp.zeros(())))

    size_factor = octaves(geometry.scale, scale, geometry.scale_std)
    width_factor = octaves(geometry.stretch, stretch, geometry.stretch_std)
    shares = _sometimes(p * geometry.shift, shift, partial(_normal, (2,), geometry.shift_std), jnp.zeros(2))
    inverse = affine.scaling(size_factor, size_factor) @ turned(before)
    inverse = inverse @ affine.scaling(width_factor, 1.0 / width_factor) @ turned(after)
    return inverse @ affine.translation(-shares[0] * width, -shares[1] * height)


def color_map(colors: Color, channels: int, p: Scalar, key: Key) -> ColorMap:
    """The map of one image; grey ones have neither hue nor saturation."""
    keys = jax.random.split(key, 5)
    nothing = jnp.zeros(())

    def octaves(share: float, key: Key, std: float) -> Scalar:
        return jnp.exp2(_sometimes(p * share, key, partial(_normal, (), std), nothing))

    amount = _sometimes(p * colors.brightness, keys[0], partial(_normal, (), colors.brightness_std), nothing)
    flipped = _sometimes(p * colors.luma_flip, keys[2], jax.random.bernoulli, jnp.zeros((), bool))
    maps = [color.brightness(amount), color.contrast(octaves(colors.contrast, keys[1], colors.contrast_std))]
    maps.append(color.luma_flip(flipped))
    if channels > 1:
        angle = _sometimes(p * colors.hue, keys[3], partial(_symmetric, (), colors.angle), nothing)
        maps += [color.hue(angle), color.saturation(octaves(colors.saturation, keys[4], colors.saturation_std))]
    whole = maps[0]
    for each in maps[1:]:
        whole = each @ whole
    return whole


def band_gains(settings: Filter, p: Scalar, key: Key) -> Float[Array, "bands"]:
    """The gain of each band of one image: exactly 1 where nothing happens to it."""
    gains = jnp.ones(NUM_BANDS)
    for band, one in enumerate(jax.random.split(key, NUM_BANDS)):
        octaves = _sometimes(p * settings.bands, one, partial(_normal, (), settings.std), jnp.zeros(()))
        stronger = jnp.ones(NUM_BANDS).at[band].set(jnp.exp2(octaves))
        power = (jnp.asarray(POWER) * stronger**2).sum()
        gains = jnp.where(octaves == 0, gains, gains * stronger / jnp.sqrt(power))
    return gains


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
        draw = partial(_normal, (), pipeline.noise.std)
        sigma = jnp.abs(_sometimes(p * pipeline.noise.noise, of_sigma, draw, jnp.zeros(())))
        return sigma * jax.random.normal(of_noise, images.shape[1:])

    return images + jax.vmap(noise)(keys).astype(images.dtype)


def _cut_out(pipeline: Pipeline, images: Images, p: Scalar, keys: ExampleKeys) -> Images:
    cutout = pipeline.cutout
    if not cutout.cutout:
        return images
    outside = jnp.full(2, -1.0 - cutout.size)
    draw = partial(_sometimes, p * cutout.cutout, draw=lambda key: jax.random.uniform(key, (2,)), otherwise=outside)
    return cut_out_share(images, jax.vmap(draw)(keys), cutout.size)


def _sometimes(probability: Scalar, key: Key, draw: Callable[[Key], Array], otherwise: Array) -> Array:
    """`draw(key)` with a probability; one above 1 is 1."""
    happens, amount = jax.random.split(key)
    return jnp.where(jax.random.uniform(happens) < probability, draw(amount), otherwise)


def _symmetric(shape: Shape, farthest: float, key: Key) -> Array:
    return jax.random.uniform(key, shape, minval=-farthest, maxval=farthest)


def _normal(shape: Shape, std: float, key: Key) -> Array:
    return std * jax.random.normal(key, shape)


def _whole(key: Key, num: int) -> Array:
    return jax.random.randint(key, (), 0, num)


def _identities(images: Images) -> affine.Maps:
    return jnp.broadcast_to(jnp.eye(3), (images.shape[0], 3, 3))


def _where(chosen: Any, images: Images, others: Images) -> Images:
    return jnp.where(chosen[:, None, None, None], images, others)
