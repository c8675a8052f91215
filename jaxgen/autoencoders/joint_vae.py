"""Variational autoencoder with continuous and discrete latents (JointVAE), or with discrete ones alone.

Dupont: Learning Disentangled Joint Continuous and Discrete Representations, 2018, arXiv 1804.00104; discrete alone:
Jang, Gu, Poole: Categorical Reparameterization with Gumbel-Softmax, 2016, arXiv 1611.01144.

An image is made of z ~ N(0, I) and of variables c_1, c_2, ..., each uniform over its categories. The encoder gives
q(z|x), a Gaussian, and independent q(c_i|x), categorical. In training c is relaxed, or hard with the gradient of the
relaxed one (`straight_through`): see `jaxgen.autoencoders.categorical`. With capacities that rise from 0,

    L = E[-log p(x|z, c)] + gamma |KL(q(z|x) || p(z)) - C_z| + gamma |KL(q(c|x) || p(c)) - C_c|           (1)

is minimised, Dupont's objective, or the negative ELBO; both divergences are in closed form, that of c is of the
categorical q(c|x). With relaxed c neither bounds -log p(x). `evidence` draws c exactly and compares probabilities, so
that its bounds are true ones.

Latents that are drawn, interpolated and shown are z and, for each c_i, one number of normal distribution that chooses
its category. Samples are of the categories of c_1 in turn.

Differences from Dupont's code: distances from capacities are those of each image, not of the batch's mean divergences;
pixels are binary; layers are dense, those of Jang et al.'s code.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders import bounds, categorical, variational
from jaxgen.autoencoders.bounds import ELBO, Diagonal, Terms
from jaxgen.autoencoders.categorical import Choices, Codes, ConstantTemperature, Logits, Temperature
from jaxgen.autoencoders.coders import CoderState
from jaxgen.autoencoders.likelihoods import Bernoulli, Likelihood
from jaxgen.autoencoders.variational import decode, decode_each, nll_of_each, observed
from jaxgen.checks import NonNegativeFloat, NonNegativeInt, PositiveInt, require, require_bounds
from jaxgen.conditions import in_turn
from jaxgen.images import scale
from jaxgen.losses.likelihoods import capacity_penalty
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from jaxgen.train_state import LossOutput, apply, blank, create_parts, descend
from jaxgen.typing import AxisName, Batch, Key, Keys, Labels, Latents, Metrics, Points, Scalar, Variables


@dataclass(frozen=True)
class JointCapacity:
    """Equation 1; C_z and C_c rise linearly from 0, C_c no further than q(c|x) can follow."""

    gamma: NonNegativeFloat = 30.0  # weight of the distances from the capacities
    continuous: NonNegativeFloat = 5.0  # nats, the last C_z
    discrete: NonNegativeFloat = 5.0  # nats, the last C_c; at most the sum of the log numbers of categories counts
    steps: PositiveInt = 25_000  # updates over which both rise
    num_samples: PositiveInt = 1  # latents for each image

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the numbers are those of Dupont's code for MNIST, the networks those of Jang et al.'s."""

    continuous_dim: NonNegativeInt = 10  # size of z ~ N(0, I); 0 for discrete latents alone
    categories: tuple[int, ...] = (10,)  # number of categories of each c_i
    encoder: nn.Module = MLP((512, 256))  # x to means and log-variances of z, then logits of each c_i
    decoder: nn.Module = MLP((256, 512))  # z and one-hot c_1, c_2, ... to what the likelihood takes
    temperature: Temperature = ConstantTemperature()  # tau of the relaxation
    straight_through: bool = False  # whether the decoder is given hard c in training
    likelihood: Likelihood = Bernoulli()  # p(x|z, c)
    objective: ELBO | JointCapacity = JointCapacity()  # what is minimised
    optimizer: Optimizer = Optimizer(5e-4, Adam())

    latent_dim = property(lambda self: self.continuous_dim + sum(self.categories))  # of z and one-hot c, as of noise
    codes = property(lambda self: Codes(self.continuous_dim, self.categories))
    prior = property(lambda self: Normal(self.continuous_dim + len(self.categories)))

    def __post_init__(self):
        super().__post_init__()
        wanted = "one or more numbers of at least 2; vae has continuous latents alone"
        require(min(self.categories, default=0) >= 2, "categories", self.categories, wanted)
        capacity = self.objective.continuous if isinstance(self.objective, JointCapacity) else 0.0
        wanted = "0 where continuous_dim is 0: nothing continuous can have a capacity"
        require(self.continuous_dim > 0 or capacity == 0, "objective.continuous", capacity, wanted)


