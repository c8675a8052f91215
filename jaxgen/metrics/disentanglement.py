"""How well single codes stand for single factors of the data, from the codes of examples whose factors are known.

Codes are what an encoder says, such as the means of q(z|x), (N, codes); factors are what the data were made of, as the
number of a value from 0 on, (N, factors), each with two values or more. All but `factor_vae_score` go through a matrix
of codes (rows) and factors (columns): what each code tells of each factor.

- Chen, Li, Grosse, Duvenaud: Isolating Sources of Disentanglement in VAEs, 2018, arXiv 1802.04942 (MIG).
- Kim, Mnih: Disentangling by Factorising, 2018, arXiv 1802.05983 (the FactorVAE score).
- Kumar, Sattigeri, Balakrishnan: Variational Inference of Disentangled Latent Concepts, 2017, arXiv 1711.00848 (SAP).
- Eastwood, Williams: A Framework for the Quantitative Evaluation of Disentangled Representations, 2018, ICLR (DCI).
- Ridgeway, Mozer: Learning Deep Disentangled Embeddings with the F-Statistic Loss, 2018, arXiv 1802.05312 (modularity).
- Locatello et al.: Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations, 2018,
  arXiv 1811.12359 (bins and numbers of samples).
"""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax.scipy.special import entr, rel_entr

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats, Integers, arrays, ranked
from jaxgen.metrics._samples import samples, unless_nan
from jaxgen.typing import Key, Scalar

VOTES = 256
"""Votes of the FactorVAE score that are taken at a time."""


def mutual_information(codes: Floats, factors: Integers, *, num_values: Sequence[int], num_bins: int = 20) -> Floats:
    """I(z_j; v_k) in nats of each code, in bins of equal width between its extremes, and each factor.

    Estimated from counts, it is too large by about (bins - 1)(values - 1) / (2 N) where the two are independent.

    Args:
        codes: (N, codes).
        factors: (N, factors).
        num_values: of each factor.
        num_bins: of each code; 20 in arXiv 1811.12359.

    Returns:
        (codes, factors), from 0 to log(num_values).

    Raises:
        ValueError: unless codes are (N, codes), factors integers (N, factors), and of two values each at least.

    >>> import jax.numpy as jnp
    >>> codes, factors = jnp.array([[0.0], [1.0], [2.0], [3.0]]), jnp.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> mutual_information(codes, factors, num_values=(2, 2), num_bins=2).round(4)
    Array([[0.6931, 0.    ]], dtype=float32)
    """
    codes, factors = _checked(codes, factors, num_values)
    require(num_bins >= 2, "num_bins", num_bins, "at least 2")
    low, high = codes.min(axis=0, keepdims=True), codes.max(axis=0, keepdims=True)
    places = jnp.nan_to_num((codes - low) / jnp.where(high > low, high - low, 1.0) * num_bins)
    bins = jnp.clip(places.astype(jnp.int32), 0, num_bins - 1)
    found = [_information(bins, factors[:, k], num_bins, num) for k, num in enumerate(num_values)]
    return unless_nan(jnp.stack(found, axis=1).astype(codes.dtype), codes)


def mutual_information_gap(
    codes: Floats, factors: Integers, *, num_values: Sequence[int], num_bins: int = 20
) -> Scalar:
    """MIG: mean over factors of (I_1 - I_2) / H(v_k), of the two codes that tell most: arXiv 1802.04942, equation 6.

    1 where one code alone tells a factor, and all of it; 0 where two tell as much. A factor that takes one value among
    the examples does not count.

    Args:
        codes: (N, codes).
        factors: (N, factors).
        num_values: of each factor.
        num_bins: of each code.

    Raises:
        ValueError: as `mutual_information`.

    >>> import jax.numpy as jnp
    >>> factors = jnp.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> mutual_information_gap(factors.astype(jnp.float32), factors, num_values=(2, 2)).round(4)
    Array(1., dtype=float32)
    """
    information = mutual_information(codes, factors, num_values=num_values, num_bins=num_bins)
    counted = [jnp.bincount(factors[:, k], length=num) for k, num in enumerate(num_values)]
    entropies = jnp.stack([entr(counts.astype(information.dtype) / len(factors)).sum() for counts in counted])
    varies = entropies > 0
    gaps = jnp.where(varies, _gaps(information) / jnp.where(varies, entropies, 1.0), 0.0)
    return gaps.sum() / jnp.maximum(varies.sum(dtype=gaps.dtype), 1.0)


