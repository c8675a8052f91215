"""Perceptual distance: where two images differ for a network that was trained to recognise things.

Zhang et al.: The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, 2018, arXiv 1801.03924 (LPIPS).
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import jax.numpy as jnp
from jaxtyping import Array

from jaxgen.losses._arrays import Floats, floats, ranked
from jaxgen.typing import Images, PerExample

Backbone: TypeAlias = Callable[[Images], Sequence[Array]]
"""Images to feature maps (B, height, width, channels), one for each layer that counts."""

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""ImageNet's mean and deviation of the three channels, for images in [-1, 1]."""


def lpips(backbone: Backbone, weights: Sequence[Floats], images: Floats, others: Floats) -> PerExample:
    """sum over layers of mean over pixels of w . (f(x) - f(y))^2, f of unit length: equation 1 of arXiv 1801.03924.

    Args:
        backbone: images to feature maps; LPIPS proper takes five layers of VGG16 or AlexNet after `lpips_inputs`.
        weights: w, (channels,) for each layer, not negative; ones give the plain distance of features.
        images: x, (B, height, width, channels).
        others: y, in the same shape.

    Raises:
        ValueError: if the shapes differ, or weights do not fit the layers.

    >>> images = jnp.array([[[[1.0, 0.0]]]])  # one pixel whose two channels are its features
    >>> lpips(lambda x: [x], [jnp.array([0.5, 2.0])], images, images[..., ::-1])
    Array([2.5], dtype=float32)
    """
    images, others = ranked("B, height, width, channels", images=images, others=others)
    maps, other_maps = backbone(images), backbone(others)
    for layer, weight in enumerate(weights):
        floats(**{f"weights of layer {layer}": weight})
    channels, wanted = [m.shape[-1:] for m in maps], [w.shape for w in weights]
    if channels != wanted:
        raise ValueError(f"weights of shapes {wanted} must be {channels}, one for each channel of each layer")
    distance = jnp.zeros(len(images), images.dtype)
    for x, y, weight in zip(maps, other_maps, weights, strict=True):
        x, y = ranked("B, height, width, channels", features=x, other_features=y)
        squared = (_unit(x) - _unit(y)) ** 2 * weight.astype(x.dtype)[None, None, None]
        distance = distance + squared.sum(axis=3).mean(axis=(1, 2)).astype(images.dtype)
    return distance


def lpips_inputs(images: Floats) -> Floats:
    """Images in [-1, 1] to the inputs that VGG16 and AlexNet were trained with; grey becomes three channels.

    Raises:
        ValueError: unless images have four axes and one or three channels.

    >>> lpips_inputs(jnp.zeros((1, 2, 2, 1))).shape
    (1, 2, 2, 3)
    """
    (images,) = ranked("B, height, width, channels", images=images)
    if images.shape[3] not in (1, 3):
        raise ValueError(f"images of shape {images.shape} must have 1 or 3 channels")
    shift, scale = jnp.array(SHIFT, images.dtype), jnp.array(SCALE, images.dtype)
    return (images - shift[None, None, None]) / scale[None, None, None]


def _unit(features: Array) -> Array:
    """Over channels; the offset is the authors'."""
    return features / (jnp.sqrt((features**2).sum(axis=3, keepdims=True)) + 1e-10)
