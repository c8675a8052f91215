"""The discriminator's side of StyleGAN 2 and 3: its images blurred and augmented, the penalty on its slope lazy.

Karras et al.: Training Generative Adversarial Networks with Limited Data, 2020, arXiv 2006.06676; the blur: Karras et
al.: Alias-Free Generative Adversarial Networks, 2021, arXiv 2106.12423.

With sp(t) = log(1 + e^t), T the blur and the augmentation, G the generator's images,

    L_D = E sp(-D(T(x))) + E sp(D(T(G)))               (1)
    L_G = E sp(-D(T(G)))                               (2)
    R_1 = gamma / 2 E |grad_x D(T(x))|^2               (3)

the gradient being that in the images before T. A config names what counts here alike: `discriminator`,
`discriminator_optimizer`, `r1`, `blur`, `augmentation`, `image_shape`, `num_classes`. The augmentation's state is a
collection among the discriminator's variables.
"""

from functools import partial
from typing import Any

import jax.numpy as jnp

from jaxgen.gans import styles
from jaxgen.gans.diagnostics import certainty
from jaxgen.gans.discrimination import FAKE, PENALTY, require_no_batch_statistics, score_both
from jaxgen.gans.lazy_regularization import regularize_now_and_then
from jaxgen.gans.objectives import NonSaturating
from jaxgen.gans.styles import Given
from jaxgen.losses.penalties import r1_penalty
from jaxgen.mode import EVALUATION, Mode
from jaxgen.parallel import psum
from jaxgen.train_state import LossOutput, TrainState, apply, blank, create, descend
from jaxgen.typing import Key, Labels, Metrics, PerExample, Points, Scalar, Shape, Variables

OBJECTIVE = NonSaturating()
AUGMENTATION = "augmentation"
"""The collection of the augmentation's state."""

AUGMENTED = 9
"""Of the keys of a pass: a stream besides those of `styles`."""


def create_discriminator(config: Any, key: Key, *conditions: Shape) -> TrainState:
    """A fresh discriminator, given conditions of these shapes. ValueError for one with batch statistics."""
    inputs = blank(config.image_shape), *map(blank, conditions), ()
    discriminator = create(config.discriminator, config.discriminator_optimizer, key, *inputs)
    require_no_batch_statistics(discriminator)
    return _with_augmentation(discriminator, config.augmentation.init())


def score(
    config: Any, variables: Variables, inputs: tuple[Points, Given], mode: Mode = EVALUATION
) -> tuple[PerExample, Variables]:
    """D(T(x)), or D(T(x)|y), T in training alone; the discriminator's variables after the pass."""
    images, given = inputs
    if mode.train:
        images = config.blur.transform(images, mode.current_step("a blur that fades"))
        keys = mode.stream(AUGMENTED).example_keys("an augmentation")
        images = config.augmentation.transform(images, variables[AUGMENTATION]["state"], keys)
    return apply(config.discriminator, variables, images, *given, (), mode=mode)


def discriminator_loss(
    config: Any, variables: Variables, real: Points, fake: Points, given: Given, mode: Mode
) -> LossOutput:
    """Equation 1, mean over the batch; `real_sign`, E sign(D(T(x))), is what an adaptive augmentation follows."""
    scores, variables = score_both(partial(score, config), variables, (real, given), (fake, given), mode)
    loss = OBJECTIVE.discriminator(*scores).mean()
    metrics = {"discriminator_loss": loss, "real_sign": jnp.sign(scores[0]).mean()}
    return loss, (metrics | certainty(OBJECTIVE, *scores, mode.axis_name), variables)


def slope_loss(config: Any, variables: Variables, real: Points, given: Given, mode: Mode) -> LossOutput:
    """`r1.every` times equation 3, mean over the batch; `r1` is as many times E |grad_x D(T(x))|^2."""

    def critic(images: Points) -> PerExample:
        return score(config, variables, (images, given), mode.stream(PENALTY))[0]

    penalty = config.r1.every * r1_penalty(critic, real).mean()
    return config.r1.weight * penalty, ({"r1": 2 * penalty}, variables)


def generator_value(config: Any, opponent: Variables, fake: Points, given: Given, mode: Mode) -> Scalar:
    """Equation 2 of images of the generator, mean over the batch; D is constant."""
    scores, _ = score(config, opponent, (fake, given), mode.stream(FAKE))
    return OBJECTIVE.generator(None, scores).mean()


def discriminator_steps(
    config: Any, player: TrainState, examples: tuple[Points, Points, Given], mode: Mode
) -> tuple[TrainState, Metrics]:
    """One step down equation 1, at some updates one down equation 3; `examples` are real images, fakes and classes."""
    (real, _, given), axis_name = examples, mode.axis_name
    loss, inputs = partial(discriminator_loss, config), (*examples, mode)
    player, metrics = descend(player, loss, inputs, axis_name, "discriminator")
    if config.r1.weight == 0:
        return player, metrics
    loss, inputs = partial(slope_loss, config), (real, given, mode)
    player, found = regularize_now_and_then(config.r1.every, player, loss, inputs, axis_name)
    return player, metrics | found


def follow_scores(config: Any, player: TrainState, real_sign: Scalar, num: int, mode: Mode) -> TrainState:
    """The discriminator whose augmentation has followed the scores of `num` real images of this device."""
    before, total = player.collections[AUGMENTATION]["state"], psum(num, mode.axis_name)
    step = mode.current_step("an augmentation")
    return _with_augmentation(player, config.augmentation.update(before, real_sign, step, total))


def discriminate(config: Any, state: Any, points: Points, condition: Labels | None = None) -> PerExample:
    """D(x), or D(x|y), before any sigmoid, the images compared with each other where D compares them."""
    given = styles.classes(config, condition, points.shape[0])
    return score(config, state.discriminator.variables, (points, given))[0]


def _with_augmentation(player: TrainState, state: Any) -> TrainState:
    return player.replace(collections={**player.collections, AUGMENTATION: {"state": state}})