def predictability_gap(scores: Floats) -> Scalar:
    """SAP: mean over factors of S_1 - S_2, the scores of the two codes that predict it best: arXiv 1711.00848, 3.

    Args:
        scores: how well each code alone predicts each factor, 0 for not at all, (codes, factors): such as
            `squared_correlations`, or the accuracy of a classifier of one code.

    Raises:
        ValueError: unless scores are (codes, factors).

    >>> import jax.numpy as jnp
    >>> predictability_gap(jnp.array([[0.75, 0.25], [0.25, 0.25]]))
    Array(0.25, dtype=float32)
    """
    (scores,) = ranked("codes, factors", scores=scores)
    return _gaps(scores).mean()


def squared_correlations(codes: Floats, factors: Integers) -> Floats:
    """Squared correlation of each code with each factor: what SAP takes of factors whose values have an order.

    Args:
        codes: (N, codes).
        factors: (N, factors).

    Returns:
        (codes, factors), from 0 to 1; 0 of what does not vary.

    Raises:
        ValueError: unless codes are (N, codes) and factors integers (N, factors).

    >>> import jax.numpy as jnp
    >>> squared_correlations(jnp.array([[1.0, 1.0], [3.0, 2.0], [5.0, 1.0]]), jnp.array([[0], [1], [2]])).round(4)
    Array([[1.],
           [0.]], dtype=float32)
    """
    codes, factors = _checked(codes, factors)
    x, y = (_centred(values) for values in (codes, factors.astype(codes.dtype)))
    products = (x**2).sum(axis=0)[:, None] * (y**2).sum(axis=0)[None]
    found = jnp.where(products > 0, (x.T @ y) ** 2 / jnp.where(products > 0, products, 1.0), 0.0)
    return unless_nan(found, codes)


def modularity(information: Floats) -> Scalar:
    """Mean over codes of 1 - sum of the other I^2 over (F - 1) of the largest I^2: arXiv 1802.05312, section 3.

    1 if each code tells of one factor; several codes may tell of the same. A code that tells of none counts 0.

    Args:
        information: I of each code and factor, (codes, factors), two factors at least, such as `mutual_information`.

    Raises:
        ValueError: unless information is (codes, factors) with two factors.

    >>> import jax.numpy as jnp
    >>> modularity(jnp.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]))
    Array(0.75, dtype=float32)
    """
    (information,) = ranked("codes, factors", information=information)
    require(information.shape[1] >= 2, "factors of information", information.shape[1], "at least 2")
    squared = information**2
    largest = squared.max(axis=1)
    others = (squared.sum(axis=1) - largest) / (jnp.where(largest > 0, largest, 1.0) * (information.shape[1] - 1))
    return unless_nan(jnp.where(largest > 0, 1 - others, 0.0).mean(), information)


def disentanglement(importances: Floats) -> Scalar:
    """D of DCI: 1 - the entropy of the factors that a code serves, base their number, weighted by its importance.

    1 if each code serves one factor, 0 if each serves all alike.

    Args:
        importances: R, how much each code counts in predicting each factor, none negative, (codes, factors), two
            factors at least.

    Raises:
        ValueError: unless importances are (codes, factors) with two factors.

    >>> import jax.numpy as jnp
    >>> disentanglement(jnp.array([[0.5, 0.0], [0.5, 0.0], [0.0, 1.0]]))
    Array(1., dtype=float32)
    """
    (importances,) = ranked("codes, factors", importances=importances)
    require(importances.shape[1] >= 2, "factors of importances", importances.shape[1], "at least 2")
    return _concentration(importances)


def completeness(importances: Floats) -> Scalar:
    """C of DCI: 1 - the entropy of the codes that serve a factor, base their number, weighted by its importance.

    1 if each factor is served by one code.

    Args:
        importances: R, as of `disentanglement`, two codes at least.

    Raises:
        ValueError: unless importances are (codes, factors) with two codes.

    >>> import jax.numpy as jnp
    >>> completeness(jnp.array([[0.5, 0.0], [0.5, 0.0], [0.0, 1.0]])).round(4)  # half of it: log 2 / log 3 is lost
    Array(0.6845, dtype=float32)
    """
    (importances,) = ranked("codes, factors", importances=importances)
    require(importances.shape[0] >= 2, "codes of importances", importances.shape[0], "at least 2")
    return _concentration(importances.T)


