"""Array types in the field's words. Shapes are checked in the tests (jaxtyping with beartype)."""

from typing import Any, NamedTuple, TypeAlias

import jax
from jaxtyping import Array, Float, Int, Integer, Shaped, UInt8
from jaxtyping import Key as KeyArray

Key: TypeAlias = KeyArray[Array, ""]
"""One typed random key, `jax.random.key(seed)`. Used once, then split or folded."""

Keys: TypeAlias = KeyArray[Array, "*examples"]
"""One key for a batch, or one for each of its examples: `parallel.example_keys` makes the latter of the former."""

Scalar: TypeAlias = Float[Array, ""]
PerExample: TypeAlias = Float[Array, "batch"]
"""One value for each example of a batch."""

Images: TypeAlias = Float[Array, "batch height width channels"]
"""NHWC images in the value range of the model."""

Pixels: TypeAlias = UInt8[Array, "batch height width channels"]
"""NHWC images as stored: 0 to 255."""

Points: TypeAlias = Float[Array, "batch ..."]
"""A batch of data of any shape: images, vectors, features."""

States: TypeAlias = Float[Array, "states batch ..."]
"""What a batch of data was, one state after another."""

Latents: TypeAlias = Float[Array, "batch latent"]
Labels: TypeAlias = Int[Array, "batch"]

Attributes: TypeAlias = UInt8[Array, "batch attributes"]
"""For each of several labels whether an image has it: 1 or 0."""

Captions: TypeAlias = Integer[Array, "batch length"] | Float[Array, "batch *tokens features"]
"""Tokens of texts, padded with 0: UTF-8 bytes as uint8, or numbers of a larger vocabulary; or embeddings of texts."""

Embeddings: TypeAlias = Float[Array, "batch features"]
"""Of texts, one vector each."""

Shape: TypeAlias = tuple[int, ...]
"""The shape of one example, without the batch."""

Batch: TypeAlias = Shaped[Array, "batch ..."]
"""A batch as the data set yields it: uint8 pixels, or floats already in the model's range."""


class Evidence(NamedTuple):
    """What a latent-variable model says of each image of a batch, in nats."""

    nll: PerExample  # -E[log p(x|z)]
    kl: PerExample  # KL(q(z|x) || p(z)); nll + kl is minus the ELBO
    log_evidence: PerExample  # the importance-weighted estimate of log p(x), from below


class Bound(NamedTuple):
    """The parts of a denoiser's bound on -log p(x) for each image of a batch, in nats: their sum is the bound."""

    reconstruction: PerExample  # -E[log p(x|z_0)]
    diffusion: PerExample  # divergences of all steps between
    prior: PerExample  # KL(q(z_1|x) || p(z_1))


AxisName: TypeAlias = str | None
"""Of the devices that share a batch; None where the batch is the whole batch."""

Params: TypeAlias = Any
"""A pytree of float arrays."""

Collections: TypeAlias = Any
"""A network's variables besides its params, by collection: `{"batch_stats": ...}`, `{}` if it has none."""

Variables: TypeAlias = dict[str, Any]
"""A network's params and collections in one: `{"params": ..., "batch_stats": ...}`."""

Metrics: TypeAlias = dict[str, jax.Array]
"""Scalars to look at, named as in the paper."""
