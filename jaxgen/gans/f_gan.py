"""The objective of f-GAN as a value: any f-divergence of the data from the generator.

Nowozin, Cseke, Tomioka: f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization, 2016,
arXiv 1606.00709.

The formulas, and what an objective offers, are those of `jaxgen.losses.divergences` and `jaxgen.gans.objectives`.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from jaxgen.losses.divergences import DIVERGENCES, Formulas, f_gan_discriminator, f_gan_generator
from jaxgen.typing import AxisName, PerExample


@dataclass(frozen=True)
class FDivergence:
    """The divergence that the two players estimate and minimise, the data first; output activations are its own.

    KL and the squared Hellinger distance grow as exponentials of the scores: give them a small learning rate, or clip
    gradients.
    """

    needs_real: ClassVar[bool] = False
    divergence: Literal["kl", "reverse_kl", "pearson", "hellinger", "jensen_shannon", "gan"] = "jensen_shannon"
    saturating: bool = False  # the zero-sum game, in place of the advice of section 3.2

    @property
    def formulas(self) -> Formulas:
        """The functions of the divergence."""
        return DIVERGENCES[self.divergence]

    def discriminator(
        self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> PerExample:
        """f*(g(D(G(z)))) - g(D(x)): minus its mean estimates the divergence from below."""
        return f_gan_discriminator(real_scores, fake_scores, self.formulas)

    def generator(
        self, real_scores: PerExample | None, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> PerExample:
        """-g(D(G(z))); saturating -f*(g(D(G(z))))."""
        return f_gan_generator(fake_scores, self.formulas, saturating=self.saturating)

    def probabilities(
        self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> tuple[PerExample, PerExample]:
        """p / (p + q), of the ratio p / q that a score stands for."""
        return self.formulas.probability(real_scores), self.formulas.probability(fake_scores)
