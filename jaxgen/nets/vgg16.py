"""The first maps of VGG-16, which perceptual and style losses compare.

Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014, arXiv 1409.1556,
configuration D, up to its third pooling. Weights are not here: with random ones the maps are features too, but poorer.
"""

from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.partial_convolution import HE
from jaxgen.typing import Images, Shape

MEAN, STDDEV = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's channels in [0, 1], by which the images are normalised."""


def normalized(images: Images) -> jax.Array:
    """RGB images in [-1, 1] to the inputs of networks that were trained on ImageNet. ValueError for other channels."""
    require(images.shape[3] == 3, "channels of the images", images.shape[3], "3, as RGB")
    mean, stddev = (jnp.array(values)[None, None, None] for values in (MEAN, STDDEV))
    return ((images + 1) / 2 - mean) / stddev


class VGG16Maps(nn.Module):
    """3x3 convolutions and ReLUs in blocks, each of twice the channels, and a pooling of the largest behind each."""

    channels: int = 64  # of the first block
    convolutions: tuple[int, ...] = (2, 2, 3)  # of each block
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> tuple[jax.Array, ...]:
        """RGB images in [-1, 1] to the maps behind each pooling, float32, the largest first.

        Raises:
            ValueError: another output shape than `()`, or images without three channels.
        """
        require(output_shape == (), "output_shape", output_shape, "(): the maps follow from the images")
        hidden, maps = normalized(images).astype(self.dtype), []
        for level, num in enumerate(self.convolutions):
            for _ in range(num):
                convolve = Conv(self.channels << level, 3, dtype=jnp.dtype(self.dtype), kernel_init=HE)
                hidden = nn.relu(convolve(hidden))
            hidden = nn.max_pool(hidden, (2, 2), (2, 2))
            maps.append(hidden.astype(jnp.float32))
        return tuple(maps)
