"""Nearest neighbours in blocks, for finding memorised images, and samples that differ from real ones.

Distances are Euclidean, by |x|^2 + |y|^2 - 2 x.y around the mean of the references: one matrix product a block.

- Lopez-Paz, Oquab: Revisiting Classifier Two-Sample Tests, 2016, arXiv 1610.06545.
- Xu et al.: An Empirical Study on Evaluation Metrics of Generative Adversarial Networks, 2018, arXiv 1806.07755.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats
from jaxgen.metrics._samples import BLOCK, in_blocks, paired, samples, unless_nan
from jaxgen.typing import PerExample, Scalar


class Neighbors(NamedTuple):
    """The nearest reference of each query."""

    distances: PerExample
    indices: Int[Array, "batch"]


class TwoSample(NamedTuple):
    """Leave-one-out accuracies of the 1-nearest-neighbour classifier: 1/2 where the two sets do not differ."""

    accuracy: Scalar
    real: Scalar  # below 1/2: fakes crowd around single real examples, as memorised ones do
    fake: Scalar  # above 1/2: fakes keep to themselves


def nearest_neighbors(queries: Floats, references: Floats, *, block_size: int = BLOCK) -> Neighbors:
    """For each query its nearest reference: for samples the training image that each is most like.

    Compare the distances with those of held-out images to the same references: a model that copies is nearer. They are
    taken again from the difference of the two examples, so that a copy is at 0.

    Args:
        queries: (M, d), images flattened or features of them.
        references: (N, d).
        block_size: queries compared at a time; no part of the value.

    Raises:
        ValueError: unless queries are (M, d) and references (N, d), and block_size is positive.

    >>> nearest_neighbors(jnp.array([[4.0]]), jnp.array([[0.0], [3.0], [9.0]]))
    Neighbors(distances=Array([1.], dtype=float32), indices=Array([1], dtype=int32))
    """
    queries, references = samples(queries=queries, references=references)
    centre = references.mean(axis=0)
    among = references - centre[None]

    def nearest(query: Array) -> Neighbors:
        index = squared_distances(query - centre, among).argmin().astype(jnp.int32)
        return Neighbors(jnp.linalg.norm(query - references[index]), index)

    found = in_blocks(nearest, queries, block_size)
    return found._replace(distances=unless_nan(found.distances, references))


def neighbor_distances(features: Floats, *, k: int, block_size: int = BLOCK) -> PerExample:
    """The distance of each example to its k-th nearest other example, (N,).

    Args:
        features: (N, d), with k + 1 examples at least.
        k: 1 for the nearest.
        block_size: examples compared at a time; no part of the value.

    Raises:
        ValueError: unless features are (N, d) with k others for each, and k and block_size are positive.

    >>> neighbor_distances(jnp.array([[0.0], [1.0], [3.0]]), k=2)
    Array([3., 2., 3.], dtype=float32)
    """
    require(k >= 1, "k", k, "at least 1")
    (features,) = samples(k + 1, features=features)
    centred = features - features.mean(axis=0)[None]

    def distance(example: tuple[Array, Array]) -> Scalar:
        index, query = example
        others = jnp.where(jnp.arange(len(centred)) == index, jnp.inf, squared_distances(query, centred))
        return jnp.sqrt(-jax.lax.top_k(-others, k)[0][-1])

    return unless_nan(in_blocks(distance, (jnp.arange(len(centred)), centred), block_size), features)


def nearest_neighbor_accuracy(real_features: Floats, fake_features: Floats, *, block_size: int = BLOCK) -> TwoSample:
    """How often the nearest other example is of the same set: section 3 of arXiv 1610.06545, with one neighbour.

    Args:
        real_features: (N, d).
        fake_features: (N, d): equally many, so that guessing is right with probability 1/2.
        block_size: examples compared at a time; no part of the value.

    Raises:
        ValueError: unless both are (N, d) with two examples at least, and block_size is positive.

    >>> nearest_neighbor_accuracy(jnp.array([[0.0], [1.0]]), jnp.array([[8.0], [9.0]])).accuracy
    Array(1., dtype=float32)
    """
    real, fake = paired(real_features=real_features, fake_features=fake_features)
    num = len(real)
    require(num >= 2, "number of examples", num, "at least 2 in each set")
    features = jnp.concatenate([real, fake])
    features = features - features.mean(axis=0)[None]

    def same(example: tuple[Array, Array]) -> Array:
        index, query = example
        others = jnp.where(jnp.arange(2 * num) == index, jnp.inf, squared_distances(query, features))
        return (others.argmin() < num) == (index < num)

    right = in_blocks(same, (jnp.arange(2 * num), features), block_size).astype(features.dtype)
    right = unless_nan(right, features)
    return TwoSample(right.mean(), right[:num].mean(), right[num:].mean())


def squared_distances(query: Array, references: Array) -> Array:
    """|x|^2 + |y|^2 - 2 x.y of one query (d,) and references (N, d), not below 0, (N,); both near the origin.

    >>> squared_distances(jnp.array([1.0, 0.0]), jnp.array([[0.0, 1.0]]))
    Array([2.], dtype=float32)
    """
    products = jnp.matmul(references, query, precision="highest")
    return jnp.maximum((query**2).sum() + (references**2).sum(axis=1) - 2 * products, 0.0)
