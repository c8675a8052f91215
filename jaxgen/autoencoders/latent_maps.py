"""An encoder of images to maps of latents, each Gaussian, and its decoder, as models of latent diffusion apply them.

Settings have `encoder`, `decoder`, `halvings` and `latent_channels`: those of a model's config, or a `Compressed`. The
variables have the parts "encoder" and "decoder".
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp

from jaxgen.autoencoders.bounds import LOGVAR_RANGE
from jaxgen.checks import NonNegativeInt, PositiveInt, require, require_bounds
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.kl_autoencoder import LatentDecoder, LatentEncoder
from jaxgen.train_state import apply, blank
from jaxgen.typing import Images, Points, Shape, Variables


class Posterior(NamedTuple):
    """q(z|x): N(mean, diag(exp(logvar))) for each image."""

    mean: Points
    logvar: Points  # within LOGVAR_RANGE


@dataclass(frozen=True)
class Compressed:
    """The networks of a trained autoencoder; the defaults are those of Stable Diffusion 1."""

    encoder: nn.Module = LatentEncoder()
    decoder: nn.Module = LatentDecoder()
    halvings: NonNegativeInt = 3  # height and width of the latents are the image's over 2^halvings
    latent_channels: PositiveInt = 4

    def __post_init__(self):
        require_bounds(self)


def latent_shape(settings: Any, image_shape: Shape) -> Shape:
    """Height, width and channels of the latents of an image. ValueError for images that do not halve so often."""
    height, width, _ = image_shape
    factor = 1 << settings.halvings
    fits, cure = (
        height % factor == width % factor == 0,
        f"a multiple of {factor}x{factor} for {settings.halvings} halvings",
    )
    require(fits, "size of images", f"{height}x{width}", cure)
    return height // factor, width // factor, settings.latent_channels


def parts(settings: Any, image_shape: Shape) -> dict[str, tuple[Any, ...]]:
    """Encoder and decoder as `create_parts` and `freeze_parts` take them."""
    shape = latent_shape(settings, image_shape)
    return {
        "encoder": (settings.encoder, blank(image_shape), _both(shape)),
        "decoder": (settings.decoder, blank(shape), image_shape),
    }


def encode(settings: Any, variables: Variables, images: Images, mode: Mode = EVALUATION) -> tuple[Posterior, Variables]:
    """q(z|x), and the variables after the pass."""
    shape = _both(latent_shape(settings, images.shape[1:]))
    outputs, variables = apply(settings.encoder, variables, images, shape, mode=mode.stream(0), part="encoder")
    mean, logvar = jnp.split(outputs, 2, axis=-1)
    return Posterior(mean, jnp.clip(logvar, *LOGVAR_RANGE)), variables


def decode(
    settings: Any, variables: Variables, latents: Points, image_shape: Shape, mode: Mode = EVALUATION
) -> tuple[Images, Variables]:
    """The image of each map of latents, without bounds, and the variables after the pass."""
    return apply(settings.decoder, variables, latents, image_shape, mode=mode.stream(1), part="decoder")


def draw(posterior: Posterior, noise: Points) -> Points:
    """z = mean + exp(logvar / 2) noise, the noise from N(0, I)."""
    return posterior.mean + jnp.exp(posterior.logvar / 2) * noise


def _both(shape: Shape) -> Shape:
    """Of a mean and of a logarithm of the variance."""
    return (*shape[:2], 2 * shape[2])
