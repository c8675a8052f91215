"""The diffusion transformer: patches of an image as tokens, told time and class by the scales of its norms.

Peebles, Xie: Scalable Diffusion Models with Transformers, 2022, arXiv 2212.09748, and the authors' code (adaLN-Zero).

Each patch of p x p pixels is a token, h = W x + P, P being fixed sines and cosines of its place. With c the embedding
of time and class, each block has (b_1, s_1, g_1, b_2, s_2, g_2) = W SiLU(c) and computes

    h = h + g_1 Attention((1 + s_1) LN(h) + b_1),
    h = h + g_2 MLP((1 + s_2) LN(h) + b_2)                                                                (1)

with norms that have no weights of their own. All scales, offsets and gates, and the last layer, begin at 0, so that
each block begins as h -> h and the network as 0.

    EXTRA_LARGE                                 XL/2 of the paper, for latents of 32x32x4
    DiT(192, 6, 3, patch=4)                     28x28, a small one

The authors' table of classes has a row more, for no class. Here no class is a row of zeros, and that row's part is the
bias of the embedded time. A span of time, if told, has an embedding beside that of the time.
"""

from typing import Literal

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.attention import attend
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.initializers import Initializer, Normal
from jaxgen.nets.unet.blocks import GLOROT, check_outputs
from jaxgen.nets.unet.condition import Classes, Condition, classes_and_span
from jaxgen.nets.unet.embeddings import Features, Sinusoid, TimeEmbedding, Vectors
from jaxgen.nets.unet.patches import from_patches, to_patches
from jaxgen.typing import Images, PerExample, Shape

SINUSOIDS = 256
"""Numbers of the time, before its dense layers."""

EMBEDDINGS: Initializer = Normal(0.02)
"""Of the dense layers of time and class."""


def places(rows: int, columns: int, width: int) -> Float[np.ndarray, "tokens width"]:
    """P, row by row: half of the features tell the column, half the row, each by sines, then cosines.

    >>> places(1, 2, 8).round(2)[1]
    array([0.84, 0.01, 0.54, 1.  , 0.  , 0.  , 1.  , 1.  ], dtype=float32)
    """
    frequencies = 10_000.0 ** -(np.arange(width // 4) / (width // 4))

    def waves(positions: np.ndarray) -> np.ndarray:
        angles = positions.reshape(-1, 1) * frequencies
        return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)

    row, column = np.mgrid[:rows, :columns]
    return np.concatenate([waves(column), waves(row)], axis=1).astype(np.float32)


class AdaptiveNorm(nn.Module):
    """(1 + s) LN(h) + b in float32: layer normalisation whose scale and offset are told, one for each example."""

    @nn.compact
    def __call__(
        self,
        tokens: Float[Array, "batch tokens width"],
        offset: Float[Array, "batch width"],
        scale: Float[Array, "batch width"],
    ) -> Float[Array, "batch tokens width"]:
        """The type and the shape of the tokens."""
        norm = nn.LayerNorm(epsilon=1e-6, use_bias=False, use_scale=False, use_fast_variance=False)
        told = (each.astype(jnp.float32)[:, None, :] for each in (offset, scale))
        shift, factor = told
        return ((1 + factor) * norm(tokens.astype(jnp.float32)) + shift).astype(tokens.dtype)


class AdaptiveBlock(nn.Module):
    """Equation 1."""

    heads: int
    dtype: Literal["float32", "bfloat16"] = "float32"

    @nn.compact
    def __call__(
        self, tokens: Float[Array, "batch tokens width"], embedding: Vectors
    ) -> Float[Array, "batch tokens width"]:
        """The shape of the tokens; `embedding` is SiLU(c)."""
        batch, num, width = tokens.shape
        dtype = jnp.dtype(self.dtype)
        told = nn.Dense(6 * width, dtype=dtype, kernel_init=nn.initializers.zeros, name="told")(embedding)
        offset, scale, gate, offset_2, scale_2, gate_2 = jnp.split(told, 6, axis=1)

        hidden = AdaptiveNorm()(tokens, offset, scale)
        hidden = nn.Dense(3 * width, dtype=dtype, kernel_init=GLOROT, name="queries_keys_values")(hidden)
        heads = (batch, num, self.heads, width // self.heads)
        queries, keys, values = (part.reshape(heads) for part in jnp.split(hidden, 3, axis=2))
        hidden = attend(queries, keys, values).reshape(batch, num, width)
        hidden = nn.Dense(width, dtype=dtype, kernel_init=GLOROT, name="outputs")(hidden)
        tokens = tokens + gate[:, None, :] * hidden

        hidden = AdaptiveNorm()(tokens, offset_2, scale_2)
        hidden = nn.Dense(4 * width, dtype=dtype, kernel_init=GLOROT, name="dense_0")(hidden)
        hidden = nn.Dense(width, dtype=dtype, kernel_init=GLOROT, name="dense_1")(nn.gelu(hidden, approximate=True))
        return tokens + gate_2[:, None, :] * hidden


class DiT(nn.Module):
    """Noisy images and their times to what is predicted of them."""

    width: int = 1152  # of a token
    blocks: int = 28
    heads: int = 16
    patch: int = 2  # pixels of its side
    features: Features = Sinusoid(endpoint=False, cosines_first=True)  # of the time
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
            ValueError: sides that do not divide into patches, outputs of another size than the inputs, a condition on
                the augmentation, or a width that does not divide into heads and four kinds of waves.
        """
        sides, patch, dtype = inputs.shape[1:3], self.patch, jnp.dtype(self.dtype)
        check_outputs(inputs.shape, output_shape)
        require(self.blocks >= 1, "blocks", self.blocks, "at least 1")
        fits = patch >= 1 and all(side % patch == 0 for side in sides)
        require(fits, "patch", patch, f"1 or more, and a divisor of the sides {sides} of images")
        fits = self.heads >= 1 and self.width >= 4 and self.width % self.heads == self.width % 4 == 0
        require(fits, "width", self.width, f"a multiple of 4 and of {self.heads} heads")
        patches = to_patches(inputs.astype(dtype), patch)
        _, rows, columns, numbers = patches.shape
        tokens = patches.reshape(-1, rows * columns, numbers)
        hidden = nn.Dense(self.width, dtype=dtype, kernel_init=GLOROT, name="inputs")(tokens)
        hidden = hidden + jnp.asarray(places(rows, columns, self.width), dtype)[None]
        told = TimeEmbedding(self.features, SINUSOIDS, self.width, self.dtype, EMBEDDINGS, name="time")
        embedding = told(times, *classes_and_span(condition))

        block = nn.remat(AdaptiveBlock) if self.remat else AdaptiveBlock
        for number in range(self.blocks):
            hidden = block(self.heads, self.dtype, name=f"block_{number}")(hidden, embedding)

        zeros = nn.initializers.zeros
        last = nn.Dense(2 * self.width, dtype=dtype, kernel_init=zeros, name="told")(embedding)
        hidden = AdaptiveNorm(name="norm")(hidden, *jnp.split(last, 2, axis=1))
        outputs = nn.Dense(patch**2 * output_shape[-1], dtype=dtype, kernel_init=zeros, name="outputs")(hidden)
        return from_patches(outputs.reshape(-1, rows, columns, outputs.shape[-1]), patch).astype(jnp.float32)


SMALL, BASE = DiT(384, 12, 6), DiT(768, 12, 12)
LARGE, EXTRA_LARGE = DiT(1024, 24, 16), DiT()
"""S/2, B/2, L/2 and XL/2 of the paper; `.clone(patch=4)` for /4."""
