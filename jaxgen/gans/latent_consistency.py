"""Latent consistency (zCR): fakes of neighbouring latents have like scores, and are kept apart by the generator.

Zhao, Singh, Lee, Zhang, Odena, Zhang: Improved Consistency Regularization for GANs, 2020, arXiv 2002.04724,
Algorithm 2. With T(z) = z + e, e ~ N(0, std^2 I), the discriminator and the generator also minimise

    lambda_dis E |D(G(z)) - D(G(T(z)))|^2,      (1)
    -lambda_gen E |G(z) - G(T(z))|^2.           (2)

Without equation 2 the generator could meet equation 1 by giving one image for all latents. Its square is the mean over
the values of an image, so that a weight suits images of all sizes; with the sum it would grow with their number. Both
fakes of a pair have the same classes, codes, dropout masks and noise, and statistics of their own batch.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from jaxgen.gans.codes import CodePrior
from jaxgen.gans.discrimination import FAKE, Network
from jaxgen.gans.networks import generate
from jaxgen.gans.regularization import output_distance
from jaxgen.mode import ExampleKeys, Mode
from jaxgen.train_state import LossOutput
from jaxgen.typing import Latents, Metrics, Points, Scalar, Variables

Loss: TypeAlias = Callable[..., LossOutput]
"""`loss(variables, *inputs)` of a player."""

LATENTS = 7
"""Of the keys of T: a stream besides those of `discrimination` and `regularization`."""


def perturbed(config: Any, latents: Latents, keys: ExampleKeys) -> Latents:
    """T(z), its noise drawn for each example; codes, which the generator is told, stay as they are."""
    kept = config.prior.codes.size if isinstance(config.prior, CodePrior) else 0
    noise = jax.vmap(lambda key: jax.random.normal(key, latents.shape[1:]))(keys)
    return latents + config.regularization.latent.std * noise.at[:, :kept].set(0.0)


def neighbours(config: Any, variables: Variables, inputs: tuple[jax.Array, ...], mode: Mode) -> Points | None:
    """G(T(z)) for the discriminator's step, a constant there; None where equation 1 has no weight.

    Args:
        config: settings of the model.
        variables: of the generator.
        inputs: latents z and the generator's conditions.
        mode: of the pass that made G(z).
    """
    if config.regularization.latent.discriminator == 0:
        return None
    return _near(config, variables, inputs, mode)


def fixed_neighbours(
    config: Any, variables: Variables, minibatches: tuple[jax.Array, ...], mode: Mode
) -> Points | None:
    """`neighbours` of several minibatches, for the fakes of `fixed_fakes`, whose inputs these are."""
    if config.regularization.latent.discriminator == 0:
        return None

    def near(inputs: tuple[jax.Array, ...]) -> Points:
        *given, keys = inputs
        return _near(config, variables, tuple(given), mode.with_keys(keys))

    return jax.vmap(near)(minibatches)


def with_latent_consistency(config: Any, network: Network, loss: Loss) -> Loss:
    """The discriminator's loss plus equation 1, summed over all outputs of the network, mean over the batch.

    Args:
        config: settings of the model.
        network: the discriminator.
        loss: `loss(variables, *inputs)`, the last of the inputs the mode of the pass.

    Returns:
        A loss of `(variables, pair, *inputs)`, the pair being G(z), G(T(z)) or None, and conditions of both.
    """
    weight = config.regularization.latent.discriminator

    def regularized(variables: Variables, pair: tuple[Any, ...], *inputs: Any) -> LossOutput:
        value, (metrics, after) = loss(variables, *inputs)
        fake, near, *conditions = pair
        if near is None:
            return value, (metrics, after)
        mode = inputs[-1].stream(FAKE)
        outputs, others = (network(variables, (points, *conditions), mode)[0] for points in (fake, near))
        term = weight * output_distance(outputs, others).mean()
        sums = {"critic_loss": metrics["critic_loss"] + term} if "critic_loss" in metrics else {}
        return value + term, (metrics | sums | {"latent_consistency": term}, after)

    return regularized


def keep_apart(
    config: Any, variables: Variables, inputs: tuple[jax.Array, ...], fake: Points, mode: Mode
) -> tuple[Scalar, Metrics]:
    """Equation 2, mean over the batch, and what is logged; 0 and nothing where it has no weight.

    Args:
        config: settings of the model.
        variables: of the generator, before the pass.
        inputs: latents z and the generator's conditions.
        fake: G(z).
        mode: of the pass that made it.
    """
    weight = config.regularization.latent.generator
    if weight == 0:
        return jnp.zeros(()), {}
    term = -weight * ((fake - _near(config, variables, inputs, mode)) ** 2).mean()
    return term, {"latent_sensitivity": term}


def _near(config: Any, variables: Variables, inputs: tuple[jax.Array, ...], mode: Mode) -> Points:
    latents, *conditions = inputs
    latents = perturbed(config, latents, mode.stream(LATENTS).example_keys("latent consistency"))
    return generate(config, variables, latents, *conditions, mode=mode)[0]
