"""The game of a critic with a gradient penalty: what both players pay, and the critic's steps of one update.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: Improved Training of Wasserstein GANs, 2017, arXiv 1704.00028.

A model's config names what counts here alike: `penalty_weight`, `one_sided`, `critic_steps`, `regularization`, and
`critic`, `prior`, `value_range`. Its state holds `generator` and `critic`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax

from jaxgen.batches import Labelled
from jaxgen.conditions import one_hot
from jaxgen.gans.diagnostics import diversity, means
from jaxgen.gans.discrimination import FAKE, PENALTY, Network, score_both
from jaxgen.gans.latent_consistency import fixed_neighbours, keep_apart, with_latent_consistency
from jaxgen.gans.networks import fixed_fakes, scorer
from jaxgen.gans.regularization import regularize, scores_of
from jaxgen.gans.top_k import mean_of_best
from jaxgen.images import scale
from jaxgen.losses.adversarial import wasserstein_critic, wasserstein_generator
from jaxgen.losses.penalties import gradient_penalty, interpolate
from jaxgen.mode import Mode
from jaxgen.parallel import draw, example_keys, split
from jaxgen.train_state import LossOutput, TrainState, descend
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, PerExample, Points, Scalar, Variables


def critic_value(
    config: Any, network: Network, variables: Variables, points: tuple[Points, Points, PerExample], mode: Mode
) -> tuple[tuple[Any, Any], LossOutput]:
    """Outputs for real points x and fakes x~, and equation 3 with what regularises it, mean over the batch.

    Equation 3 is E[D(x~)] - E[D(x)] + lambda E[(|grad D(x^)|_2 - 1)^2], with x^ = eps x + (1 - eps) x~.

    Args:
        config: settings of the model.
        network: the critic; its score is all of its outputs, or the first of several.
        variables: of the network.
        points: x, x~ and eps, uniform in [0, 1), one for each example.
        mode: of the passes.
    """
    real, fake, mix = points
    slope_of = lambda points: scores_of(network(variables, points, mode.stream(PENALTY))[0])  # noqa: E731
    penalty = gradient_penalty(slope_of, interpolate(real, fake, mix), one_sided=config.one_sided).mean()
    outputs, after = score_both(network, variables, real, fake, mode, joint=True)  # one pass for both
    difference = wasserstein_critic(*map(scores_of, outputs)).mean()  # E[D(x~)] - E[D(x)]
    scored = (real, fake), outputs
    terms, (logged, changed) = regularize(config.regularization, network, variables, scored, mode)
    loss = difference + config.penalty_weight * penalty + terms
    metrics = {"critic_loss": loss, "wasserstein_estimate": -difference, "gradient_penalty": penalty}
    return outputs, (loss, (metrics | logged, after | changed))


def generator_value(
    config: Any, variables: Variables, critic: Variables, latents: Latents, fake: Points, mode: Mode
) -> tuple[Scalar, Metrics]:
    """-E[D(x~)] over the fakes that count, mean over the batch, with what keeps them apart; and what is logged.

    Args:
        config: settings of the model.
        variables: of the generator, before the pass that made the fakes.
        critic: its variables.
        latents: of the fakes.
        fake: x~.
        mode: of the pass that made them.
    """
    apart, logged = keep_apart(config, variables, (latents,), fake, mode)
    scores, _ = scorer(config.critic)(critic, fake, mode.stream(FAKE))
    loss = mean_of_best(config.regularization.top_k, wasserstein_generator(scores), scores, mode)
    return loss + apart, {"generator_loss": loss} | logged


class Game(NamedTuple):
    """A critic, and what it pays."""

    network: Network  # its score is all of its outputs, or the first of several
    loss: Callable[..., LossOutput]  # (config, variables, real, fake, eps, mode)


def critic_steps(
    config: Any, state: Any, batch: Batch | Labelled, keys: tuple[Key, Key, Key], game: Game, axis_name: AxisName
) -> tuple[TrainState, Metrics]:
    """The critic after n_critic steps of Algorithm 1, lines 2 to 10, and means of what it logged, with the diversity.

    Fakes are of the labels of a batch that has them; the loss is then given images with their labels as real ones.

    Args:
        config: settings of the model.
        state: of the model; its generator does not change meanwhile.
        batch: n_critic minibatches; step t takes every n_critic-th example from the t-th on.
        keys: of the latents, of eps, and of the passes.
        game: the critic and its loss.
        axis_name: of the devices that share the batch, or None.
    """
    key_latents, key_mix, key_pass = keys
    mode, num = Mode(step=state.generator.step, train=True, axis_name=axis_name), len(_images(batch))
    # Noise for all critic steps in one draw each: on a CPU every draw is a loop of many small operations.
    passes = example_keys(key_pass, num, axis_name)
    latents = config.prior.draw(key_latents, num, axis_name)
    mix = draw(jax.random.uniform, key_mix, num, axis_name)
    given = (latents, one_hot(batch.labels, config.num_classes)) if isinstance(batch, Labelled) else (latents,)
    real, given, mix, passes = split((batch, given, mix, passes), config.critic_steps)
    fake = fixed_fakes(config, state.generator.variables, (*given, passes), mode)
    near = fixed_neighbours(config, state.generator.variables, (*given, passes), mode)
    total = with_latent_consistency(config, game.network, partial(game.loss, config))

    def step(critic: TrainState, minibatch: Any) -> tuple[TrainState, Metrics]:
        real, fake, near, mix, passes = minibatch
        images = scale(_images(real), config.value_range)
        real = real._replace(images=images) if isinstance(real, Labelled) else images
        inputs = (fake, near), real, fake, mix, mode.with_keys(passes)
        return descend(critic, total, inputs, axis_name, "critic")

    critic, metrics = jax.lax.scan(step, state.critic, (real, fake, near, mix, passes))
    return critic, means(metrics) | diversity(scale(_images(real)[0], config.value_range), fake[0], axis_name)


def _images(batch: Any) -> Any:
    return batch.images if isinstance(batch, Labelled) else batch
