"""Two domains without pairs, there and back: what CycleGAN and its kin share.

In CycleGAN, DiscoGAN and DualGAN the generator is a player of two networks of one form: part `to_b` makes images of
domain b from images of a, `to_a` the reverse. A discriminator of each domain scores its images.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import Unpaired
from jaxgen.gans.discrimination import Network, score_both
from jaxgen.gans.objectives import Objective
from jaxgen.images import scale, squash
from jaxgen.losses.reconstruction import mean_absolute_error
from jaxgen.mode import EVALUATION, Mode
from jaxgen.train_state import TrainState, apply, blank, create_parts
from jaxgen.translation.patches import discriminator_value, generator_value, patch_scorer
from jaxgen.typing import Images, Key, Keys, Metrics, Scalar, Variables

TO_A, TO_B = "to_a", "to_b"
"""Names of the translators."""

A, B = "a", "b"
"""Names of the domains, and of their discriminators."""

JUDGE_A, JUDGE_B, FORTH_A, FORTH_B, BACK_A, BACK_B, SAME_A, SAME_B, HISTORY_A, HISTORY_B = range(10)
"""Streams of the keys of an update: of the discriminators, of the translators by what they make, of the histories."""


class Both(NamedTuple):
    """Something of each domain."""

    a: Any
    b: Any


class Cycles(NamedTuple):
    """Both domains there and back."""

    fakes: Both  # F(b) and G(a)
    reconstructions: Both  # F(G(a)) and G(F(b))


def create_translators(config: Any, key: Key) -> TrainState:
    """Both translators of a config's `generator`, with one optimiser."""
    inputs = config.generator, blank(config.image_shape), config.image_shape
    return create_parts({TO_A: inputs, TO_B: inputs}, config.generator_optimizer, key)


def create_judges(config: Any, key: Key) -> TrainState:
    """A discriminator of a config's form for each domain, with one optimiser."""
    inputs = config.discriminator, blank(config.image_shape), ()
    return create_parts({A: inputs, B: inputs}, config.discriminator_optimizer, key)


def translate(
    config: Any, variables: Variables, part: str, images: Images, mode: Mode = EVALUATION
) -> tuple[Images, Variables]:
    """The images in the other domain, in the value range, and the variables of both translators after the pass."""
    outputs, variables = apply(config.generator, variables, images, config.image_shape, mode=mode, part=part)
    return squash(outputs, config.value_range), variables


def forth(config: Any, variables: Variables, images: Both, mode: Mode) -> tuple[Both, Variables]:
    """F(b) and G(a)."""
    fake_b, variables = translate(config, variables, TO_B, images.a, mode.stream(FORTH_B))
    fake_a, variables = translate(config, variables, TO_A, images.b, mode.stream(FORTH_A))
    return Both(fake_a, fake_b), variables


def cycles(config: Any, variables: Variables, images: Both, mode: Mode) -> tuple[Cycles, Variables]:
    """F(b) and G(a), and what becomes of them on the way back: F(G(a)) and G(F(b))."""
    fakes, variables = forth(config, variables, images, mode)
    again_a, variables = translate(config, variables, TO_A, fakes.b, mode.stream(BACK_A))
    again_b, variables = translate(config, variables, TO_B, fakes.a, mode.stream(BACK_B))
    return Cycles(fakes, Both(again_a, again_b)), variables


def judge(
    config: Any,
    variables: Variables,
    real: Both,
    fakes: Both,
    mode: Mode,
    scorer: Callable[[nn.Module, str], Network] = patch_scorer,
) -> tuple[Both, Variables]:
    """Of each domain the scores of real images and of fakes, and the variables of both discriminators after the passes.

    Where `real` holds None, its scores are None. `scorer` makes a function of images of a discriminator and its name.
    """
    scores = []
    for part, stream in ((A, JUDGE_A), (B, JUDGE_B)):
        images, network = (getattr(real, part), getattr(fakes, part)), scorer(config.discriminator, part)
        found, variables = score_both(network, variables, *images, mode.stream(stream))
        scores.append(found)
    return Both(*scores), variables


def discriminators_value(
    config: Any, variables: Variables, images: Both, fakes: Both, mode: Mode
) -> tuple[Scalar, tuple[Metrics, Variables]]:
    """The objective's value for both discriminators, summed; means of what is logged, and the variables afterwards."""
    scores, variables = judge(config, variables, images, fakes, mode)
    value, logged = value_for_discriminators(config.objective, scores, mode)
    return value, (logged, variables)


def generators_value(config: Any, opponent: Variables, images: Both, fakes: Both, mode: Mode) -> Scalar:
    """The objective's value for the generators of both domains, summed."""
    compared = images if config.objective.needs_real else Both(None, None)
    return value_for_generators(config.objective, judge(config, opponent, compared, fakes, mode)[0], mode)


def value_for_discriminators(objective: Objective, scores: Both, mode: Mode) -> tuple[Scalar, Metrics]:
    """The objective's value of pairs of real and fake scores of each domain, summed; means of what is logged."""
    found = [discriminator_value(objective, real, fake, mode) for real, fake in scores]
    logged = jax.tree.map(lambda a, b: (a + b) / 2, *(metrics for _, metrics in found))
    return jnp.stack([value for value, _ in found]).sum(), logged


def value_for_generators(objective: Objective, scores: Both, mode: Mode) -> Scalar:
    """The objective's value of pairs of real scores, or None, and fake ones of each domain, summed."""
    return jnp.stack([generator_value(objective, real, fake, mode) for real, fake in scores]).sum()


def scaled(config: Any, batch: Unpaired) -> Both:
    """The images of both domains in the value range."""
    return Both(*(scale(images, config.value_range) for images in (batch.a, batch.b)))


def exchanged(pair: Both) -> Both:
    """What is of a as of b, and the reverse."""
    return Both(pair.b, pair.a)


def distance(outputs: Both, targets: Both, error: Callable[..., Any] = mean_absolute_error) -> Scalar:
    """The mean error of both domains, summed: the mean absolute one, or another function of `losses.reconstruction`."""
    return jnp.stack([error(*each).mean() for each in zip(outputs, targets, strict=True)]).sum()


def require_condition(condition: Images | None) -> Images:
    """The images to translate. ValueError if there are none."""
    if condition is None:
        raise ValueError("condition is None, but must be images of domain a, in the value range")
    return condition


def to_a(config: Any, state: Any, keys: Keys, images: Images) -> Images:
    """F(b), in the value range, by the moving average of the translators; the keys play no part."""
    return translate(config, state.ema, TO_A, images)[0]


def to_b(config: Any, state: Any, keys: Keys, images: Images) -> Images:
    """G(a), in the value range, by the moving average of the translators; the keys play no part."""
    return translate(config, state.ema, TO_B, images)[0]


def sample(config: Any, state: Any, key: Keys, num: int, condition: Images | None = None) -> Images:
    """G(a) of each of `num` images, `condition`, in the value range; the key plays no part."""
    return to_b(config, state, key, require_condition(condition))