def factor_vae_score(
    codes: Floats, factors: Integers, key: Key, *, num_votes: tuple[int, int] = (10_000, 5_000), size: int = 64
) -> Scalar:
    """Share of votes that name the factor which is fixed: arXiv 1802.05983, section 4.

    A vote is of `size` examples that agree in one factor, drawn with repetition among those given: the code whose
    variance, over that of all examples, is the smallest. The first votes say which factor each code stands for, the
    others count. By chance it is 1 over the number of factors. Codes of a deviation below 0.05 have no vote; without
    any code left it is 0.

    Args:
        codes: (N, codes), N at least 2.
        factors: (N, factors).
        key: of the examples.
        num_votes: that name the codes, and that count.
        size: examples of a vote.

    Raises:
        ValueError: unless codes are (N, codes), factors integers (N, factors), votes positive and size at least 2.

    >>> import jax, jax.numpy as jnp
    >>> factors = jnp.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> factor_vae_score(factors.astype(jnp.float32), factors, jax.random.key(0), num_votes=(20, 20))
    Array(1., dtype=float32)
    """
    codes, factors = _checked(codes, factors, at_least=2)
    require(min(num_votes) >= 1, "num_votes", num_votes, "positive")
    require(size >= 2, "size", size, "at least 2")
    variances = codes.var(axis=0, ddof=1)
    order, ordered = jnp.argsort(factors, axis=0), jnp.sort(factors, axis=0)
    first, last = (
        jnp.stack([jnp.searchsorted(ordered[:, k], factors[:, k], side=side) for k in range(factors.shape[1])], axis=1)
        for side in ("left", "right")
    )

    def vote(key: Key) -> tuple[jax.Array, jax.Array]:
        key_factor, key_value, key_examples = jax.random.split(key, 3)
        factor = jax.random.randint(key_factor, (), 0, factors.shape[1], jnp.int32)
        example = jax.random.randint(key_value, (), 0, len(factors), jnp.int32)
        least, most = (values[example, factor].astype(jnp.int32) for values in (first, last))
        places = jax.random.randint(key_examples, (size,), least, most, jnp.int32)
        spread = codes[order[places, factor]].var(axis=0, ddof=1) / jnp.where(variances > 0, variances, 1.0)
        return jnp.where(variances >= 0.05**2, spread, jnp.inf).argmin().astype(jnp.int32), factor

    named, fixed = jax.lax.map(vote, jax.random.split(key, sum(num_votes)), batch_size=VOTES)
    counts = jnp.zeros((codes.shape[1], factors.shape[1]), jnp.int32)
    counts = counts.at[named[: num_votes[0]], fixed[: num_votes[0]]].add(1)
    right = counts.argmax(axis=1).astype(jnp.int32)[named[num_votes[0] :]] == fixed[num_votes[0] :]
    there = (variances >= 0.05**2).any()
    return unless_nan(jnp.where(there, right.mean(dtype=codes.dtype), 0.0), codes)


def _checked(
    codes: Floats, factors: Integers, num_values: Sequence[int] | None = None, at_least: int = 1
) -> tuple[Floats, Integers]:
    (codes,) = samples(at_least, codes=codes)
    arrays(factors=factors)
    if factors.ndim != 2 or factors.shape[0] != len(codes) or not jnp.issubdtype(factors.dtype, jnp.integer):
        raise ValueError(f"factors are {factors.dtype} {factors.shape}, but must be integers ({len(codes)}, factors)")
    require(factors.shape[1] >= 1, "factors", factors.shape, "one or more for each example")
    if num_values is not None:
        fits = len(num_values) == factors.shape[1] and min(num_values) >= 2
        require(fits, "num_values", num_values, f"at least 2 for each of the {factors.shape[1]} factors")
    return codes, factors.astype(jnp.int32)


def _information(bins: Integers, values: Integers, num_bins: int, num_values: int) -> Floats:
    """I of each column of bins and the values, (codes,), in float32."""
    ones = jnp.ones(len(values), jnp.float32)

    def counted(column: Integers) -> Floats:
        return jax.ops.segment_sum(ones, column * num_values + values, num_bins * num_values)

    joint = jax.vmap(counted, in_axes=1)(bins).reshape(-1, num_bins, num_values) / len(values)
    return rel_entr(joint, joint.sum(axis=2, keepdims=True) * joint.sum(axis=1, keepdims=True)).sum(axis=(1, 2))


def _gaps(values: Floats) -> Floats:
    """The largest less the second of each column, of which there is one more row of zeros: for a single code."""
    ordered = jnp.sort(jnp.concatenate([values, jnp.zeros_like(values[:1])]), axis=0)
    return ordered[-1] - ordered[-2]


def _centred(values: Floats) -> Floats:
    return values - values.mean(axis=0, keepdims=True)


def _concentration(importances: Floats) -> Scalar:
    """Weighted mean over rows of 1 - entropy of the row, base the number of its columns."""
    totals = importances.sum(axis=1)
    shares = importances / jnp.where(totals > 0, totals, 1.0)[:, None]
    kept = 1 - entr(shares).sum(axis=1) / math.log(importances.shape[1])
    weights = totals / jnp.where(totals.sum() > 0, totals.sum(), 1.0)
    return unless_nan((weights * kept).sum(), importances)
