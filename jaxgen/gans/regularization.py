"""What the players pay besides the objective, as values that any model of the family takes; all off by default.

The discriminator's terms are added to what it minimises:

- consistency under transformations T (CR), lambda E (D(x) - D(T(x)))^2: Zhang et al., 2019, arXiv 1910.12027; of fakes
  as well (bCR): Zhao et al.: Improved Consistency Regularization for GANs, 2020, arXiv 2002.04724.
- consistency of fakes of neighbouring latents (zCR), of the same paper: `jaxgen.gans.latent_consistency`, which has the
  generator's term too.
- LeCam: Tseng et al.: Regularizing Generative Adversarial Networks under Limited Data, 2021, arXiv 2104.03310.
- R1 and R2, (gamma / 2) E|grad D|^2 at real examples or at fakes: Mescheder et al., 2018, arXiv 1801.04406; at some of
  the updates alone: Karras et al., 2019, arXiv 1912.04958.
- the penalties of DRAGAN and of WGAN-div, at points that are drawn: `jaxgen.gans.drawn_penalties`.

The generator also has a choice of its fakes: `jaxgen.gans.top_k`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxgen.augmentations import mirror, require_images, translate
from jaxgen.checks import NonNegativeFloat, NonNegativeInt, PositiveInt, require, require_bounds
from jaxgen.gans.discrimination import FAKE, REAL, Network, require_no_batch_statistics, score_both
from jaxgen.gans.drawn_penalties import Divergence, Perturbed, divergence, perturbed_penalty
from jaxgen.gans.top_k import TopK
from jaxgen.losses.penalties import r1_penalty, r2_penalty
from jaxgen.losses.regularizers import consistency_penalty, lecam_penalty
from jaxgen.mode import ExampleKeys, Mode
from jaxgen.parallel import pmean
from jaxgen.train_state import LossOutput, TrainState
from jaxgen.typing import Images, PerExample, Points, Scalar, Variables

ANCHORS = "anchors"
"""The collection of LeCam's averages among the discriminator's variables."""

CONSISTENCY = 5
"""Of the keys of T: a stream besides those of `discrimination`."""


@dataclass(frozen=True)
class Consistency:
    """T mirrors an image or not, and moves it by whole pixels; what comes in is 0."""

    real: NonNegativeFloat = 0.0  # lambda of real examples: 10 in the papers
    fake: NonNegativeFloat = 0.0  # lambda of fakes: 10 in bCR
    shift: float = 0.125  # farthest move of T, as a share of the side
    flip: bool = True  # whether T mirrors one image of two

    def __post_init__(self):
        require_bounds(self)
        require(0 <= self.shift <= 1, "shift", self.shift, "in [0, 1]")


@dataclass(frozen=True)
class LeCam:
    """Scores are drawn to the moving average of the other kind's: `losses.lecam_penalty`.

    The averages are those of the batches' mean scores, the present one included. Up to update `begin` they are the
    present batch's.
    """

    weight: NonNegativeFloat = 0.0  # lambda: 0.3 in the authors' code for BigGAN on CIFAR-10
    decay: float = 0.99  # of the averages
    begin: NonNegativeInt = 0  # first update with the penalty
    one_sided: bool = True  # the form of the authors' code; the paper's is of both sides

    def __post_init__(self):
        require_bounds(self)
        require(0 <= self.decay < 1, "decay", self.decay, "in [0, 1)")


@dataclass(frozen=True)
class Slope:
    """A penalty on the slope of D in its images, the score of each example its own: no batch statistics."""

    weight: NonNegativeFloat = 0.0  # gamma: 10 in the paper, whose code leaves out the half: 20 here
    every: PositiveInt = 1  # updates from one with the penalty, then multiplied by this number, to the next

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class LatentConsistency:
    """zCR: what both players pay for fakes of z and of z plus noise; equations in `jaxgen.gans.latent_consistency`."""

    discriminator: NonNegativeFloat = 0.0  # lambda_dis: 5, or 20 as in StudioGAN
    generator: NonNegativeFloat = 0.0  # lambda_gen: 0.5
    std: float = 0.03  # sigma, of the noise that is added to z; 0.05 in StudioGAN

    def __post_init__(self):
        require_bounds(self)
        require(self.std > 0, "std", self.std, "above 0")


@dataclass(frozen=True)
class Regularization:
    """Settings; none of them does anything by default."""

    consistency: Consistency = Consistency()
    lecam: LeCam = LeCam()
    r1: Slope = Slope()  # at real examples
    r2: Slope = Slope()  # at fakes
    top_k: TopK = TopK()
    latent: LatentConsistency = LatentConsistency()
    perturbed: Perturbed = Perturbed()  # DRAGAN, around real examples
    divergence: Divergence = Divergence()  # WGAN-div, between real examples and fakes


IMPROVED_CONSISTENCY = Regularization(Consistency(real=10.0, fake=10.0), latent=LatentConsistency(5.0, 0.5))
"""bCR and zCR together (ICR), with weights in common use."""


def prepared(regularization: Regularization, discriminator: TrainState) -> TrainState:
    """The fresh discriminator with what its terms keep. ValueError for batch statistics and a penalty on slopes."""
    slopes = regularization.r1, regularization.r2, regularization.perturbed, regularization.divergence
    if any(term.weight > 0 for term in slopes):
        require_no_batch_statistics(discriminator)
    if regularization.lecam.weight == 0:
        return discriminator
    anchors = {name: jnp.zeros((), jnp.float32) for name in ("real", "fake")}
    return discriminator.replace(collections={**discriminator.collections, ANCHORS: anchors})


def regularize(
    regularization: Regularization,
    network: Network,
    variables: Variables,
    scored: tuple[tuple[Any, Any], tuple[Any, Any]],
    mode: Mode,
    *,
    joint: bool = False,
) -> LossOutput:
    """The discriminator's terms, weighted, mean over the batch; each that counts by name, and the collections it moves.

    Args:
        regularization: settings.
        network: the discriminator, its inputs images alone or a tuple that they begin, its outputs scores alone or a
            tuple that they begin.
        variables: of the network, before the passes.
        scored: real inputs and fake ones, and the network's outputs for them.
        mode: of the passes.
        joint: as the outputs were made: `score_both`.
    """
    (inputs, outputs), weights = scored, regularization
    terms, changed = {}, {}
    if weights.consistency.real > 0 or weights.consistency.fake > 0:

        def both(real: Any, fake: Any) -> tuple[Any, Any]:
            return score_both(network, variables, real, fake, mode, joint=joint)[0]

        terms["consistency"] = _consistency(weights.consistency, both, inputs, outputs, mode)
    if weights.lecam.weight > 0:
        scores = scores_of(outputs[0]), scores_of(outputs[1])
        terms["lecam"], changed = _lecam(weights.lecam, variables[ANCHORS], *scores, mode)
    (real, fake), critic = map(_points, inputs), critic_of(network, variables, inputs[0], mode.stream(REAL))
    if weights.r1.weight > 0:
        terms["r1"] = slope_term(weights.r1, partial(r1_penalty, critic), real, mode)
    if weights.r2.weight > 0:
        of_fakes = critic_of(network, variables, inputs[1], mode.stream(FAKE))
        terms["r2"] = slope_term(weights.r2, partial(r2_penalty, of_fakes), fake, mode)
    if weights.perturbed.weight > 0:
        terms["perturbed"] = perturbed_penalty(weights.perturbed, critic, real, mode).mean()
    if weights.divergence.weight > 0:
        terms["divergence"] = divergence(weights.divergence, critic, real, fake, mode).mean()
    return sum(terms.values(), jnp.zeros(())), (terms, changed)


def scores_of(outputs: Any) -> PerExample:
    """A network's scores, which are all of its outputs or the first of several."""
    return outputs[0] if isinstance(outputs, tuple) else outputs


