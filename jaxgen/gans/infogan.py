"""InfoGAN: codes that the generator must make visible.

Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel: InfoGAN: Interpretable Representation Learning by Information
Maximizing Generative Adversarial Nets, 2016, arXiv 1606.03657.

The generator makes an image of noise z and codes c, drawn from known distributions; Q, which shares the discriminator's
trunk, predicts the codes of an image. With the bound of the mutual information (equations 4 and 5)

    L_I(G, Q) = E[log Q(c|G(z, c))] + H(c) <= I(c; G(z, c)),

the game is min_{G,Q} max_D V(D, G) - lambda L_I (equation 6). As in the authors' code, Q and the trunk are the
discriminator's player, which thus minimises -lambda L_I too, on its fakes and their codes.

`jaxgen.gans.codes` says which codes there are and how a latent vector holds them.
"""

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import flax.linen as nn
import jax

from jaxgen.checks import NonNegativeFloat
from jaxgen.gans import networks
from jaxgen.gans.codes import (
    CodePrior,
    Codes,
    CodeSettings,
    Predicted,
    categorical_loss,
    continuous_loss,
    sample_codes,
)
from jaxgen.gans.diagnostics import diversity
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.game import discriminator_step_value, generator_value, score_fakes
from jaxgen.gans.latent_consistency import keep_apart, neighbours, with_latent_consistency
from jaxgen.gans.networks import AdversarialState, create_adversaries, generate, generator_step, two_headed
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.gans.regularization import Regularization
from jaxgen.images import scale
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.infogan import InfoGANDiscriminator, InfoGANGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Prior, Uniform
from jaxgen.train_state import LossOutput, descend, training_mode
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, PerExample, Points, Scalar, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's for MNIST."""

    codes: CodeSettings = CodeSettings()  # c
    noise: Prior = Uniform(62)  # of z
    generator: nn.Module = InfoGANGenerator()  # codes and noise to image
    discriminator: nn.Module = InfoGANDiscriminator()  # image to score and Q's outputs, the score first
    objective: Objective = NonSaturating()  # V, as the players minimise it
    categorical_weight: NonNegativeFloat = 1.0  # lambda of the categorical codes
    continuous_weight: NonNegativeFloat = 1.0  # lambda of the continuous codes
    discrimination: Discrimination = Discrimination()  # how D is shown real and fake examples
    regularization: Regularization = Regularization()  # consistency of images and latents, LeCam, R1, R2, top-k
    generator_optimizer: Optimizer = Optimizer(1e-3, Adam(b1=0.5))
    discriminator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    average: MovingAverage = NoAverage()  # of the generator, from which samples are drawn

    prior = property(lambda self: CodePrior(self.codes, self.noise))


State: TypeAlias = AdversarialState  # the discriminator with Q


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    return create_adversaries(config, key, outputs=(1 + config.codes.outputs,))


def information_loss(config: Config, predicted: Predicted, codes: Codes) -> tuple[Scalar, Metrics]:
    """-lambda L_I, mean over the batch, and the bounds L_I, in nats."""
    categorical, continuous = (loss(predicted, codes).mean() for loss in (categorical_loss, continuous_loss))
    loss = config.categorical_weight * categorical + config.continuous_weight * continuous
    return loss, {"categorical_information": -categorical, "continuous_information": -continuous}


def discriminator_loss(
    config: Config, variables: Variables, real: Points, fake: Points, codes: Codes, mode: Mode
) -> LossOutput:
    """D's part of V, and -lambda L_I for Q, mean over the batch; `codes` are those of the fakes."""
    network = two_headed(config.discriminator, config.codes.outputs)
    outputs, (loss, (metrics, variables)) = discriminator_step_value(config, network, variables, real, fake, mode)
    _, (_, of_codes) = outputs
    information, _ = information_loss(config, config.codes.predicted(of_codes), codes)
    return loss + information, (metrics, variables)


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, real: Points, latents: Latents, mode: Mode
) -> LossOutput:
    """G's part of V, and -lambda L_I, mean over the batch."""
    fake, after = generate(config, variables, latents, mode=mode)
    apart, logged = keep_apart(config, variables, (latents,), fake, mode)
    network = two_headed(config.discriminator, config.codes.outputs)
    scores, (_, of_codes) = zip(*score_fakes(config, network, opponent, real, fake, mode), strict=True)
    loss, metrics = generator_value(config, *scores, mode)
    information, bounds = information_loss(config, config.codes.predicted(of_codes), config.codes.codes_of(latents))
    return loss + information + apart, (metrics | bounds | logged, after)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator and Q, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: images, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_fake, key_latents, key_pass, key_generator_pass = jax.random.split(key, 4)
    num, real = len(batch), scale(batch, config.value_range)

    mode = training_mode(state.generator, key_pass, num, axis_name)
    latents = config.prior.draw(key_fake, num, axis_name)
    fake, _ = generate(config, state.generator.variables, latents, mode=mode)
    near = neighbours(config, state.generator.variables, (latents,), mode)
    inputs = (fake, near), real, fake, config.codes.codes_of(latents), mode
    network = two_headed(config.discriminator, config.codes.outputs)
    loss = with_latent_consistency(config, network, partial(discriminator_loss, config))
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")

    mode = training_mode(state.generator, key_generator_pass, num, axis_name)
    inputs = discriminator.variables, real, config.prior.draw(key_latents, num, axis_name), mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    return State(generator, discriminator, ema), metrics_d | metrics_g | diversity(real, fake, axis_name)


def predict_codes(config: Config, state: State, images: Points) -> Predicted:
    """Q(c|x) of images, with running statistics: their most probable categorical code stands for their class."""
    network = two_headed(config.discriminator, config.codes.outputs)
    (_, outputs), _ = network(state.discriminator.variables, images, EVALUATION)
    return config.codes.predicted(outputs)


def discriminate(config: Config, state: State, points: Points, condition: None = None) -> PerExample:
    """D's score of each image, with running statistics and without dropout."""
    network = two_headed(config.discriminator, config.codes.outputs)
    return network(state.discriminator.variables, points, EVALUATION)[0][0]


from_latents, sample = networks.from_latents, sample_codes
