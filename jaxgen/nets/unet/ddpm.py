"""The U-Net of DDPM, and with other settings that of improved DDPM.

Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models, 2020, arXiv 2006.11239, appendix B and the authors' code.
Nichol, Dhariwal: Improved Denoising Diffusion Probabilistic Models, 2021, arXiv 2102.09672.

    UNet()                                                      32x32, CIFAR-10
    UNet(multipliers=(1, 1, 2, 2, 4, 4), dropout=0.0)           256x256
    UNet(32, (1, 2, 2), attention=(14,))                        28x28, a small one
    IMPROVED, IMPROVED.clone(multipliers=(1, 2, 3, 4), dropout=0.0)    32x32; 64x64, both with a learned variance

Each size of maps has `blocks` residual blocks and then, but for the smallest, a convolution of stride 2; all results
are kept, and on the way back each is appended to the input of one residual block.

In the code of improved DDPM, with the same parameters, strided convolutions pad on both sides, norms add 1e-5 to the
variance, the last layers begin at 0, and the others as PyTorch begins them.
"""

import itertools
from collections.abc import Callable
from typing import Any, Literal

import flax.linen as nn
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.convolution_layers import Conv, UpsampleConv
from jaxgen.nets.unet.blocks import (
    GLOROT,
    NEARLY_ZERO,
    AttentionBlock,
    GroupNorm,
    ResidualBlock,
    Style,
    check_maps,
    check_outputs,
)
from jaxgen.nets.unet.condition import Classes, Condition, only_classes
from jaxgen.nets.unet.embeddings import Features, Sinusoid, TimeEmbedding
from jaxgen.typing import Images, PerExample, Shape


class UNet(nn.Module):
    """Noisy images and their times to what is predicted of them."""

    channels: int = 128  # of the largest maps
    multipliers: tuple[int, ...] = (1, 2, 2, 2)  # of the channels, for each size of maps; the largest first
    blocks: int = 2  # residual blocks of each size on the way down; one more on the way up
    attention: tuple[int, ...] = (16,)  # heights of maps with attention; those in the middle have it always
    heads: int = 1
    dropout: float = 0.1
    scale_shift: bool = False  # the embedding scales and shifts norms, else it is added
    features: Features = Sinusoid()  # of the time
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params, norms and softmax are float32
    remat: bool = False  # compute blocks again in the backward pass, for less memory

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
        """(batch, height, width, channels), (batch,), classes or None to (batch, *output_shape), float32.

        Raises:
            ValueError: sides that do not halve for each size, heights of attention that no maps have, outputs of
                another size than the inputs, a condition on the augmentation, or dropout in training without keys.
        """
        check_maps(inputs.shape[1:], self.multipliers, self.attention)
        check_outputs(inputs.shape, output_shape)
        require(self.blocks >= 1, "blocks", self.blocks, "at least 1")
        style = Style(self.dropout, self.scale_shift, dtype=self.dtype)
        told = TimeEmbedding(self.features, self.channels, 4 * self.channels, self.dtype, name="time")
        embedding = told(times, only_classes(condition))
        residual = nn.remat(ResidualBlock) if self.remat else ResidualBlock
        attentive = nn.remat(AttentionBlock) if self.remat else AttentionBlock
        numbers = itertools.count()

        def block(hidden: Images, features: int, name: str, *, attends: bool) -> Outputs:
            hidden = residual(features, style, layer=next(numbers), name=name)(hidden, embedding, mode)
            return attentive(style, self.heads, name=f"{name}_attention")(hidden) if attends else hidden

        return down_and_up(self, inputs, block, output_shape)


def down_and_up(net: Any, inputs: Images, block: Callable[..., Outputs], output_shape: Shape) -> Outputs:
    """The way through the sizes of maps, to be called inside a compact module.

    Args:
        net: a network with the settings `channels`, `multipliers`, `blocks`, `attention` and `dtype` of `UNet`.
        inputs: images.
        block: `(maps, features, name, *, attends)` to maps of as many features.
        output_shape: of one result, which is float32.
    """
    dtype = jnp.dtype(net.dtype)
    hidden = Conv(net.channels, 3, dtype=dtype, kernel_init=GLOROT, name="inputs")(inputs.astype(dtype))
    kept = [hidden]
    levels = [multiplier * net.channels for multiplier in net.multipliers]
    for level, features in enumerate(levels):
        for i in range(net.blocks):
            hidden = block(hidden, features, f"down_{level}_{i}", attends=hidden.shape[1] in net.attention)
            kept.append(hidden)
        if level < len(levels) - 1:
            down = Conv(features, 3, strides=2, dtype=dtype, kernel_init=GLOROT, name=f"down_{level}")
            hidden = down(hidden)
            kept.append(hidden)

    hidden = block(hidden, levels[-1], "middle_0", attends=True)
    hidden = block(hidden, levels[-1], "middle_1", attends=False)

    for level, features in reversed(list(enumerate(levels))):
        for i in range(net.blocks + 1):
            hidden = jnp.concatenate([hidden, kept.pop()], axis=-1)
            hidden = block(hidden, features, f"up_{level}_{i}", attends=hidden.shape[1] in net.attention)
        if level > 0:
            hidden = UpsampleConv(features, 3, dtype=dtype, kernel_init=GLOROT, name=f"up_{level}")(hidden)

    last = Conv(output_shape[-1], 3, dtype=dtype, kernel_init=NEARLY_ZERO, name="outputs")
    return last(GroupNorm(name="norm")(hidden)).astype(jnp.float32)


IMPROVED = UNet(
    blocks=3,
    attention=(16, 8),
    heads=4,
    dropout=0.3,
    scale_shift=True,
    features=Sinusoid(endpoint=False, cosines_first=True),
)
"""Improved DDPM for CIFAR-10; asked for twice the channels of an image, for a mean and a variance."""
