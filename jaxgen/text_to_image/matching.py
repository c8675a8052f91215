"""What two encoders minimise so that the vectors of an image and of its caption match, as values.

`Structured` compares by the inner product, as the vectors are; `Contrastive` by the cosine, times a scale that is
learned with the encoders. The formulas are those of `jaxgen.losses.embeddings`. Each objective offers

    initial_scale                  what the scale begins with; None of an objective that learns none
    embeddings(vectors)            the vectors whose inner products are compared, (batch, features)
    losses(images, texts, negatives, scale)    what is minimised, the mean over the batch of it
"""

from dataclasses import dataclass
from typing import TypeAlias

from jaxtyping import Array, Bool

from jaxgen.checks import NonNegativeFloat, require, require_bounds
from jaxgen.losses.embeddings import contrastive_embedding, structured_joint_embedding
from jaxgen.losses.penalties import unit_length
from jaxgen.typing import Embeddings, PerExample, Scalar

Pairs: TypeAlias = Bool[Array, "batch batch"]
"""Of image i and text j."""


@dataclass(frozen=True)
class Structured:
    """Hinges on the differences of scores: arXiv 1605.05395."""

    margin: NonNegativeFloat = 1.0  # by which the right score is to be above the others
    hardest: bool = False  # the largest hinge, as the paper has it; else the sum, as the authors' code has it

    initial_scale = property(lambda self: None)

    def __post_init__(self):
        require_bounds(self)

    def embeddings(self, vectors: Embeddings) -> Embeddings:
        """As they are."""
        return vectors

    def losses(
        self, images: Embeddings, texts: Embeddings, negatives: Pairs, scale: Scalar | None = None
    ) -> PerExample:
        """The hinges of each example's row and column of scores."""
        options = {"margin": self.margin, "hardest": self.hardest, "negatives": negatives}
        return structured_joint_embedding(images, texts, **options)


@dataclass(frozen=True)
class Contrastive:
    """Cross-entropies of scaled cosines, in both directions: arXiv 2103.00020."""

    temperature: float = 0.07  # 1 / scale of a fresh model
    largest_scale: float = 100.0  # after each step a larger scale is set to it

    initial_scale = property(lambda self: 1.0 / self.temperature)

    def __post_init__(self):
        require(self.temperature > 0, "temperature", self.temperature, "above 0")
        require(self.largest_scale > 0, "largest_scale", self.largest_scale, "above 0")

    def embeddings(self, vectors: Embeddings) -> Embeddings:
        """Each at length 1; zeros stay zeros."""
        return unit_length(vectors)

    def losses(
        self, images: Embeddings, texts: Embeddings, negatives: Pairs, scale: Scalar | None = None
    ) -> PerExample:
        """The mean of the cross-entropies of each example's row and column of scores."""
        return contrastive_embedding(
            images, texts, 1.0 / self.temperature if scale is None else scale, negatives=negatives
        )


Matching: TypeAlias = Structured | Contrastive
