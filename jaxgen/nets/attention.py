"""Multi-head attention: the package's only door to it, for sequences and for maps, of one set of tokens or of two.

Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin: Attention Is All You Need, 2017, arXiv
1706.03762. For each head

    Attention(Q, K, V) = softmax(Q K^T / sqrt(d)) V        (1)

with d features a head; the softmax is computed in float32 whatever the type of Q, K and V.

If JAX's default backend at the time of tracing is the CPU, large batches are attended to in pieces of a few examples,
whose weights stay in the processor's cache and are computed again in the backward pass: two to five times faster there.
"""

from functools import partial
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxgen.checks import require


def attend(
    queries: Float[Array, "batch tokens heads features"],
    keys: Float[Array, "batch others heads features"],
    values: Float[Array, "batch others heads features"],
    mask: Bool[Array, "batch others"] | None = None,
    *,
    causal: bool = False,
) -> Float[Array, "batch tokens heads features"]:
    """Equation (1), in the type of the values.

    Where there is a mask, tokens at which it is False are not attended to; an example of which all are False gets the
    mean of its values. With `causal` a token attends to those up to its own place alone.
    """
    batch, tokens, heads, _ = queries.shape
    others = keys.shape[1]
    static = all(isinstance(size, int) for size in (batch, tokens, others))  # exported programs have symbols
    if jax.default_backend() == "cpu" and static and batch * heads * tokens * others > _WEIGHTS:
        return _attend_in_pieces((queries, keys, values), mask, causal)
    for_all_heads = None if mask is None else mask[:, None, None, :]
    with jax.numpy_dtype_promotion("standard"):  # JAX asks for the common type of bfloat16 and float32
        return jax.nn.dot_product_attention(queries, keys, values, mask=for_all_heads, is_causal=causal)


_WEIGHTS = 1 << 18  # of a batch, for which one piece will do
_EXAMPLES = 4  # of a piece, at most


def _attend_in_pieces(tokens_of: tuple[Array, Array, Array], mask: Array | None, causal: bool) -> Array:
    """Equation (1) for pieces of the batch: piece t holds every num-th example from the t-th on.

    So that where devices share the batch, each piece is shared as well.
    """
    batch, tokens, heads, _ = tokens_of[0].shape
    size = max(size for size in range(1, _EXAMPLES + 1) if batch % size == 0)

    def pieces(array: Array) -> Array:
        return array.reshape(size, batch // size, *array.shape[1:]).swapaxes(0, 1)

    def of_heads(array: Array) -> Array:
        """(batch, tokens, heads, features) to pieces of (examples and heads, tokens, features)."""
        split = pieces(array.swapaxes(1, 2))
        return split.reshape(batch // size, size * heads, *split.shape[3:])

    of_examples = None if mask is None else jnp.repeat(pieces(mask), heads, axis=1)
    inputs = *map(of_heads, tokens_of), of_examples
    at_once = partial(_attend_at_once, causal=causal)
    outputs = jax.lax.map(jax.checkpoint(lambda piece: at_once(*piece)), inputs)
    split = outputs.reshape(batch // size, size, heads, tokens, -1).swapaxes(0, 1)
    return split.reshape(batch, heads, tokens, -1).swapaxes(1, 2)


def _attend_at_once(queries: Array, keys: Array, values: Array, mask: Array | None, *, causal: bool) -> Array:
    """Equation (1) of one head, (batch, tokens, features): products of matrices, which are fast on CPU."""
    scaled = queries * queries.shape[-1] ** -0.5
    logits = jnp.einsum("btd,bsd->bts", scaled, keys, preferred_element_type=jnp.float32)
    if mask is not None:
        logits = jnp.where(mask[:, None, :], logits, jnp.finfo(jnp.float32).min)
    if causal:
        past = jnp.tril(jnp.ones(logits.shape[1:], bool))
        logits = jnp.where(past[None], logits, jnp.finfo(jnp.float32).min)
    weights = jax.nn.softmax(logits, axis=-1).astype(values.dtype)
    return jnp.einsum("bts,bsd->btd", weights, values)


class Attention(nn.Module):
    """Tokens attend to themselves, or to those of a `context`: dense layers to Q, K and V, equation (1), a dense layer.

    Inputs are (batch, tokens, channels), or maps (batch, height, width, channels), whose places are the tokens.
    Residual connections and normalisation are left to the network around it.
    """

    heads: int = 8
    features: int | None = None  # of all heads together; None for as many as the inputs have channels
    use_bias: bool = True  # of the dense layers to Q, K and V; the last one has a bias always
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params and softmax are float32
    causal: bool = False  # whether a token attends to those up to its own place alone

    @nn.compact
    def __call__(
        self,
        inputs: Float[Array, "batch *places channels"],
        context: Float[Array, "batch *others context_channels"] | None = None,
        mask: Bool[Array, "batch *others"] | None = None,
    ) -> Float[Array, "batch *places channels"]:
        """Outputs of the shape of `inputs`; `mask` says which tokens of the context (or of the inputs) count.

        Raises:
            ValueError: shapes that do not fit, or features that do not divide into heads.
        """
        channels = inputs.shape[-1]
        context = inputs if context is None else context
        features = channels if self.features is None else self.features
        require(inputs.ndim >= 3, "shape of inputs", inputs.shape, "(batch, tokens, channels) or that of a map")
        require(context.ndim >= 3, "shape of context", context.shape, "(batch, tokens, channels) or that of a map")
        require(
            self.heads >= 1 and features % self.heads == 0, "heads", self.heads, f"a divisor of {features} features"
        )
        if mask is not None:
            require(mask.shape == context.shape[:-1], "shape of mask", mask.shape, f"{context.shape[:-1]}")
            mask = mask.reshape(mask.shape[0], -1)
        dtype = jnp.dtype(self.dtype)

        def project(name: str, tokens: jax.Array) -> jax.Array:
            flat = tokens.reshape(tokens.shape[0], -1, tokens.shape[-1])
            split = nn.Dense(features, use_bias=self.use_bias, dtype=dtype, name=name)(flat)
            return split.reshape(*flat.shape[:2], self.heads, features // self.heads)

        queries = project("queries", inputs)
        attended = attend(queries, project("keys", context), project("values", context), mask, causal=self.causal)
        outputs = nn.Dense(channels, dtype=dtype, name="outputs")(attended.reshape(*attended.shape[:2], features))
        return outputs.reshape(inputs.shape)
