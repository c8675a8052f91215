"""Regularisers of scores: what a discriminator pays for the values it gives.

Each takes scores (B,) and returns one value for each example, (B,), without its weight, in float32
or wider; scores of another shape raise a ValueError.

- Karras et al.: Progressive Growing of GANs, 2017, arXiv 1710.10196 (drift).
- Zhang et al.: Consistency Regularization for Generative Adversarial Networks, 2019,
  arXiv 1910.12027 (CR).
- Zhao et al.: Improved Consistency Regularization for GANs, 2020, arXiv 2002.04724 (bCR).
- Tseng et al.: Regularizing Generative Adversarial Networks under Limited Data, 2021,
  arXiv 2104.03310 (LeCam).
"""

import jax
from jax.nn import relu

from jaxgen.losses._arrays import Scores, number, per_example
from jaxgen.typing import PerExample, Scalar


def drift_penalty(real_scores: Scores) -> PerExample:
    """D(x)^2: appendix A.1 of arXiv 1710.10196; its weight is epsilon = 0.001.

    Keeps the scores of a Wasserstein critic, which are free up to a constant, near zero.

    Args:
        real_scores: D(x), (B,).

    >>> import jax.numpy as jnp
    >>> drift_penalty(jnp.array([3.0, -2.0]))
    Array([9., 4.], dtype=float32)
    """
    (real,) = per_example(real_scores=real_scores)
    return real**2


def consistency_penalty(scores: Scores, augmented_scores: Scores) -> PerExample:
    """(D(x) - D(T(x)))^2: CR of arXiv 1910.12027; its weight is 10.

    Args:
        scores: D(x) of real data, (B,).
        augmented_scores: D(T(x)) of the same data, augmented, (B,).

    >>> import jax.numpy as jnp
    >>> consistency_penalty(jnp.array([1.0, 2.0]), jnp.array([3.0, 2.0]))
    Array([4., 0.], dtype=float32)
    """
    scores, augmented = per_example(scores=scores, augmented_scores=augmented_scores)
    return (scores - augmented) ** 2


def balanced_consistency_penalty(
    real_scores: Scores,
    augmented_real_scores: Scores,
    fake_scores: Scores,
    augmented_fake_scores: Scores,
    *,
    real_weight: float = 1.0,
    fake_weight: float = 1.0,
) -> PerExample:
    """w_r (D(x) - D(T(x)))^2 + w_f (D(G(z)) - D(T(G(z))))^2: bCR, Algorithm 1 of arXiv 2002.04724.

    Args:
        real_scores: D(x), (B,).
        augmented_real_scores: D(T(x)), (B,).
        fake_scores: D(G(z)), (B,).
        augmented_fake_scores: D(T(G(z))), (B,).
        real_weight: w_r, the paper's lambda_real.
        fake_weight: w_f, the paper's lambda_fake.

    >>> import jax.numpy as jnp
    >>> one, two, four = jnp.array([1.0]), jnp.array([2.0]), jnp.array([4.0])
    >>> balanced_consistency_penalty(one, two, two, four, fake_weight=0.5)
    Array([3.], dtype=float32)
    """
    real, augmented_real, fake, augmented_fake = per_example(
        real_scores=real_scores,
        augmented_real_scores=augmented_real_scores,
        fake_scores=fake_scores,
        augmented_fake_scores=augmented_fake_scores,
    )
    return real_weight * (real - augmented_real) ** 2 + fake_weight * (fake - augmented_fake) ** 2


def lecam_penalty(
    real_scores: Scores,
    fake_scores: Scores,
    real_average: Scalar | float,
    fake_average: Scalar | float,
    *,
    one_sided: bool = False,
) -> PerExample:
    """(D(x) - alpha_F)^2 + (D(G(z)) - alpha_R)^2: LeCam of arXiv 2104.03310.

    Each kind of score is anchored to the moving average of the other kind. The authors' code is one-sided,
    max(0, D(x) - alpha_F)^2 + max(0, alpha_R - D(G(z)))^2: real examples below the fakes' average and fakes
    above the real examples' cost nothing.

    Args:
        real_scores: D(x), (B,).
        fake_scores: D(G(z)), (B,).
        real_average: alpha_R, the moving average of the real scores, held constant.
        fake_average: alpha_F, the moving average of the fake scores, held constant.
        one_sided: as in the authors' code.

    >>> import jax.numpy as jnp
    >>> lecam_penalty(jnp.array([3.0]), jnp.array([0.0]), 2.0, -1.0)  # 4^2 + 2^2
    Array([20.], dtype=float32)
    """
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    alpha_r, alpha_f = jax.lax.stop_gradient(
        (number("real_average", real_average, real.dtype), number("fake_average", fake_average, real.dtype))
    )
    above, below = real - alpha_f, alpha_r - fake
    return relu(above) ** 2 + relu(below) ** 2 if one_sided else above**2 + below**2
