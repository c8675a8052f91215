"""Style: which features of images appear together, wherever they are.

- Gatys, Ecker, Bethge: A Neural Algorithm of Artistic Style, 2015, arXiv 1508.06576.
- Liu, Reda, Shih, Wang, Tao, Catanzaro: Image Inpainting for Irregular Holes Using Partial Convolutions, 2018, arXiv
  1804.07723.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.losses._arrays import Floats, floats, mean_per_example, ranked
from jaxgen.typing import PerExample


def gram_matrix(features: Floats) -> Float[Array, "B channels channels"]:
    """G_cd = sum over places of f_c f_d / (height width channels).

    Args:
        features: f, (B, height, width, channels), maps of a network.

    Raises:
        ValueError: unless features have four axes.

    >>> import jax.numpy as jnp
    >>> gram_matrix(jnp.array([[[[1.0, 2.0]]]])).round(3)
    Array([[[0.5, 1. ],
            [1. , 2. ]]], dtype=float32)
    """
    (features,) = ranked("B, height, width, channels", features=features)
    batch, height, width, channels = features.shape
    flat = features.reshape(batch, height * width, channels) / (height * width * channels) ** 0.5
    return jnp.einsum("bpc,bpd->bcd", flat, flat, precision="highest")


def style_error(features: Floats, targets: Floats) -> PerExample:
    """mean over c, d of |G_cd - H_cd|, G and H the Gram matrices: equations 4 and 5 of arXiv 1804.07723.

    Maps of different sizes can be compared: their channels count alone.

    Args:
        features: (B, height, width, channels).
        targets: (B, height, width, channels).

    Raises:
        ValueError: unless both have four axes and as many examples and channels.

    >>> import jax.numpy as jnp
    >>> style_error(jnp.full((1, 2, 2, 1), 2.0), jnp.ones((1, 3, 3, 1)))
    Array([3.], dtype=float32)
    """
    features, targets = floats(features=features, targets=targets)
    found, wanted = gram_matrix(features), gram_matrix(targets)
    if found.shape != wanted.shape:
        raise ValueError(
            f"features of shape {features.shape} and targets of shape {targets.shape} differ in examples or channels: "
            "give maps of one layer"
        )
    return mean_per_example(jnp.abs(found - wanted))
