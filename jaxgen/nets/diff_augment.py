"""Images as a discriminator sees them, real and fake alike, transformed at random and differentiably.

Zhao, Liu, Lin, Zhu, Han: Differentiable Augmentation for Data-Efficient GAN Training, 2020, arXiv 2006.10738.

In training the discriminator meets T(x) and T(G(z)) alone, in its own step and in the generator's, whose gradient flows
through T. With few images it can then not learn them by heart. Transforming the real images alone would make T's
images the generator's aim. The numbers are for images in [-1, 1].
"""

import math
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.augmentations import Steps, brighten, contrast, cut_out, require_images, saturate, translate
from jaxgen.checks import require
from jaxgen.mode import EVALUATION, ExampleKeys, Mode, fold
from jaxgen.typing import Images, Shape

STREAM = 2**31 - 2
"""The number that sets its keys apart from those of dropout layers, which count from 0, and of `InstanceNoise`."""


class Transformations(NamedTuple):
    """What is drawn for each image."""

    colors: Float[Array, "batch 3"]  # brightness, saturation and contrast, uniform in [0, 1)
    steps: Steps  # of the translation
    centres: Steps  # of the square that is cut out


class DiffAugment(nn.Module):
    """In training D(T(x), ...), T drawn for each image; else D(x, ...)."""

    opponent: nn.Module  # a discriminator or critic; linen keeps this name from all that shares its scope
    color: bool = True  # brightness, saturation and contrast
    translation: float = 0.125  # largest shift, as a share of the side; 0 for none
    cutout: float = 0.5  # side of the square that is set to 0, as a share of the image's; 0 for none

    def setup(self):
        """Join the scope of the network."""
        nn.share_scope(self, self.opponent)  # the variables are those of the network alone

    def __call__(self, inputs: jax.Array, *others: Any, mode: Mode = EVALUATION) -> Any:
        """The discriminator's outputs for its own inputs, of which the first, images, are transformed.

        Raises:
            ValueError: in training without keys, or for inputs that are no images.
        """
        require(0 <= self.translation <= 1, "translation", self.translation, "in [0, 1]")
        require(0 <= self.cutout <= 1, "cutout", self.cutout, "in [0, 1]")
        if mode.train:
            require_images(inputs, "DiffAugment")
            keys = fold(mode.example_keys("differentiable augmentation"), STREAM)
            inputs = self.transformed(inputs, self.drawn(inputs.shape[1:], keys))
        return self.opponent(inputs, *others, mode=mode)

    def drawn(self, image_shape: Shape, keys: ExampleKeys) -> Transformations:
        """The transformations of images of a shape, one for each key."""
        farthest, sides = (_share(image_shape, share) for share in (self.translation, self.cutout))
        ends = jnp.array([size - side % 2 for size, side in zip(image_shape[:2], sides, strict=True)], jnp.int32)
        reach = jnp.array(farthest, jnp.int32)

        def draw(key: jax.Array) -> Transformations:
            of_colors, of_steps, of_centres = jax.random.split(key, 3)
            steps = jax.random.randint(of_steps, (2,), -reach, reach + 1)
            centres = jax.random.randint(of_centres, (2,), 0, ends + 1)
            return Transformations(jax.random.uniform(of_colors, (3,)), steps, centres)

        return jax.vmap(draw)(keys)

    def transformed(self, images: Images, drawn: Transformations) -> Images:
        """T(x): colours first, then the translation, then the square."""
        if self.color:
            brightness, saturation, contrasts = jnp.moveaxis(drawn.colors, 1, 0)
            images = brighten(images, brightness - 0.5)  # U(-1/2, 1/2)
            images = saturate(images, 2.0 * saturation)  # U(0, 2)
            images = contrast(images, contrasts + 0.5)  # U(1/2, 3/2)
        if self.translation > 0:
            images = translate(images, drawn.steps, _share(images.shape[1:], self.translation))
        if self.cutout > 0:
            images = cut_out(images, drawn.centres, _share(images.shape[1:], self.cutout))
        return images


def _share(image_shape: Shape, share: float) -> tuple[int, int]:
    """So many rows and columns, to the nearest number."""
    height, width = (math.floor(size * share + 0.5) for size in image_shape[:2])
    return height, width
