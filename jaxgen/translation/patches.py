"""Discriminators that score patches: what a game is played for with maps of scores.

Each patch of each image counts alike, so that a map of scores is as many examples.
"""

from typing import Any

import flax.linen as nn

from jaxgen.gans.diagnostics import certainty
from jaxgen.gans.discrimination import Network
from jaxgen.gans.objectives import Objective
from jaxgen.mode import EVALUATION, Mode
from jaxgen.train_state import apply
from jaxgen.typing import Metrics, PerExample, Scalar, Variables


def patch_scorer(net: nn.Module, part: str | None = None) -> Network:
    """A discriminator as a function of images: the scores of all patches of a batch, (patches,).

    With `part` it is one of several networks of a player: `train_state.create_parts`.
    """

    def network(variables: Variables, images: Any, mode: Mode = EVALUATION) -> tuple[PerExample, Variables]:
        scores, variables = apply(net, variables, images, (), mode=mode, part=part)
        return scores.reshape(-1), variables

    return network


def discriminator_value(objective: Objective, real: PerExample, fake: PerExample, mode: Mode) -> tuple[Scalar, Metrics]:
    """The objective's value for the discriminator, mean over the patches, and what is logged of its scores."""
    value = objective.discriminator(real, fake, axis_name=mode.axis_name).mean()
    return value, certainty(objective, real, fake, mode.axis_name)


def generator_value(objective: Objective, real: PerExample | None, fake: PerExample, mode: Mode) -> Scalar:
    """The objective's value for the generator, mean over the patches."""
    return objective.generator(real, fake, axis_name=mode.axis_name).mean()
