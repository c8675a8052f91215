"""BicycleGAN: many images of one, learned from pairs; a code says which.

Zhu, Zhang, Pathak, Darrell, Efros, Wang, Shechtman: Toward Multimodal Image-to-Image Translation, 2017, arXiv
1711.11586; steps of the authors' code.

G makes of an input A and a code z an image G(A, z), E finds a code's mean and variance in an image. A batch of pairs is
cut in halves: (A, B), and (A', B') of which B' alone is used. With z_enc from E(B) = N(mu, s^2) and z from N(0, I),

    L_G  = V(D, G(A, z_enc)) + V(D', G(A, z)) + lambda E|G(A, z_enc) - B| + lambda_KL KL(E(B) || N(0, I))    (1)
    L_z  = lambda_latent E|mu(G(A, z)) - z|                                                                 (2)
    L_D  = V_D(D, B, G(A, z_enc)) + V_D(D', B', G(A, z))                                                    (3)

G and E go a step down L_G, where G alone also goes down L_z (through E, which L_z does not move); then D and D'. V are
the values of least squares, without a half (`adversarial_weight`), summed over the scales of a discriminator, means
over its patches. The first terms are the cVAE-GAN, the second ones and (2) the cLR-GAN. The divergence is a mean over
the batch: the authors sum it, of a single pair.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import Paired
from jaxgen.checks import NonNegativeFloat, PositiveInt, require
from jaxgen.gans.networks import AdversarialState, generator_step
from jaxgen.gans.objectives import LeastSquares, Objective
from jaxgen.images import ValueRange, scale, squash
from jaxgen.losses.likelihoods import standard_normal_kl
from jaxgen.losses.reconstruction import mean_absolute_error
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.bicyclegan import CodedUNetTranslator, CodeEncoder, ScaledDiscriminator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import split
from jaxgen.priors import Normal
from jaxgen.train_state import LossOutput, apply, blank, create_parts, descend, training_mode
from jaxgen.translation.cycles import Both, create_judges, discriminators_value, generators_value
from jaxgen.typing import AxisName, Images, Key, Keys, Latents, Metrics, Points, Shape, Variables

GENERATOR, ENCODER = "generator", "encoder"
"""Parts of the player `generator`."""

FROM_ENCODED, FROM_RANDOM, ENCODE, ENCODE_AGAIN = range(10, 14)
"""Streams of the keys of an update, besides those of the discriminators."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's for 256x256 pixels, without the decay of the learning rate."""

    input_shape: Shape = (256, 256, 3)  # of A
    image_shape: Shape = (256, 256, 3)  # of B
    value_range: ValueRange = (-1.0, 1.0)
    code_dim: PositiveInt = 8  # numbers of z
    generator: nn.Module = CodedUNetTranslator()  # A and z to image
    encoder: nn.Module = CodeEncoder()  # image to mean and log variance of z
    discriminator: nn.Module = ScaledDiscriminator()  # D and D'
    objective: Objective = LeastSquares()
    adversarial_weight: NonNegativeFloat = 2.0  # of the objective, for all players
    l1_weight: NonNegativeFloat = 10.0  # lambda
    kl_weight: NonNegativeFloat = 0.01  # lambda_KL
    latent_weight: NonNegativeFloat = 0.5  # lambda_latent
    generator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))  # of G and E
    discriminator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    average: MovingAverage = NoAverage()  # of G and E, by which images are made

    prior = property(lambda self: Normal(self.code_dim))

    batch_type: ClassVar = Paired


State: TypeAlias = AdversarialState
"""What the next update needs. Parts `a` and `b` of the player `discriminator` are D and D'."""


class Noise(NamedTuple):
    """What is drawn for an update, from N(0, I)."""

    deviations: Latents  # z_enc = mu + s deviations
    codes: Latents  # z


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_generator, key_discriminator = jax.random.split(key)
    images, codes = blank(config.image_shape), blank((config.code_dim,))
    parts = {
        GENERATOR: (config.generator, blank(config.input_shape), codes, config.image_shape),
        ENCODER: (config.encoder, images, (2 * config.code_dim,)),
    }
    generator = create_parts(parts, config.generator_optimizer, key_generator)
    return State(generator, create_judges(config, key_discriminator), ema=generator.variables)


def generate(
    config: Config, variables: Variables, inputs: Points, codes: Latents, mode: Mode = EVALUATION
) -> tuple[Images, Variables]:
    """G(A, z) in the value range, and the variables of G and E after the pass."""
    given = inputs, codes, config.image_shape
    outputs, variables = apply(config.generator, variables, *given, mode=mode, part=GENERATOR)
    return squash(outputs, config.value_range), variables


