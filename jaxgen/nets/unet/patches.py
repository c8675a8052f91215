"""A denoiser on patches: its maps are smaller than the images, and have as many times more channels."""

import flax.linen as nn
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.unet.condition import Classes, Condition
from jaxgen.typing import Images, PerExample, Shape


class Patched(nn.Module):
    """The network sees each patch of `size` x `size` pixels as one place, and gives one as it gives a place.

    Every layer then costs size^2 times less, for maps of the same width. Peebles, Xie: DiT, 2022, arXiv 2212.09748, and
    Hoogeboom, Heek, Salimans: simple diffusion, 2023, arXiv 2301.11093, section 3.2.
    """

    net: nn.Module  # a denoiser
    size: int = 2

    @nn.compact
    def __call__(
        self,
        inputs: Images,
        times: PerExample,
        condition: Condition | Classes | None,
        output_shape: Shape,
        *,
        mode: Mode = EVALUATION,
    ) -> Outputs:
        """(batch, height, width, channels), (batch,), classes or None to (batch, *output_shape).

        Raises:
            ValueError: sides that do not divide into patches, outputs of other sides than the inputs.
        """
        sides, size = inputs.shape[1:3], self.size
        require(size >= 1, "size", size, "at least 1")
        require(all(side % size == 0 for side in sides), "shape of inputs", sides, f"sides that {size} divides")
        require(output_shape[:2] == sides, "output_shape", output_shape, f"of sides {sides}, as the inputs")
        height, width = (side // size for side in sides)
        shape = (height, width, size**2 * output_shape[-1])
        outputs = self.net(to_patches(inputs, size), times, condition, shape, mode=mode)
        return from_patches(outputs, size)


def to_patches(
    images: Float[Array, "batch height width channels"], size: int
) -> Float[Array, "batch rows columns patch_channels"]:
    """(B, H, W, C) to (B, H / size, W / size, size^2 C): row, column, then channel of a pixel in its patch."""
    batch, height, width, channels = images.shape
    patches = images.reshape(batch, height // size, size, width // size, size, channels)
    return patches.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height // size, width // size, size**2 * channels)


def from_patches(
    patches: Float[Array, "batch rows columns patch_channels"], size: int
) -> Float[Array, "batch height width channels"]:
    """The images of which `to_patches` makes these."""
    batch, rows, columns, channels = patches.shape
    pixels = patches.reshape(batch, rows, columns, size, size, channels // size**2)
    return pixels.transpose(0, 1, 3, 2, 4, 5).reshape(batch, rows * size, columns * size, channels // size**2)