State: TypeAlias = CoderState


class Posterior(NamedTuple):
    """q(z, c|x) of each image."""

    logits: tuple[Logits, ...]  # of each q(c_i|x)
    mean: Latents  # of q(z|x)
    logvar: Latents

    @property
    def normal(self) -> Diagonal:
        """q(z|x)."""
        return Diagonal(self.mean, self.logvar)


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    encoder = config.encoder, blank(config.image_shape), (config.continuous_dim + config.latent_dim,)
    return State(create_parts(variational.coders(config) | {"encoder": encoder}, config.optimizer, key))


def encode(
    config: Config, variables: Variables, targets: Points, mode: Mode = EVALUATION
) -> tuple[Posterior, Variables]:
    """q(z, c|x), and the variables after the pass."""
    inputs = targets, (config.continuous_dim + config.latent_dim,)
    outputs, variables = apply(config.encoder, variables, *inputs, mode=mode.stream(0), part="encoder")
    mean, logvar, *logits = _split(config, outputs, numbers=2)
    return Posterior(tuple(logits), *bounds.diagonal(jnp.stack([mean, logvar], axis=2))), variables


def _split(config: Config, values: jax.Array, numbers: int = 1) -> list[jax.Array]:
    """The last axis as so many numbers of each z_j, and one for each category of each c_i."""
    ends = itertools.accumulate((*[config.continuous_dim] * numbers, *config.categories[:-1]))
    return jnp.split(values, [*ends], axis=-1)


def draw_choices(config: Config, q: Posterior, noise: jax.Array, temperature: jax.Array | None) -> list[Choices]:
    """Each c_i, (B, K, categories): exact draws without a temperature, with one what training takes in their place.

    Args:
        config: settings.
        q: of each image.
        noise: from N(0, I), (B, K, latent).
        temperature: tau.
    """
    choices = []
    for logits, own in zip(q.logits, _split(config, noise)[1:], strict=True):
        if temperature is None:
            choices.append(categorical.exact(logits, categorical.gumbel(own)))
        else:
            drawn = categorical.relaxed(logits, categorical.gumbel(own), temperature)
            choices.append(categorical.straight_through(drawn) if config.straight_through else drawn)
    return choices


def terms(
    config: Config,
    variables: Variables,
    targets: Points,
    noise: jax.Array,
    mode: Mode = EVALUATION,
    temperature: jax.Array | None = None,
) -> tuple[Terms, Variables]:
    """-log p(x|z, c), log p(z, c) / q(z, c|x) of exact c, and the divergence of each z_j, then of each c_i.

    Args:
        config: settings.
        variables: of the networks.
        targets: x, as the likelihood observes the images.
        noise: from N(0, I), (B, K, latent): K latents for each image.
        mode: of the passes.
        temperature: tau of relaxed c; None for exact draws.
    """
    q, variables = encode(config, variables, targets, mode)
    prior = bounds.standard_normal(q.mean)
    z = bounds.reparametrize(q.normal, _split(config, noise)[0])
    choices = draw_choices(config, q, noise, temperature)
    outputs, variables = decode_each(config, variables, jnp.concatenate([z, *choices], axis=2), mode=mode)
    ratio, kl = bounds.log_ratio(q.normal, prior, z), [bounds.kl_of_each_latent(q.normal, prior)]
    for logits, choice in zip(q.logits, choices, strict=True):
        ratio = ratio - math.log(logits.shape[1]) - categorical.log_probability(logits, choice)
        kl.append(categorical.uniform_kl(logits)[:, None])
    return Terms(nll_of_each(config, outputs, targets), ratio, jnp.concatenate(kl, axis=1)), variables


