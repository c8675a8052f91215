"""A transformer over grids of codes: a distribution over them, one position after the other.

Esser, Rombach, Ommer: Taming Transformers for High-Resolution Image Synthesis (VQGAN), 2020, arXiv 2012.09841, section
3.2, and the authors' code, after minGPT:

    p(c) = product over i of p(c_i | c_0, ..., c_(i-1)), i in raster order: row by row, from left to right.

Position i gets the code before it, the first one a learned start, and attends to the positions up to its own. Blocks
are those of `jaxgen.nets.text.transformer`. It stands where a `PixelCNN` does: that one sees near codes more easily,
this one far ones.

    CodeTransformer()                                     a small one
    CodeTransformer(width=1024, blocks=24, heads=16)      the authors', for faces of 256x256 by 16x16 of 1024 codes
"""

from typing import Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.pixelcnn import Grid
from jaxgen.nets.text.transformer import EMBEDDING, LayerNorm, TransformerBlock
from jaxgen.typing import Shape


class CodeTransformer(nn.Module):
    """Codes to the logits of each, given those before it in raster order."""

    width: int = 128  # of a token
    blocks: int = 4
    heads: int = 4
    dropout: float = 0.0  # of what each layer adds
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params, norms and softmax are float32

    @nn.compact
    def __call__(
        self, codes: Grid, output_shape: Shape, *, mode: Mode = EVALUATION
    ) -> Float[Array, "batch rows columns codes"]:
        """Codes of 0 to K - 1, (batch, rows, columns), to float32 logits (batch, *output_shape).

        `output_shape` is (rows, columns, K). Grids have the size of those with which the variables were made.

        Raises:
            ValueError: an output shape of another grid, no block, a width that does not divide into heads.
        """
        fits = len(output_shape) == 3 and output_shape[:2] == codes.shape[1:]
        require(fits, "output_shape", output_shape, f"(rows, columns, codes) for a grid of {codes.shape[1:]}")
        require(self.blocks >= 1, "blocks", self.blocks, "at least 1")
        divides = self.heads >= 1 and self.width >= 1 and self.width % self.heads == 0
        require(divides, "heads", self.heads, f"a divisor of the width {self.width}")
        rows, columns, num_codes = output_shape
        positions = self.param("positions", EMBEDDING, (rows * columns, self.width), jnp.float32)
        start = self.param("start", EMBEDDING, (1, 1, self.width), jnp.float32)
        embed = nn.Embed(num_codes, self.width, embedding_init=EMBEDDING, name="tokens")
        before = embed(codes.reshape(-1, rows * columns)[:, :-1])
        first = jnp.broadcast_to(start, (codes.shape[0], 1, self.width))
        hidden = (jnp.concatenate([first, before], axis=1) + positions[None]).astype(self.dtype)
        for block in range(self.blocks):
            layer = TransformerBlock(
                self.heads, self.dropout, 2 * block, self.dtype, causal=True, name=f"block_{block}"
            )
            hidden = layer(hidden, None, mode)
        head = nn.Dense(num_codes, use_bias=False, dtype=self.dtype, kernel_init=EMBEDDING, name="logits")
        logits = head(LayerNorm(name="norm")(hidden)).astype(jnp.float32)
        return logits.reshape(-1, rows, columns, num_codes)