def _consistency(
    consistency: Consistency,
    both: Callable[[Any, Any], tuple[Any, Any]],
    inputs: tuple[Any, Any],
    outputs: tuple[Any, Any],
    mode: Mode,
) -> Scalar:
    """lambda (D(x) - D(T(x)))^2 of real examples and of fakes, summed over all outputs of a network.

    Both are passed through the network as they were without T, with the same keys; what is not used costs nothing.
    """
    moved = []
    for number, examples in enumerate(inputs):
        require_images(_points(examples), "consistency")
        keys = mode.stream(CONSISTENCY + number).example_keys("consistency")
        moved.append(_with_points(examples, transformed(consistency, _points(examples), keys)))
    real, fake = map(output_distance, outputs, both(*moved))
    kinds = [(consistency.real, real), (consistency.fake, fake)]
    return sum((weight * value.mean() for weight, value in kinds if weight > 0), jnp.zeros(()))


def transformed(consistency: Consistency, images: Images, keys: ExampleKeys) -> Images:
    """T(x), T drawn for each image."""
    height, width = (math.floor(size * consistency.shift + 0.5) for size in images.shape[1:3])
    farthest = jnp.array([height, width], jnp.int32)

    def draw(key: jax.Array) -> tuple[Array, Array]:
        of_flip, of_steps = jax.random.split(key)
        return jax.random.bernoulli(of_flip), jax.random.randint(of_steps, (2,), -farthest, farthest + 1)

    flips, steps = jax.vmap(draw)(keys)
    images = mirror(images, flips) if consistency.flip else images
    return translate(images, steps, (height, width)) if consistency.shift > 0 else images


