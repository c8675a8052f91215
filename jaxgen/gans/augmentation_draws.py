"""What the transformations of adaptive discriminator augmentation draw for one image: maps, gains and the like.

Karras, Aittala, Hellsten, Laine, Lehtinen, Aila: Training Generative Adversarial Networks with Limited Data, 2020,
arXiv 2006.06676, appendix B.

The distributions are those of the authors' code, for images in [-1, 1]. Each transformation happens on its own, with
probability p times a multiplier; 0 switches it off. One that does not happen is exactly the identity.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen import affine_augmentations as affine
from jaxgen import color_augmentations as color
from jaxgen.affine_augmentations import Map
from jaxgen.band_filters import NUM_BANDS, POWER
from jaxgen.checks import NonNegativeFloat, require_bounds
from jaxgen.color_augmentations import ColorMap
from jaxgen.typing import Key, Scalar, Shape


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


def blit_map(blit: Blit, size: tuple[int, int], p: Scalar, key: Key) -> Map:
    """The inverse map of one image of `size`, height and width, from pixels to pixels."""
    mirror, turn, shift = jax.random.split(key, 3)
    height, width = size
    flipped = sometimes(p * blit.mirror, mirror, jax.random.bernoulli, jnp.zeros((), bool))
    turns = sometimes(p * blit.quarter_turn, turn, partial(whole, num=4), jnp.zeros((), jnp.int32))
    shares = sometimes(p * blit.shift, shift, partial(symmetric, (2,), blit.farthest), jnp.zeros(2))
    one = jnp.ones(())
    inverse = affine.scaling(jnp.where(flipped, -one, one), one) @ affine.quarter_turns(-turns)
    return inverse @ affine.translation(-jnp.round(shares[0] * width), -jnp.round(shares[1] * height))


def geometry_map(geometry: Geometry, size: tuple[int, int], p: Scalar, key: Key) -> Map:
    """The inverse map of one image of `size`, height and width; the identity where nothing happens to it."""
    scale, before, stretch, after, shift = jax.random.split(key, 5)
    height, width = size
    either = 1.0 - jnp.sqrt(1.0 - jnp.clip(p * geometry.rotation, 0.0, 1.0))  # 1 - (1 - either)^2 = p

    def turned(key: Key) -> Map:
        return affine.rotation(-sometimes(either, key, partial(symmetric, (), geometry.angle), jnp.zeros(())))

    def octaves(share: float, key: Key, std: float) -> Scalar:
        return jnp.exp2(-sometimes(p * share, key, partial(normal, (), std), jnp.zeros(())))

    size_factor = octaves(geometry.scale, scale, geometry.scale_std)
    width_factor = octaves(geometry.stretch, stretch, geometry.stretch_std)
    shares = sometimes(p * geometry.shift, shift, partial(normal, (2,), geometry.shift_std), jnp.zeros(2))
    inverse = affine.scaling(size_factor, size_factor) @ turned(before)
    inverse = inverse @ affine.scaling(width_factor, 1.0 / width_factor) @ turned(after)
    return inverse @ affine.translation(-shares[0] * width, -shares[1] * height)


def color_map(colors: Color, channels: int, p: Scalar, key: Key) -> ColorMap:
    """The map of one image; grey ones have neither hue nor saturation."""
    keys = jax.random.split(key, 5)
    nothing = jnp.zeros(())

    def octaves(share: float, key: Key, std: float) -> Scalar:
        return jnp.exp2(sometimes(p * share, key, partial(normal, (), std), nothing))

    amount = sometimes(p * colors.brightness, keys[0], partial(normal, (), colors.brightness_std), nothing)
    flipped = sometimes(p * colors.luma_flip, keys[2], jax.random.bernoulli, jnp.zeros((), bool))
    maps = [color.brightness(amount), color.contrast(octaves(colors.contrast, keys[1], colors.contrast_std))]
    maps.append(color.luma_flip(flipped))
    if channels > 1:
        angle = sometimes(p * colors.hue, keys[3], partial(symmetric, (), colors.angle), nothing)
        maps += [color.hue(angle), color.saturation(octaves(colors.saturation, keys[4], colors.saturation_std))]
    product = maps[0]
    for each in maps[1:]:
        product = each @ product
    return product


def band_gains(settings: Filter, p: Scalar, key: Key) -> Float[Array, "bands"]:
    """The gain of each band of one image: exactly 1 where nothing happens to it."""
    gains = jnp.ones(NUM_BANDS)
    for band, one in enumerate(jax.random.split(key, NUM_BANDS)):
        octaves = sometimes(p * settings.bands, one, partial(normal, (), settings.std), jnp.zeros(()))
        stronger = jnp.ones(NUM_BANDS).at[band].set(jnp.exp2(octaves))
        power = (jnp.asarray(POWER) * stronger**2).sum()
        gains = jnp.where(octaves == 0, gains, gains * stronger / jnp.sqrt(power))
    return gains


def sometimes(probability: Scalar, key: Key, draw: Callable[[Key], Array], otherwise: Array) -> Array:
    """`draw(key)` with a probability; one above 1 is 1."""
    happens, amount = jax.random.split(key)
    return jnp.where(jax.random.uniform(happens) < probability, draw(amount), otherwise)


def symmetric(shape: Shape, farthest: float, key: Key) -> Array:
    """Uniform in [-farthest, farthest]."""
    return jax.random.uniform(key, shape, minval=-farthest, maxval=farthest)


def normal(shape: Shape, std: float, key: Key) -> Array:
    """N(0, std^2)."""
    return std * jax.random.normal(key, shape)


def whole(key: Key, num: int) -> Array:
    """0, ..., num - 1."""
    return jax.random.randint(key, (), 0, num)