def encode(
    config: Config, variables: Variables, images: Images, mode: Mode = EVALUATION
) -> tuple[tuple[Latents, Latents], Variables]:
    """E(B): mean and log variance of the code, and the variables of G and E after the pass."""
    outputs, variables = apply(config.encoder, variables, images, (2 * config.code_dim,), mode=mode, part=ENCODER)
    return (outputs[:, : config.code_dim], outputs[:, config.code_dim :]), variables


def fakes_of(
    config: Config, variables: Variables, pairs: Paired, noise: Noise, mode: Mode
) -> tuple[tuple[Both, tuple[Latents, Latents]], Variables]:
    """G(A, z_enc), for D, and G(A, z), for D', with E(B); and the variables of G and E after the passes."""
    posterior, variables = encode(config, variables, pairs.targets, mode.stream(ENCODE))
    mean, logvar = posterior
    codes = mean + jnp.exp(logvar / 2) * noise.deviations
    encoded, variables = generate(config, variables, pairs.inputs, codes, mode.stream(FROM_ENCODED))
    random, variables = generate(config, variables, pairs.inputs, noise.codes, mode.stream(FROM_RANDOM))
    return (Both(encoded, random), posterior), variables


def latent_loss(config: Config, variables: Variables, images: Images, codes: Latents, mode: Mode) -> jax.Array:
    """E|mu(G(A, z)) - z| of equation 2, whose gradient reaches E's weights not."""
    fixed = jax.lax.stop_gradient(variables)
    (mean, _), _ = encode(config, fixed, images, mode.stream(ENCODE_AGAIN))
    return mean_absolute_error(mean, codes).mean()


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, halves: tuple[Paired, Images], noise: Noise, mode: Mode
) -> LossOutput:
    """Equations 1 and 2."""
    pairs, others = halves
    (fakes, posterior), variables = fakes_of(config, variables, pairs, noise, mode)
    adversarial = generators_value(config, opponent, Both(pairs.targets, others), fakes, mode)
    l1 = mean_absolute_error(fakes.a, pairs.targets).mean()
    kl = standard_normal_kl(*posterior).mean()
    latent = latent_loss(config, variables, fakes.b, noise.codes, mode)
    loss = config.adversarial_weight * adversarial + config.l1_weight * l1 + config.kl_weight * kl
    metrics = {"generator_loss": adversarial, "l1": l1, "kl": kl, "latent_loss": latent}
    return loss + config.latent_weight * latent, (metrics, variables)


def discriminator_loss(config: Config, variables: Variables, real: Both, fakes: Both, mode: Mode) -> LossOutput:
    """Equation 3."""
    value, (logged, variables) = discriminators_value(config, variables, real, fakes, mode)
    loss = config.adversarial_weight * value
    return loss, (logged | {"discriminator_loss": loss}, variables)


def update(
    config: Config, state: State, batch: Paired, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the generator and the encoder, then one of both discriminators, with the same fakes.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: an even number of inputs and targets, uint8 or floats in range; every other one is of the second half.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    require(len(batch.inputs) % 2 == 0, "batch size", len(batch.inputs), "even: one half is encoded, one is not")
    key_deviations, key_codes, key_pass = jax.random.split(key, 3)
    inputs, targets = split([scale(images, config.value_range) for images in batch], 2)
    pairs, others, num = Paired(inputs[0], targets[0]), targets[1], len(inputs[0])
    noise = Noise(*(config.prior.draw(each, num, axis_name) for each in (key_deviations, key_codes)))
    mode = training_mode(state.generator, key_pass, num, axis_name)
    (fakes, _), _ = fakes_of(config, state.generator.variables, pairs, noise, mode)
    shown = state.discriminator.variables, (pairs, others), noise, mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, shown, axis_name)
    shown, loss = (Both(targets[0], others), fakes, mode), partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, shown, axis_name, "discriminator")
    return State(generator, discriminator, ema), metrics_g | metrics_d


def sample(config: Config, state: State, key: Keys, num: int, condition: Points | None = None) -> Images:
    """G(A, z) of each of `num` inputs, `condition`, in the value range; z of the image's own key."""
    if condition is None:
        raise ValueError("condition is None, but must be the inputs, in the value range")
    return generate(config, state.ema, condition, config.prior.draw(key, num))[0]
