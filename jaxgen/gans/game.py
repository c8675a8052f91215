"""The two players' values for an objective, from scores of real examples and of fakes.

A model's config names what counts here alike: `objective`, `discrimination`, `regularization`.
"""

from typing import Any

from jaxgen.gans.diagnostics import certainty
from jaxgen.gans.discrimination import Network, flip_labels, score_both
from jaxgen.gans.objectives import Energy
from jaxgen.gans.regularization import regularize, scores_of
from jaxgen.gans.top_k import mean_of_best
from jaxgen.mode import Mode
from jaxgen.train_state import LossOutput
from jaxgen.typing import Metrics, PerExample, Scalar, Variables


def discriminator_step_value(
    config: Any, network: Network, variables: Variables, real: Any, fake: Any, mode: Mode
) -> tuple[tuple[Any, Any], LossOutput]:
    """The network's outputs for real and for fake inputs, and what they cost: objective and regularisation.

    The score is all of a network's outputs, or the first of several. `discriminator_loss` among what is logged is the
    objective's value alone.
    """
    joint = config.discrimination.joint
    outputs, after = score_both(network, variables, real, fake, mode, joint=joint)
    real_scores, fake_scores = map(scores_of, outputs)
    loss, metrics = discriminator_value(config, real_scores, fake_scores, mode)
    scored = (real, fake), outputs
    terms, (logged, changed) = regularize(config.regularization, network, variables, scored, mode, joint=joint)
    return outputs, (loss + terms, (metrics | logged, after | changed))


def discriminator_value(
    config: Any, real_scores: PerExample, fake_scores: PerExample, mode: Mode
) -> tuple[Scalar, Metrics]:
    """What the discriminator minimises, mean over the batch, and what is logged, without flipped labels."""
    labelled = flip_labels(config.discrimination.flip, real_scores, fake_scores, mode)
    loss = config.objective.discriminator(*labelled, axis_name=mode.axis_name).mean()
    logged = certainty(config.objective, real_scores, fake_scores, mode.axis_name)
    return loss, {"discriminator_loss": loss} | logged


def generator_value(
    config: Any, real_scores: PerExample | None, fake_scores: PerExample, mode: Mode
) -> tuple[Scalar, Metrics]:
    """What the generator minimises, mean over the fakes that count, and what is logged."""
    losses = config.objective.generator(real_scores, fake_scores, axis_name=mode.axis_name)
    energies = isinstance(config.objective, Energy)
    loss = mean_of_best(config.regularization.top_k, losses, fake_scores, mode, lowest=energies)
    return loss, {"generator_loss": loss}


def score_fakes(
    config: Any, network: Network, opponent: Variables, real: Any, fake: Any, mode: Mode
) -> tuple[Any, Any]:
    """The opponent's outputs for real inputs and for fakes in the generator's step.

    Real ones are seen only by an objective that compares them with fakes: their outputs are None otherwise.
    """
    real = real if config.objective.needs_real else None
    return score_both(network, opponent, real, fake, mode, joint=config.discrimination.joint)[0]
