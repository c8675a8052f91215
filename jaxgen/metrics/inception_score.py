"""Inception score: classes are clear in each image, and many over all images.

Salimans et al.: Improved Techniques for Training GANs, 2016, arXiv 1606.03498.
"""

import itertools

import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats
from jaxgen.metrics._samples import samples


def inception_scores(logits: Floats, *, num_splits: int = 10) -> Floats:
    """exp(E KL(p(y|x) || p(y))) of each split, (num_splits,): section 4 of arXiv 1606.03498.

    From 1 to the number of classes. Reported as mean and (population) deviation over the splits of 50,000 shuffled
    images, with the 1008 classes of the FID Inception without bias in other work. Shuffle first: the splits are cut
    from the logits as they come.

    Args:
        logits: of a classifier, (N, classes).
        num_splits: 10 in the authors' code; split i holds examples i N // num_splits to (i + 1) N // num_splits.

    Raises:
        ValueError: unless logits are (N, classes) with at least an example for each split.

    >>> confident = 100 * jnp.eye(4)  # each of four classes once, beyond doubt
    >>> inception_scores(confident, num_splits=1)
    Array([4.], dtype=float32)
    """
    require(num_splits >= 1, "num_splits", num_splits, "at least 1")
    (logits,) = samples(num_splits, logits=logits)
    logs = jax.nn.log_softmax(logits)
    edges = [split * len(logs) // num_splits for split in range(num_splits + 1)]
    return jnp.stack([_score(logs[start:end]) for start, end in itertools.pairwise(edges)])


def _score(logs: Floats) -> Floats:
    """Of log p(y|x), (N, classes); the logarithm of the mean is taken without leaving logarithms."""
    marginal = jax.nn.logsumexp(logs, axis=0) - jnp.log(jnp.asarray(len(logs), logs.dtype))
    return jnp.exp((jnp.exp(logs) * (logs - marginal[None])).sum(axis=1).mean())
