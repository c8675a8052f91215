"""The U-Net of EDM2, whose layers keep the magnitude of activations, weights and updates.

Karras, Aittala, Lehtinen, Hellsten, Aila, Laine: Analyzing and Improving the Training Dynamics of Diffusion Models,
2023, arXiv 2312.02696, configuration G: figure 21 and table 6.

Against DDPM++: no norms of groups and no biases; weights and pixels are normalised (`magnitude_preserving`), sums and
concatenations are balanced, and attention is that of cosines. The embedding scales the maps and does not shift them.
"""

from dataclasses import dataclass
from typing import Literal

import flax.linen as nn
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.attention import attend
from jaxgen.nets.convolution import mean_pool, upsample_nearest
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.dropout import dropout
from jaxgen.nets.magnitude_preserving import (
    MagnitudePreservingConv,
    MagnitudePreservingDense,
    mp_cat,
    mp_silu,
    mp_sum,
    normalize,
)
from jaxgen.nets.unet.blocks import Resampling, check_maps, check_outputs
from jaxgen.nets.unet.condition import Classes, Condition, only_classes
from jaxgen.nets.unet.embeddings import PhasedFourier, Vectors
from jaxgen.typing import Images, PerExample, Shape


@dataclass(frozen=True)
class EDM2Style:
    """What all blocks of one network have in common."""

    head_features: int = 64  # of each head of attention
    dropout: float = 0.0  # before the last convolution of each block
    balance: float = 0.3  # share of a branch in its sum with the maps, of convolutions and of attention
    limit: float = 256.0  # of activations, for float16 and bfloat16
    dtype: Literal["float32", "bfloat16"] = "float32"


