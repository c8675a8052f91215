"""Objectives of the adversarial game as values: what the discriminator and the generator minimise.

The formulas, with their sources, are those of `jaxgen.losses.adversarial`, `jaxgen.losses.relativistic` and
`jaxgen.losses.softmax`. Each objective offers

    discriminator(real_scores, fake_scores)    what the discriminator minimises, the mean over the batch of it
    generator(real_scores, fake_scores)        what the generator minimises; the real scores are None unless needed
    needs_real                                 whether the generator's value depends on the real scores
    probabilities(real_scores, fake_scores)    the probabilities of being real that the scores of real and of fake
                                               examples stand for; None for critics, whose scores stand for none

Scores are (batch,), logits or unbounded values. `axis_name` names the devices that share the batch, or is None; losses
that need the mean score of the whole batch gather it, and give a value for each example of the whole batch.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import jax
import jax.numpy as jnp
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.gans.f_gan import FDivergence
from jaxgen.losses import adversarial, relativistic, softmax
from jaxgen.parallel import gather, pmean
from jaxgen.typing import AxisName, PerExample

Losses: TypeAlias = Float[Array, "global_batch"]
"""One value for each example; of the whole batch where that has to be gathered."""

Probabilities: TypeAlias = tuple[PerExample, PerExample] | None
"""Probabilities of being real, of the real and of the fake examples."""


@dataclass(frozen=True)
class Minimax:
    """The zero-sum game of equation 1 of arXiv 1406.2661: the generator minimises log(1 - D(G(z)))."""

    needs_real: ClassVar[bool] = False
    smoothing: float = 0.0  # real examples have the label 1 - smoothing (arXiv 1606.03498, section 3.4)

    def __post_init__(self):
        require(0 <= self.smoothing < 1, "smoothing", self.smoothing, "in [0, 1)")

    def discriminator(self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None) -> Losses:
        """-log D(x) - log(1 - D(G(z))), smoothed."""
        return adversarial.minimax_discriminator(real_scores, fake_scores, real_label=1.0 - self.smoothing)

    def generator(
        self, real_scores: PerExample | None, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Losses:
        """log(1 - D(G(z)))."""
        return adversarial.minimax_generator(fake_scores)

    def probabilities(
        self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Probabilities:
        """D(x) and D(G(z))."""
        return jax.nn.sigmoid(real_scores), jax.nn.sigmoid(fake_scores)


@dataclass(frozen=True)
class NonSaturating(Minimax):
    """`Minimax` for the discriminator; the generator minimises -log D(G(z)) (arXiv 1406.2661, section 3)."""

    def generator(
        self, real_scores: PerExample | None, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Losses:
        """-log D(G(z))."""
        return adversarial.non_saturating_generator(fake_scores)


@dataclass(frozen=True)
class LeastSquares:
    """LSGAN, arXiv 1611.04076; (a, b, c) = (-1, 1, 0) minimises a Pearson divergence, (0, 1, 1) is the usual choice."""

    needs_real: ClassVar[bool] = False
    fake_code: float = 0.0  # a, the score that D wants of fakes
    real_code: float = 1.0  # b, the score that D wants of real examples
    generator_code: float = 1.0  # c, the score that G wants of its fakes

    def __post_init__(self):
        require(self.real_code != self.fake_code, "real_code", self.real_code, "another than fake_code")

    def discriminator(self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None) -> Losses:
        """(D(x) - b)^2 / 2 + (D(G(z)) - a)^2 / 2."""
        codes = {"real_code": self.real_code, "fake_code": self.fake_code}
        return adversarial.least_squares_discriminator(real_scores, fake_scores, **codes)

    def generator(
        self, real_scores: PerExample | None, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Losses:
        """(D(G(z)) - c)^2 / 2."""
        return adversarial.least_squares_generator(fake_scores, code=self.generator_code)

    def probabilities(
        self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Probabilities:
        """Where a score lies between the codes: the best D is (b p + a q) / (p + q) for densities p and q."""
        span = self.real_code - self.fake_code
        real, fake = ((scores - self.fake_code) / span for scores in (real_scores, fake_scores))
        return jnp.clip(real, 0.0, 1.0), jnp.clip(fake, 0.0, 1.0)


@dataclass(frozen=True)
class Hinge:
    """The hinge loss, arXiv 1705.02894 and 1802.05957."""

    needs_real: ClassVar[bool] = False

    def discriminator(self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None) -> Losses:
        """max(0, 1 - D(x)) + max(0, 1 + D(G(z)))."""
        return adversarial.hinge_discriminator(real_scores, fake_scores)

    def generator(
        self, real_scores: PerExample | None, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Losses:
        """-D(G(z))."""
        return adversarial.hinge_generator(fake_scores)

    def probabilities(
        self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Probabilities:
        """0 and 1 at the margins -1 and 1, beyond which an example teaches D nothing."""
        return jnp.clip((real_scores + 1) / 2, 0.0, 1.0), jnp.clip((fake_scores + 1) / 2, 0.0, 1.0)


@dataclass(frozen=True)
class Wasserstein:
    """The Wasserstein critic, arXiv 1701.07875, to be kept Lipschitz by clipping or a penalty."""

    needs_real: ClassVar[bool] = False

    def discriminator(self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None) -> Losses:
        """D(G(z)) - D(x)."""
        return adversarial.wasserstein_critic(real_scores, fake_scores)

    def generator(
        self, real_scores: PerExample | None, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Losses:
        """-D(G(z))."""
        return adversarial.wasserstein_generator(fake_scores)

    def probabilities(
        self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Probabilities:
        """None: a critic should separate real from fake examples as well as it can."""
        return None


@dataclass(frozen=True)
class Energy:
    """EBGAN, arXiv 1609.03126: scores are energies, at least 0 and low for real examples."""

    needs_real: ClassVar[bool] = False
    margin: float = 10.0  # m, the energy from which on a fake no longer counts

    def __post_init__(self):
        require(self.margin > 0, "margin", self.margin, "above 0")

    def discriminator(self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None) -> Losses:
        """D(x) + max(0, m - D(G(z)))."""
        return adversarial.energy_discriminator(real_scores, fake_scores, margin=self.margin)

    def generator(
        self, real_scores: PerExample | None, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Losses:
        """D(G(z))."""
        return adversarial.energy_generator(fake_scores)

    def probabilities(
        self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Probabilities:
        """1 at energy 0, 0 from the margin on."""
        real, fake = (1 - scores / self.margin for scores in (real_scores, fake_scores))
        return jnp.clip(real, 0.0, 1.0), jnp.clip(fake, 0.0, 1.0)


@dataclass(frozen=True)
class Relativistic:
    """Real examples are to score higher than fakes: arXiv 1807.00734, paired or with the mean of the other kind."""

    needs_real: ClassVar[bool] = True  # the generator also lowers the scores of real examples relative to its own
    loss: Literal["logistic", "least_squares", "hinge"] = "logistic"  # RSGAN, RLSGAN, RHingeGAN
    average: bool = True  # compare with the mean score of the other kind (RaSGAN, ...), not with one example of it

    def discriminator(self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None) -> Losses:
        """Of l_r - l_f, or of the distances to the other mean."""
        discriminator, _ = RELATIVISTIC[self.loss, self.average]
        return discriminator(*self._gathered(real_scores, fake_scores, axis_name))

    def generator(
        self, real_scores: PerExample | None, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Losses:
        """The discriminator's with real and fake exchanged."""
        if real_scores is None:
            raise ValueError("real_scores is None, but a relativistic generator's loss depends on the real scores")
        _, generator = RELATIVISTIC[self.loss, self.average]
        return generator(*self._gathered(real_scores, fake_scores, axis_name))

    def probabilities(
        self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Probabilities:
        """That the example is more real than one of the other kind."""
        real_level, fake_level = real_scores, fake_scores
        if self.average:
            real_level, fake_level = pmean((real_scores.mean()[None], fake_scores.mean()[None]), axis_name)
        real, fake = real_scores - fake_level, fake_scores - real_level
        if self.loss == "logistic":
            return jax.nn.sigmoid(real), jax.nn.sigmoid(fake)
        return jnp.clip((real + 1) / 2, 0.0, 1.0), jnp.clip((fake + 1) / 2, 0.0, 1.0)

    def _gathered(self, real_scores: PerExample, fake_scores: PerExample, axis_name: AxisName) -> tuple[Losses, Losses]:
        """The scores of the whole batch where means are taken."""
        if not self.average:
            return real_scores, fake_scores
        return gather(real_scores, axis_name), gather(fake_scores, axis_name)


@dataclass(frozen=True)
class Softmax:
    """Softmax GAN, arXiv 1704.06191: one softmax over the scores of all real examples and fakes of the batch."""

    needs_real: ClassVar[bool] = True  # the generator's loss has the sum over all scores

    def discriminator(self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None) -> Losses:
        """log Z - D(x): all mass to the real examples."""
        return softmax.softmax_discriminator(gather(real_scores, axis_name), gather(fake_scores, axis_name))

    def generator(
        self, real_scores: PerExample | None, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Losses:
        """log Z - (D(x) + D(G(z))) / 2: equal mass to all."""
        if real_scores is None:
            raise ValueError("real_scores is None, but the loss of softmax GAN's generator depends on the real scores")
        return softmax.softmax_generator(gather(real_scores, axis_name), gather(fake_scores, axis_name))

    def probabilities(
        self, real_scores: PerExample, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Probabilities:
        """B times the mass of an example among B real ones and B fakes: p / (p + q) at the best discriminator."""
        scores = jnp.concatenate([gather(real_scores, axis_name), gather(fake_scores, axis_name)])
        level = logsumexp(scores) - jnp.log(len(scores) / 2).astype(scores.dtype)
        real, fake = jnp.exp(real_scores - level), jnp.exp(fake_scores - level)
        return jnp.clip(real, 0.0, 1.0), jnp.clip(fake, 0.0, 1.0)


@dataclass(frozen=True)
class BoundarySeeking(Minimax):
    """Boundary-seeking GAN, arXiv 1702.08431, of continuous data: the first game's discriminator."""

    def generator(
        self, real_scores: PerExample | None, fake_scores: PerExample, *, axis_name: AxisName = None
    ) -> Losses:
        """D(G(z))^2 / 2, D the logit."""
        return softmax.boundary_seeking_generator(fake_scores)


RELATIVISTIC = {
    ("logistic", False): (relativistic.relativistic_discriminator, relativistic.relativistic_generator),
    ("logistic", True): (relativistic.relativistic_average_discriminator, relativistic.relativistic_average_generator),
    ("least_squares", False): (
        relativistic.relativistic_least_squares_discriminator,
        relativistic.relativistic_least_squares_generator,
    ),
    ("least_squares", True): (
        relativistic.relativistic_average_least_squares_discriminator,
        relativistic.relativistic_average_least_squares_generator,
    ),
    ("hinge", False): (
        relativistic.relativistic_hinge_discriminator,
        relativistic.relativistic_hinge_generator,
    ),
    ("hinge", True): (
        relativistic.relativistic_average_hinge_discriminator,
        relativistic.relativistic_average_hinge_generator,
    ),
}
"""(discriminator, generator) by loss and average."""

Objective: TypeAlias = (
    Minimax
    | NonSaturating
    | LeastSquares
    | Hinge
    | Wasserstein
    | Energy
    | Relativistic
    | Softmax
    | BoundarySeeking
    | FDivergence
)
