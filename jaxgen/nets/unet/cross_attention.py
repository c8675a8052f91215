"""The U-Net of latent diffusion, which attends to a text.

Rombach, Blattmann, Lorenz, Esser, Ommer: High-Resolution Image Synthesis with Latent Diffusion Models, 2021, arXiv
2112.10752, and the authors' code. It is DDPM's with a spatial transformer in place of each attention block.

    STABLE_DIFFUSION                          Stable Diffusion 1: latents of 64x64, contexts of width 768
    CrossAttentionUNet(64, (1, 2), 1, attention=(8, 4), heads=4)      latents of 8x8, a small one
"""

import itertools
from typing import Literal

import flax.linen as nn

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.spatial_transformer import SpatialTransformer
from jaxgen.nets.text.context import Context
from jaxgen.nets.unet.blocks import ResidualBlock, Style, check_maps, check_outputs
from jaxgen.nets.unet.ddpm import down_and_up
from jaxgen.nets.unet.embeddings import Features, Sinusoid, TimeEmbedding
from jaxgen.typing import Images, PerExample, Shape


class CrossAttentionUNet(nn.Module):
    """Noisy images, their times and the contexts of their captions to what is predicted of them."""

    channels: int = 320  # of the largest maps
    multipliers: tuple[int, ...] = (1, 2, 4, 4)  # of the channels, for each size of maps; the largest first
    blocks: int = 2  # residual blocks of each size on the way down; one more on the way up
    attention: tuple[int, ...] = (64, 32, 16)  # heights of maps with attention; those in the middle have it always
    heads: int = 8
    depth: int = 1  # blocks of each spatial transformer
    dropout: float = 0.0
    features: Features = Sinusoid(endpoint=False, cosines_first=True)  # of the time
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params, norms and softmax are float32
    remat: bool = False  # compute blocks again in the backward pass, for less memory

    @nn.compact
    def __call__(
        self,
        inputs: Images,
        times: PerExample,
        condition: Context,
        output_shape: Shape,
        *,
        mode: Mode = EVALUATION,
    ) -> Outputs:
        """(batch, height, width, channels), (batch,), a context to (batch, *output_shape), float32.

        Raises:
            ValueError: sides that do not halve for each size, heights of attention that no maps have, outputs of
                another size than the inputs, or dropout in training without keys.
        """
        check_maps(inputs.shape[1:], self.multipliers, self.attention)
        check_outputs(inputs.shape, output_shape)
        require(self.blocks >= 1, "blocks", self.blocks, "at least 1")
        style = Style(self.dropout, dtype=self.dtype)
        told = TimeEmbedding(self.features, self.channels, 4 * self.channels, self.dtype, name="time")
        embedding = told(times)
        residual = nn.remat(ResidualBlock) if self.remat else ResidualBlock
        attentive = nn.remat(SpatialTransformer) if self.remat else SpatialTransformer
        numbers = itertools.count()

        def block(hidden: Images, features: int, name: str, *, attends: bool) -> Outputs:
            hidden = residual(features, style, layer=next(numbers), name=name)(hidden, embedding, mode)
            transformer = attentive(self.heads, self.depth, self.dtype, name=f"{name}_attention")
            return transformer(hidden, condition) if attends else hidden

        return down_and_up(self, inputs, block, output_shape)


STABLE_DIFFUSION = CrossAttentionUNet()
"""Stable Diffusion 1, for images of 512x512."""
