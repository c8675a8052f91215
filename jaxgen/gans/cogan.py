"""Coupled GAN (CoGAN): images of two domains that belong together, learned without pairs.

Liu, Tuzel: Coupled Generative Adversarial Networks, 2016, arXiv 1606.07536.

Each domain has a generator and a discriminator. The generators share their first layers, in which the meaning of an
image is decided, and the discriminators their last ones, which judge it. Both generators are given the same latents.
The players minimise the sums of two GANs' losses (equation 5, with the layers shared),

    L_D = sum over domains i of E[-log D_i(x_i)] + E[-log(1 - D_i(G_i(z)))],      (1)
    L_G = sum over domains i of E[-log D_i(G_i(z))],                              (2)

and images of one latent become a pair, though D never sees two images together. A step of both discriminators, then one
of both generators, each with latents of its own. A shared layer is one set of weights: its gradient is the sum of both
domains' gradients, whatever the optimiser and the number of devices.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import Coupled
from jaxgen.gans.diagnostics import certainty, diversity
from jaxgen.gans.discrimination import GENERATOR, Network, score_both
from jaxgen.gans.networks import AdversarialState, generator_step
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.images import scale, squash
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.cogan import CoGANDiscriminator, CoGANGenerator, CoGANImageLayer, CoGANStem
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal, Prior
from jaxgen.sampling import sampler
from jaxgen.train_state import LossOutput, apply, blank, create_parts, descend, training_mode
from jaxgen.typing import AxisName, Key, Latents, Metrics, PerExample, Points, Shape, Variables

A, B = DOMAINS = "a", "b"
SHARED = "shared"

OF_DOMAIN, OF_SHARED = {A: 8, B: 9}, 10
"""Of the keys of what each domain has of its own, and of the discriminators' shared layers: streams beside those of
`discrimination`."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of the authors' code for digits and their edges."""

    prior: Prior = Normal(100)  # p(z)
    shared_generator: nn.Module = CoGANGenerator()  # z to maps: the beginning of both generators
    generator: nn.Module = CoGANImageLayer()  # maps to image: the end of each
    discriminator: nn.Module = CoGANStem()  # image to maps: the beginning of each
    shared_discriminator: nn.Module = CoGANDiscriminator()  # maps to score: the end of both
    objective: Objective = NonSaturating()  # of each domain
    generator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))  # of both generators
    discriminator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))  # of both discriminators
    average: MovingAverage = NoAverage()  # of the generators, from which samples are drawn

    batch_type: ClassVar = Coupled


State: TypeAlias = AdversarialState  # a, b and shared are parts of each player


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers; both generators are one player, and so are both discriminators."""
    key_generator, key_discriminator = jax.random.split(key)
    latents, images = blank(config.prior.shape), blank(config.image_shape)
    maps, hidden = (
        blank(_shape_of(net, inputs))
        for net, inputs in ((config.shared_generator, latents), (config.discriminator, images))
    )
    parts = dict.fromkeys(DOMAINS, (config.generator, maps, config.image_shape))
    parts |= {SHARED: (config.shared_generator, latents, ())}
    generator = create_parts(parts, config.generator_optimizer, key_generator)
    parts = dict.fromkeys(DOMAINS, (config.discriminator, images, ()))
    parts |= {SHARED: (config.shared_discriminator, hidden, ())}
    discriminator = create_parts(parts, config.discriminator_optimizer, key_discriminator)
    return State(generator, discriminator, ema=generator.variables)


def _shape_of(net: nn.Module, inputs: jax.Array) -> Shape:
    """Of an example of a network's outputs; nothing is computed."""
    return jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), inputs, ())[0]).shape[1:]


def generate(
    config: Config, variables: Variables, latents: Latents, mode: Mode = EVALUATION
) -> tuple[Coupled, Variables]:
    """G_a(z) and G_b(z), in the value range, and the variables after the passes."""
    inputs = latents, ()
    maps, variables = apply(config.shared_generator, variables, *inputs, mode=mode.stream(GENERATOR), part=SHARED)
    images = []
    for domain in DOMAINS:
        own, inputs = mode.stream(OF_DOMAIN[domain]), (maps, config.image_shape)
        outputs, variables = apply(config.generator, variables, *inputs, mode=own, part=domain)
        images.append(squash(outputs, config.value_range))
    return Coupled(*images), variables