class EDM2Block(nn.Module):
    """Two 3x3 convolutions, between them the embedding; then attention, if any; each summed with the maps in balance.

    On the way down the maps are normalised at each pixel first. "up" doubles the sides first, "down" halves them.
    """

    features: int
    style: EDM2Style = EDM2Style()
    down: bool = True  # whether it is on the way down
    resample: Resampling = "none"
    attends: bool = False
    layer: int = 0  # the number of its dropout in the network

    @nn.compact
    def __call__(self, inputs: Images, embedding: Vectors, mode: Mode = EVALUATION) -> Outputs:
        """(batch, height, width, channels) and (batch, width) to (batch, ..., features)."""
        style = self.style
        hidden = {"none": lambda maps: maps, "up": upsample_nearest, "down": mean_pool}[self.resample](inputs)
        if self.down:
            hidden = normalize(self._shortcut(hidden), (3,))
        branch = MagnitudePreservingConv(self.features, dtype=style.dtype, name="conv_0")(mp_silu(hidden))
        gain = self.param("gain", nn.initializers.zeros, (), jnp.float32)
        told = MagnitudePreservingDense(self.features, dtype=style.dtype, name="embedding")(embedding, gain)
        branch = mp_silu(branch * (told + 1.0)[:, None, None, :])
        branch = dropout(branch, style.dropout, mode, self.layer)
        branch = MagnitudePreservingConv(self.features, dtype=style.dtype, name="conv_1")(branch)
        hidden = mp_sum(hidden if self.down else self._shortcut(hidden), branch, style.balance)
        if self.attends:
            hidden = mp_sum(hidden, self._attention(hidden), style.balance)
        return hidden.clip(-style.limit, style.limit)

    def _shortcut(self, maps: Images) -> Outputs:
        if maps.shape[-1] == self.features:
            return maps
        return MagnitudePreservingConv(self.features, 1, dtype=self.style.dtype, name="shortcut")(maps)

    def _attention(self, maps: Images) -> Outputs:
        """Of the cosines of queries and keys: all three are normalised along the features of a head."""
        batch, rows, columns, channels = maps.shape
        size = self.style.head_features
        require(channels % size == 0, "head_features", size, f"a divisor of {channels} channels")
        hidden = MagnitudePreservingConv(3 * channels, 1, dtype=self.style.dtype, name="queries_keys_values")(maps)
        parts = normalize(hidden.reshape(batch, rows * columns, 3, channels // size, size), (4,))
        hidden = attend(parts[:, :, 0], parts[:, :, 1], parts[:, :, 2]).reshape(maps.shape)
        return MagnitudePreservingConv(channels, 1, dtype=self.style.dtype, name="attended")(hidden)


class EDM2UNet(nn.Module):
    """Noisy images and their times to what is predicted of them; zeros when fresh."""

    channels: int = 128  # times the multipliers; XS 128, S 192, M 256, L 320, XL 384, XXL 448
    multipliers: tuple[int, ...] = (1, 2, 3, 4)  # for each size of maps; the largest first
    blocks: int = 3  # of each size on the way down; one more on the way up
    attention: tuple[int, ...] = (16, 8)  # heights of maps with attention; the first block in the middle has it always
    head_features: int = 64
    dropout: float = 0.0
    bandwidth: float = 1.0  # standard deviation of the frequencies of the time's features
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params and norms are float32
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
            ValueError: sides that do not halve for each size, heights of attention that no maps have, heads that do not
                divide the channels, outputs of another size than the inputs, a condition on augmentation, or dropout
                in training without keys.
        """
        check_maps(inputs.shape[1:], self.multipliers, self.attention)
        check_outputs(inputs.shape, output_shape)
        require(self.blocks >= 1, "blocks", self.blocks, "at least 1")
        dtype = jnp.dtype(self.dtype)
        style = EDM2Style(self.head_features, self.dropout, dtype=self.dtype)
        embedding = self._embedding(times, only_classes(condition))
        kind = nn.remat(EDM2Block) if self.remat else EDM2Block
        layer = 0

        def block(hidden, features, name, *, down, attends=False, resample: Resampling = "none"):
            nonlocal layer
            layer += 1
            return kind(features, style, down, resample, attends, layer - 1, name=name)(hidden, embedding, mode)

        inputs = inputs.astype(dtype)
        hidden = jnp.concatenate([inputs, jnp.ones_like(inputs[..., :1])], axis=-1)
        hidden = MagnitudePreservingConv(self.channels, dtype=self.dtype, name="inputs")(hidden)
        kept, levels = [hidden], [multiplier * self.channels for multiplier in self.multipliers]
        for level, features in enumerate(levels):
            if level > 0:
                hidden = block(hidden, hidden.shape[-1], f"down_{level}", down=True, resample="down")
                kept.append(hidden)
            for i in range(self.blocks):
                attends = hidden.shape[1] in self.attention
                hidden = block(hidden, features, f"down_{level}_{i}", down=True, attends=attends)
                kept.append(hidden)

        hidden = block(hidden, levels[-1], "middle_0", down=False, attends=True)
        hidden = block(hidden, levels[-1], "middle_1", down=False)

        for level, features in reversed(list(enumerate(levels))):
            if level < len(levels) - 1:
                hidden = block(hidden, hidden.shape[-1], f"up_{level}", down=False, resample="up")
            for i in range(self.blocks + 1):
                attends = hidden.shape[1] in self.attention
                hidden = mp_cat(hidden, kept.pop())
                hidden = block(hidden, features, f"up_{level}_{i}", down=False, attends=attends)

        gain = self.param("gain", nn.initializers.zeros, (), jnp.float32)
        last = MagnitudePreservingConv(output_shape[-1], dtype=self.dtype, name="outputs")
        return last(hidden, gain).astype(jnp.float32)

    def _embedding(self, times: PerExample, classes: Classes | None) -> Vectors:
        """Of the time, in balance with that of the class; one-hot rows times sqrt(classes) have the mean square 1.

        No class, a row of zeros, leaves sqrt(1/2) of the time's vector: as the authors have it.
        """
        width = self.channels * max(self.multipliers)
        features = PhasedFourier(self.bandwidth)(times, self.channels * self.multipliers[0])
        hidden = MagnitudePreservingDense(width, self.dtype, name="time")(features)
        if classes is not None:
            rows = classes * classes.shape[1] ** 0.5
            told = MagnitudePreservingDense(width, self.dtype, name="classes")(rows)
            hidden = mp_sum(hidden, told)
        return mp_silu(hidden)