def objective_loss(config: Config, found: Terms, step: jax.Array, axis_name: AxisName = None) -> tuple[Scalar, Metrics]:
    """What is minimised, mean over the batch, and its terms.

    Args:
        config: settings.
        found: the terms of this batch.
        step: updates so far, for warm-up and capacities.
        axis_name: of the devices that share the batch.
    """
    objective = config.objective
    continuous, discrete = (kl.sum(axis=1) for kl in jnp.split(found.kl, [config.continuous_dim], axis=1))
    each = {"kl/continuous": continuous.mean(), "kl/discrete": discrete.mean()}
    if isinstance(objective, ELBO):
        loss, metrics = bounds.objective_loss(objective, found, step, axis_name)
        return loss, metrics | each
    _, metrics = bounds.objective_loss(ELBO(), found, step, axis_name)
    share = jnp.minimum(1.0, step.astype(jnp.float32) / objective.steps)
    most = sum(math.log(num) for num in config.categories)
    distances = capacity_penalty(continuous, share * objective.continuous)
    distances = distances + capacity_penalty(discrete, jnp.minimum(share * objective.discrete, most))
    loss = (found.nll.mean(axis=1) + objective.gamma * distances).mean()
    return loss, metrics | each | {"loss": loss}


def joint_loss(config: Config, variables: Variables, targets: Points, noise: jax.Array, mode: Mode) -> LossOutput:
    """The objective with relaxed c, mean over the batch, tau by the step of `mode`, 0 if it has none."""
    step = jnp.int32(0) if mode.step is None else mode.step
    temperature = config.temperature.at(step)
    found, variables = terms(config, variables, targets, noise, mode, temperature)
    loss, metrics = objective_loss(config, found, step, mode.axis_name)
    return loss, (metrics | {"temperature": temperature}, variables)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step down the objective.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    keys = [*jax.random.split(key, 3)]
    drawn = variational.drawn_inputs(config, state.autoencoder, batch, keys, axis_name)
    autoencoder, metrics = descend(state.autoencoder, partial(joint_loss, config), drawn, axis_name)
    return State(autoencoder), metrics


def from_latents(config: Config, state: State, latents: Latents, condition: None = None) -> Points:
    """E[x|z, c], c the categories that the last numbers choose."""
    inputs = jnp.concatenate([latents[:, : config.continuous_dim], *config.codes.one_hot(latents)], axis=1)
    outputs, _ = decode(config, state.autoencoder.variables, inputs)
    return config.likelihood.mean(outputs, config.value_range)


def predict_codes(config: Config, state: State, images: Points) -> Posterior:
    """q(z, c|x); pixels that the likelihood draws are drawn from the image's own noise, the same each time."""
    return encode(config, state.autoencoder.variables, observed(config, images))[0]


def to_latents(config: Config, state: State, images: Points, condition: None = None) -> Latents:
    """E[z|x], and for each c_i a number that chooses its most probable category."""
    q = predict_codes(config, state, images)
    return _with_choices(q.mean, q.logits)


def draw_posterior(config: Config, state: State, key: Keys, images: Points, condition: None = None) -> Latents:
    """One draw of q(z, c|x) for each image, as `to_latents` has it."""
    q, noise = predict_codes(config, state, images), variational.noise(config, key, images.shape[0], 1)
    z = bounds.reparametrize(q.normal, _split(config, noise)[0])[:, 0]
    return _with_choices(z, [rows[:, 0] for rows in draw_choices(config, q, noise, None)])


def _with_choices(z: jax.Array, scores: Sequence[jax.Array]) -> Latents:
    """Behind z a number for each c_i, that chooses its category of the largest score."""
    choosing = [categorical.choosing(rows.argmax(axis=1), rows.shape[1])[:, None] for rows in scores]
    return jnp.concatenate([z, *choosing], axis=1)


def posterior_means(config: Config, state: State, batch: Batch) -> Latents:
    """E[z|x], and the probability of each category of each c_i."""
    q = predict_codes(config, state, scale(batch, config.value_range))
    return jnp.concatenate([q.mean, *map(jax.nn.softmax, q.logits)], axis=1)


def sample(config: Config, state: State, key: Keys, num: int, condition: Labels | None = None) -> Points:
    """`num` images; `condition` is the category of c_1, in turn without one."""
    classes = in_turn(condition, num, config.categories[0])
    return from_latents(config, state, config.codes.with_first_code(config.prior.draw(key, num), classes))


evidence = variational.evidence_by(terms)