def scorer(config: Config, domain: str) -> Network:
    """The discriminator of a domain, as a function of its images."""

    def network(variables: Variables, images: Points, mode: Mode = EVALUATION) -> tuple[PerExample, Variables]:
        own = mode.stream(OF_DOMAIN[domain])
        maps, variables = apply(config.discriminator, variables, images, (), mode=own, part=domain)
        shared = own.stream(OF_SHARED)
        return apply(config.shared_discriminator, variables, maps, (), mode=shared, part=SHARED)

    return network


def discriminator_loss(config: Config, variables: Variables, real: Coupled, fake: Coupled, mode: Mode) -> LossOutput:
    """Equation 1, mean over the batch."""
    losses, scores = [], []
    for domain in DOMAINS:
        both = getattr(real, domain), getattr(fake, domain)
        found, variables = score_both(scorer(config, domain), variables, *both, mode)
        losses.append(config.objective.discriminator(*found, axis_name=mode.axis_name).mean())
        scores.append(found)
    loss, metrics = _summed(losses, "discriminator_loss")
    real_scores, fake_scores = (jnp.concatenate(each) for each in zip(*scores, strict=True))
    return loss, (metrics | certainty(config.objective, real_scores, fake_scores, mode.axis_name), variables)


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, real: Coupled, latents: Latents, mode: Mode
) -> LossOutput:
    """Equation 2, mean over the batch; real images count for an objective that compares fakes with them."""
    fake, variables = generate(config, variables, latents, mode)
    losses = []
    for domain in DOMAINS:
        given = getattr(real, domain) if config.objective.needs_real else None
        scores, _ = score_both(scorer(config, domain), opponent, given, getattr(fake, domain), mode)
        losses.append(config.objective.generator(*scores, axis_name=mode.axis_name).mean())
    loss, metrics = _summed(losses, "generator_loss")
    return loss, (metrics, variables)


def _summed(losses: list[jax.Array], name: str) -> tuple[jax.Array, Metrics]:
    """The sum over the domains; it and its terms by name."""
    loss = jnp.stack(losses).sum()
    return loss, {name: loss} | {f"{name}/{domain}": each for domain, each in zip(DOMAINS, losses, strict=True)}


def update(
    config: Config, state: State, batch: Coupled, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of both discriminators, then one of both generators.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: as many images of each domain, uint8 or floats in range; nothing links `a[i]` to `b[i]`.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_latents, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    real = Coupled(*(scale(each, config.value_range) for each in batch))
    num = real.a.shape[0]
    mode = training_mode(state.generator, key_pass, num, axis_name)
    fake, _ = generate(config, state.generator.variables, config.prior.draw(key_latents, num, axis_name), mode)
    inputs, loss = (real, fake, mode), partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")

    mode = training_mode(state.generator, key_generator_pass, num, axis_name)
    inputs = discriminator.variables, real, config.prior.draw(key_generator, num, axis_name), mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    metrics = metrics_d | metrics_g | diversity(real.a, fake.a, axis_name)
    return State(generator, discriminator, ema), metrics


def discriminate(config: Config, state: State, points: Points, condition: None = None) -> PerExample:
    """The score of each image as one of domain a, with running statistics and without dropout."""
    return scorer(config, A)(state.discriminator.variables, points, EVALUATION)[0]


def pairs_from_latents(config: Config, state: State, latents: Latents) -> Coupled:
    """G_a(z) and G_b(z) of the moving average."""
    return generate(config, state.ema, latents)[0]


def from_latents(config: Config, state: State, latents: Latents, condition: None = None) -> Points:
    """G_a(z) of the moving average."""
    return pairs_from_latents(config, state, latents).a


sample = sampler(from_latents)
