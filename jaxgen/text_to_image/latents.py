"""Latents of a frozen autoencoder, or pixels in their place, as a diffusion model of texts has them.

A config has `autoencoder`, `image_shape` and `value_range`; its state has the frozen part `autoencoder` and the factor
`scale`, by which latents are multiplied.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from jaxgen.autoencoders import latent_maps
from jaxgen.autoencoders.latent_maps import Compressed, latent_shape
from jaxgen.checks import PositiveFloat, require_bounds
from jaxgen.images import clip
from jaxgen.parallel import pmean
from jaxgen.priors import normal_noise
from jaxgen.train_state import Frozen, freeze_parts
from jaxgen.typing import AxisName, Images, Key, Points, Scalar, Shape

AUTOENCODER = "autoencoder"
"""Name of the frozen part."""


@dataclass(frozen=True)
class Pixels:
    """No autoencoder: the latents are the images."""


Autoencoder: TypeAlias = Compressed | Pixels
"""What latents are, as a setting that the command line can name."""


@dataclass(frozen=True)
class Factor:
    """Latents are multiplied by a number."""

    factor: PositiveFloat = 0.18215  # Stable Diffusion's

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class FirstBatch:
    """Latents are divided by the standard deviation of those of the first batch: arXiv 2112.10752, appendix G."""


Scale: TypeAlias = Factor | FirstBatch
"""How latents are brought to a deviation of about 1."""


def shape_of(config: Any) -> Shape:
    """Of one latent. ValueError for images that do not halve as often as the autoencoder halves them."""
    if isinstance(config.autoencoder, Pixels):
        return config.image_shape
    return latent_shape(config.autoencoder, config.image_shape)


def process(config: Any) -> Any:
    """The settings of the same model as one of the latents themselves, which are data without bounds."""
    if isinstance(config.autoencoder, Pixels):
        return config
    changes = {"image_shape": shape_of(config), "value_range": None, "autoencoder": Pixels(), "scale": Factor(1.0)}
    return dataclasses.replace(config, **changes)


def create_autoencoder(config: Any, key: Key) -> Frozen | None:
    """Random weights of the autoencoder, to be replaced by trained ones; None for pixels."""
    if isinstance(config.autoencoder, Pixels):
        return None
    return freeze_parts(latent_maps.parts(config.autoencoder, config.image_shape), AUTOENCODER, key)


def encode(config: Any, autoencoder: Frozen | None, images: Images, key: Key, axis_name: AxisName = None) -> Points:
    """Latents drawn from the posterior of each image, not scaled; the images where there is no autoencoder."""
    if autoencoder is None:
        return images
    posterior, _ = latent_maps.encode(config.autoencoder, autoencoder.variables, images)
    return latent_maps.draw(posterior, normal_noise(shape_of(config), key, images.shape[0], axis_name))


def decode(config: Any, state: Any, latents: Points) -> Points:
    """The image of each scaled latent, clipped to the value range."""
    images = latents
    if state.autoencoder is not None:
        maps, variables = latents / state.scale, state.autoencoder.variables
        images, _ = latent_maps.decode(config.autoencoder, variables, maps, config.image_shape)
    return clip(images, config.value_range)


def factor_of(latents: Points, axis_name: AxisName = None) -> Scalar:
    """1 / the standard deviation of all numbers of a batch.

    >>> print(factor_of(jnp.array([[1.0, 5.0]])))
    0.5
    """
    mean = pmean(latents.mean(), axis_name)
    variance = pmean(((latents - mean) ** 2).mean(), axis_name)
    return jax.lax.rsqrt(jnp.maximum(variance, 1e-12))
