"""Discriminators that score patches: what a game is played for with maps of scores.

Each patch of each image counts alike, so that a map of scores is as many examples. A discriminator of several scales
gives a map for each; their values are summed.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.gans.diagnostics import certainty, means
from jaxgen.gans.discrimination import Network
from jaxgen.gans.objectives import Objective
from jaxgen.mode import EVALUATION, Mode
from jaxgen.train_state import apply
from jaxgen.typing import Metrics, Scalar, Variables


def outputs_of(net: nn.Module, part: str | None = None) -> Network:
    """A discriminator as a function of images, its outputs as they are.

    With `part` it is one of several networks of a player: `train_state.create_parts`.
    """

    def network(variables: Variables, images: Any, mode: Mode = EVALUATION) -> tuple[Any, Variables]:
        return apply(net, variables, images, (), mode=mode, part=part)

    return network


def patch_scorer(net: nn.Module, part: str | None = None) -> Network:
    """A discriminator as a function of images: the scores of all patches of a batch, (patches,), of each scale."""

    def network(variables: Variables, images: Any, mode: Mode = EVALUATION) -> tuple[Any, Variables]:
        maps, variables = outputs_of(net, part)(variables, images, mode)
        return jax.tree.map(lambda scores: scores.reshape(-1), maps), variables

    return network


def example_scorer(net: nn.Module, part: str | None = None) -> Network:
    """A critic as a function of images: the score of each, (batch,), the mean over its patches."""

    def network(variables: Variables, images: Any, mode: Mode = EVALUATION) -> tuple[Any, Variables]:
        maps, variables = outputs_of(net, part)(variables, images, mode)
        return maps.reshape(len(maps), -1).mean(axis=1), variables

    return network


def discriminator_value(objective: Objective, real: Any, fake: Any, mode: Mode) -> tuple[Scalar, Metrics]:
    """The objective's value for the discriminator, mean over the patches, sum over scales; what is logged of scores."""
    pairs = list(zip(jax.tree.leaves(real), jax.tree.leaves(fake), strict=True))
    values = [objective.discriminator(*pair, axis_name=mode.axis_name).mean() for pair in pairs]
    logged = [certainty(objective, *pair, mode.axis_name) for pair in pairs]
    return jnp.stack(values).sum(), means(jax.tree.map(lambda *each: jnp.stack(each), *logged))


def generator_value(objective: Objective, real: Any, fake: Any, mode: Mode) -> Scalar:
    """The objective's value for the generator, mean over the patches, sum over scales; `real` may hold None."""
    fakes = jax.tree.leaves(fake)
    reals = jax.tree.leaves(real) or [None] * len(fakes)
    values = [objective.generator(*pair, axis_name=mode.axis_name).mean() for pair in zip(reals, fakes, strict=True)]
    return jnp.stack(values).sum()