def _lecam(
    lecam: LeCam, anchors: dict[str, Scalar], real_scores: PerExample, fake_scores: PerExample, mode: Mode
) -> tuple[Scalar, Variables]:
    """lambda times the penalty, and the anchors that it was taken at."""
    step = mode.current_step("LeCam regularisation")
    decay = jnp.where(step > lecam.begin, jnp.float32(lecam.decay), jnp.float32(0.0))
    present = {"real": real_scores.mean().astype(jnp.float32), "fake": fake_scores.mean().astype(jnp.float32)}
    present = pmean(jax.lax.stop_gradient(present), mode.axis_name)
    anchors = {name: decay * anchors[name] + (1.0 - decay) * mean for name, mean in present.items()}
    penalty = lecam_penalty(real_scores, fake_scores, anchors["real"], anchors["fake"], one_sided=lecam.one_sided)
    weight = jnp.where(step >= lecam.begin, jnp.float32(lecam.weight), jnp.float32(0.0))
    return weight * penalty.mean(), {ANCHORS: anchors}


def slope_term(slope: Slope, penalty: Callable[[Points], PerExample], points: Points, mode: Mode) -> Scalar:
    """gamma times the penalty, mean over the batch, or now and then `every` times that.

    Args:
        slope: gamma, and how often.
        penalty: of points (B, ...), (B,).
        points: at which the slope is taken.
        mode: of the pass, with the step.
    """
    return at_some_updates(slope.every, mode, lambda: slope.weight * penalty(points).mean(), points)


def at_some_updates(every: int, mode: Mode, value: Callable[[], Any], points: Points) -> Any:
    """`value()`; with `every` above 1 that many times it at each `every`-th update, from the first on, else 0.

    Args:
        every: updates from one with the value to the next.
        mode: of the pass.
        value: one number in float32, or a tree of them.
        points: what it is of; the 0 is made of them, so that devices that share them share it.
    """
    if every == 1:
        return value()
    due = mode.current_step("a penalty at some updates alone") % every == 0
    nothing = jax.tree.map(lambda _: 0.0 * points.mean().astype(jnp.float32), jax.eval_shape(value))
    return jax.lax.cond(due, lambda: jax.tree.map(lambda leaf: every * leaf, value()), lambda: nothing)


def critic_of(network: Network, variables: Variables, inputs: Any, mode: Mode) -> Callable[[Points], PerExample]:
    """The scores of points that take the place of the inputs' own, their conditions the same."""
    return lambda points: scores_of(network(variables, _with_points(inputs, points), mode)[0])


def _points(inputs: Any) -> Points:
    return inputs[0] if isinstance(inputs, tuple) else inputs


def _with_points(inputs: Any, points: Points) -> Any:
    return (points, *inputs[1:]) if isinstance(inputs, tuple) else points


def output_distance(outputs: Any, others: Any) -> PerExample:
    """|D(x) - D(y)|^2 of each example, summed over all outputs of a network."""
    return jnp.stack(jax.tree.leaves(jax.tree.map(_squared_distance, outputs, others))).sum(axis=0)


def _squared_distance(one: Array, other: Array) -> PerExample:
    """|a - b|^2 of each example."""
    return jax.vmap(consistency_penalty, in_axes=1)(*(each.reshape(len(each), -1) for each in (one, other))).sum(axis=0)
