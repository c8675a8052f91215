"""DDPM++, the U-Net of EDM for CIFAR-10.

Song, Sohl-Dickstein, Kingma, Kumar, Ermon, Poole: Score-Based Generative Modeling through Stochastic Differential
Equations, 2021, arXiv 2011.13456, as in the code of Karras, Aittala, Aila, Laine: Elucidating the Design Space of
Diffusion-Based Generative Models, 2022, arXiv 2206.00364, appendix F.

Against DDPM: residual blocks change the size themselves, each sum is scaled by sqrt(1/2), of the blocks on the way up
only the last of a size attends, and class and augmentation enter before the dense layers of the embedding.
"""

import itertools
import math
from typing import Literal

import flax.linen as nn
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.unet.blocks import (
    GLOROT,
    NEARLY_ZERO,
    AttentionBlock,
    GroupNorm,
    Resampling,
    ResidualBlock,
    Style,
    check_maps,
    check_outputs,
)
from jaxgen.nets.unet.condition import Classes, Condition, as_condition
from jaxgen.nets.unet.embeddings import Features, Sinusoid, Vectors
from jaxgen.typing import Images, PerExample, Shape


class DDPMPlusPlus(nn.Module):
    """Noisy images and their times to what is predicted of them."""

    channels: int = 128  # times the multipliers
    multipliers: tuple[int, ...] = (2, 2, 2)  # for each size of maps; the largest first
    blocks: int = 4  # residual blocks of each size on the way down; one more on the way up
    attention: tuple[int, ...] = (16,)  # heights of maps with attention; those in the middle have it always
    heads: int = 1
    dropout: float = 0.13
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
        """(batch, height, width, channels), (batch,), a condition or None to (batch, *output_shape), float32.

        Raises:
            ValueError: sides that do not halve for each size, heights of attention that no maps have, outputs of
                another size than the inputs, or dropout in training without keys.
        """
        check_maps(inputs.shape[1:], self.multipliers, self.attention)
        check_outputs(inputs.shape, output_shape)
        require(self.blocks >= 1, "blocks", self.blocks, "at least 1")
        dtype = jnp.dtype(self.dtype)
        style = Style(
            self.dropout, residual_scale=math.sqrt(0.5), attention_variance=0.2, projected=True, dtype=self.dtype
        )
        embedding = self._embedding(times, as_condition(condition))
        residual = nn.remat(ResidualBlock) if self.remat else ResidualBlock
        attentive = nn.remat(AttentionBlock) if self.remat else AttentionBlock
        numbers = itertools.count()

        def block(hidden, features, name, *, attends=False, resample: Resampling = "none"):
            hidden = residual(features, style, resample, next(numbers), name=name)(hidden, embedding, mode)
            return attentive(style, self.heads, name=f"{name}_attention")(hidden) if attends else hidden

        hidden = Conv(self.channels, 3, dtype=dtype, kernel_init=GLOROT, name="inputs")(inputs.astype(dtype))
        kept = [hidden]
        levels = [multiplier * self.channels for multiplier in self.multipliers]
        for level, features in enumerate(levels):
            if level > 0:
                hidden = block(hidden, hidden.shape[-1], f"down_{level}", resample="down")
                kept.append(hidden)
            for i in range(self.blocks):
                hidden = block(hidden, features, f"down_{level}_{i}", attends=hidden.shape[1] in self.attention)
                kept.append(hidden)

        hidden = block(hidden, levels[-1], "middle_0", attends=True)
        hidden = block(hidden, levels[-1], "middle_1")

        for level, features in reversed(list(enumerate(levels))):
            if level < len(levels) - 1:
                hidden = block(hidden, hidden.shape[-1], f"up_{level}", resample="up")
            for i in range(self.blocks + 1):
                hidden = jnp.concatenate([hidden, kept.pop()], axis=-1)
                attends = i == self.blocks and hidden.shape[1] in self.attention
                hidden = block(hidden, features, f"up_{level}_{i}", attends=attends)

        last = Conv(output_shape[-1], 3, dtype=dtype, kernel_init=NEARLY_ZERO, name="outputs")
        return last(GroupNorm(name="norm")(hidden)).astype(jnp.float32)

    def _embedding(self, times: PerExample, condition: Condition) -> Vectors:
        """Features of the time, plus a vector of the class and one of the augmentation; twice dense and swish.

        One-hot rows are multiplied by sqrt(classes), which gives them the variance 1 of white noise.
        """
        dtype = jnp.dtype(self.dtype)
        hidden = self.features(times, self.channels).astype(dtype)
        if condition.classes is not None:
            rows = condition.classes.astype(dtype) * math.sqrt(condition.classes.shape[1])
            hidden = hidden + nn.Dense(self.channels, dtype=dtype, kernel_init=GLOROT, name="classes")(rows)
        if condition.augmentation is not None:
            layer = nn.Dense(self.channels, use_bias=False, dtype=dtype, kernel_init=GLOROT, name="augmentation")
            hidden = hidden + layer(condition.augmentation.astype(dtype))
        for i in range(2):
            hidden = nn.swish(nn.Dense(4 * self.channels, dtype=dtype, kernel_init=GLOROT, name=f"time_{i}")(hidden))
        return hidden
