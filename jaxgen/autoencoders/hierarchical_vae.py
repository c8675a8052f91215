"""Hierarchical variational autoencoder: levels of latents, each made of the one above; with or without a ladder.

Sonderby, Raiko, Maaloe, Sonderby, Winther: Ladder Variational Autoencoders, 2016, arXiv 1602.02282.

An image is made from the top downwards,

    p(x, z) = p(x|z_1) p(z_1|z_2) ... p(z_{L-1}|z_L) p(z_L),    p(z_L) = N(0, I),                              (1)

each factor between latents N(mean, diag(exp(logvar))) of a network of the level above. Without the ladder q goes
upwards by networks of its own, q(z_1|x) q(z_2|z_1) ..., as in Burda, Grosse, Salakhutdinov, 2015, arXiv 1509.00519.
With it a pass of the means alone goes up and finds m_i and s_i^2 at each level; q then goes downwards like p, its
factors those of p and of what has been found, weighed by their precisions:

    q(z_i|z_{i+1}, x) = N((m_i / s_i^2 + m_p / s_p^2) v, v),    1 / v = 1 / s_i^2 + 1 / s_p^2.                 (2)

Both maximise E[log p(x, z) - log q(z|x)]. With the ladder a level's divergence has a closed form given the level above;
without it, it is estimated at the latents that were drawn.

Latents that are drawn, interpolated and shown are the noise of equation 1, N(0, I) of all levels, the lowest first.

Differences from the authors' code: variances are exponentials, not softplus; gradients are clipped by their norm alone.
"""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders import bounds, variational
from jaxgen.autoencoders.bounds import ELBO, Diagonal, Objective, Terms
from jaxgen.autoencoders.coders import CoderState
from jaxgen.autoencoders.likelihoods import Bernoulli, Likelihood
from jaxgen.autoencoders.variational import keys_of_each, nll_of_each, observed
from jaxgen.checks import require
from jaxgen.images import scale
from jaxgen.losses.likelihoods import gaussian_nll
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.nets.mlp import MLP
from jaxgen.nets.norm import Norm
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from jaxgen.sampling import sampler
from jaxgen.train_state import LossOutput, apply, blank, create_parts, descend
from jaxgen.typing import AxisName, Batch, Key, Keys, Latents, Metrics, Points, Shape, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the numbers are those of the authors' code for MNIST, with three of its five levels."""

    latent_dims: tuple[int, ...] = (64, 32, 16)  # sizes of z_1 to z_L
    encoder: nn.Module = MLP((512, 512), negative_slope=0.1, norm="batch")  # x to mean and log-variance of each of z_1
    decoder: nn.Module = MLP((512, 512), negative_slope=0.1, norm="batch")  # z_1 to what the likelihood takes
    widths: tuple[int, ...] = (256, 128)  # of both hidden layers between z_1 and z_2, and so on, up as well as down
    norm: Norm = "batch"  # of those layers
    ladder: bool = True  # whether q goes downwards, as p does
    likelihood: Likelihood = Bernoulli()  # p(x|z_1)
    objective: Objective = ELBO(warm_up=47_000)  # the bound that is maximised; 200 passes of 60,000 images
    optimizer: Optimizer = Optimizer(2e-4, Adam(eps=1e-4), clip_norm=4.0)

    latent_dim = property(lambda self: sum(self.latent_dims))
    prior = property(lambda self: Normal(self.latent_dim))

    def __post_init__(self):
        super().__post_init__()
        for field in ("latent_dims", "widths"):
            require(min(getattr(self, field), default=1) >= 1, field, getattr(self, field), "numbers of at least 1")
        require(len(self.latent_dims) >= 2, "latent_dims", self.latent_dims, "of at least 2 levels; vae has one")
        fits = len(self.widths) == len(self.latent_dims) - 1
        require(fits, "widths", self.widths, f"{len(self.latent_dims) - 1} numbers, one between two of latent_dims")


State: TypeAlias = CoderState


class Level(NamedTuple):
    """A level of latents, K of them an image one after another: (B K, d)."""

    q: Diagonal
    p: Diagonal
    latents: Latents


def upwards(config: Config) -> list[tuple[str, nn.Module, Shape, Shape]]:
    """Name, network, shape of what it takes and of a level's numbers, for each level from the lowest to the top."""
    shapes = [config.image_shape, *((dim,) for dim in config.latent_dims)]
    nets = [config.encoder, *_between(config)]
    ends = zip(nets, pairwise(shapes), strict=True)
    return [(f"up_{i}", net, below, (*above, 2)) for i, (net, (below, above)) in enumerate(ends)]


def downwards(config: Config) -> list[tuple[str, nn.Module, Shape, Shape]]:
    """The same of the networks that go down: the image first, then z_1, and so on."""
    shapes = [(dim,) for dim in config.latent_dims]
    results = [config.likelihood.output_shape(config.image_shape), *((*shape, 2) for shape in shapes[:-1])]
    each = zip([config.decoder, *_between(config)], shapes, results, strict=True)
    return [(f"down_{i}", net, above, below) for i, (net, above, below) in enumerate(each)]


def _between(config: Config) -> list[nn.Module]:
    return [MLP((width, width), negative_slope=0.1, norm=config.norm) for width in config.widths]


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    each = upwards(config) + downwards(config)
    parts = {name: (net, blank(given), outputs) for name, net, given, outputs in each}
    return State(create_parts(parts, config.optimizer, key))


def merge(found: Diagonal, prior: Diagonal) -> Diagonal:
    """Equation 2: the product of two Gaussians, normalised."""
    share = jax.nn.sigmoid(prior.logvar - found.logvar)  # the part of the precision that is `found`'s
    logvar = found.logvar + jax.nn.log_sigmoid(prior.logvar - found.logvar)
    return Diagonal(prior.mean + share * (found.mean - prior.mean), logvar)


def climb(
    config: Config, variables: Variables, targets: Points, noise: jax.Array | None, mode: Mode = EVALUATION
) -> tuple[list[Diagonal], list[jax.Array], Variables]:
    """What is found at each level on the way up, what goes up from it, and the variables after the passes.

    Args:
        config: settings.
        variables: of the networks.
        targets: x, as the likelihood observes the images.
        noise: of all levels, (B, K, latent); None where the means go up, as with the ladder.
        mode: of the passes.
    """
    found, going = [], []
    for number, (name, net, _, outputs) in enumerate(upwards(config)):
        below = going[-1] if going else targets
        passed = _for_rows(mode.stream(2 * number), below.shape[0])
        stats, variables = apply(net, variables, below, outputs, mode=passed, part=name)
        level = bounds.diagonal(stats)
        if noise is None:
            going.append(level.mean)
        else:
            own = _split(config, noise.reshape(-1, config.latent_dim))[number]
            level = level if going else _repeated(level, noise.shape[1])
            going.append(level.mean + jnp.exp(level.logvar / 2) * own)
        found.append(level)
    return found, going, variables


def below(
    config: Config, variables: Variables, latents: Latents, level: int, mode: Mode = EVALUATION
) -> tuple[Points, Variables]:
    """What the network under a level (0 for z_1) makes of its latents, and the variables after the pass."""
    name, net, _, outputs = downwards(config)[level]
    passed = _for_rows(mode.stream(2 * level + 1), latents.shape[0])
    return apply(net, variables, latents, outputs, mode=passed, part=name)


def levels(
    config: Config, variables: Variables, targets: Points, noise: jax.Array, mode: Mode = EVALUATION
) -> tuple[list[Level], Variables]:
    """q, p and the latents of each level, z_1 first, and the variables after the passes.

    Args:
        config: settings.
        variables: of the networks.
        targets: x, as the likelihood observes the images.
        noise: from N(0, I), (B, K, latent): K latents for each image, each z_1's part first.
        mode: of the passes.
    """
    num, noises = noise.shape[1], _split(config, noise.reshape(-1, config.latent_dim))
    found, drawn, variables = climb(config, variables, targets, None if config.ladder else noise, mode)
    result = list[Level]()
    for number in reversed(range(len(found))):
        if not result:
            prior = bounds.standard_normal(noises[number])
        else:
            stats, variables = below(config, variables, result[0].latents, number + 1, mode)
            prior = bounds.diagonal(stats)
        if not config.ladder:
            q, latents = found[number], drawn[number]
        else:
            q = _repeated(found[number], num)
            q = merge(q, prior) if result else q
            latents = q.mean + jnp.exp(q.logvar / 2) * noises[number]
        result.insert(0, Level(q, prior, latents))
    return result, variables


def terms(
    config: Config, variables: Variables, targets: Points, noise: jax.Array, mode: Mode = EVALUATION
) -> tuple[Terms, Variables]:
    """-log p(x|z_1), log p(z) / q(z|x) and the divergence of each latent, given those above it.

    Args:
        config: settings.
        variables: of the networks.
        targets: x, as the likelihood observes the images.
        noise: from N(0, I), (B, K, latent): K latents for each image.
        mode: of the passes.
    """
    batch, num, _ = noise.shape
    of_levels, variables = levels(config, variables, targets, noise, mode)
    outputs, variables = below(config, variables, of_levels[0].latents, 0, mode)
    ratios = jnp.concatenate([_log_ratio_of_each(level) for level in of_levels], axis=1)
    if config.ladder:
        kl = jnp.concatenate([bounds.kl_of_each_latent(level.q, level.p) for level in of_levels], axis=1)
    else:
        kl = -ratios
    ratio = ratios.sum(axis=1).reshape(batch, num)
    return Terms(nll_of_each(config, outputs, targets), ratio, kl.reshape(batch, num, -1).mean(axis=1)), variables


def bound_loss(config: Config, variables: Variables, targets: Points, noise: jax.Array, mode: Mode) -> LossOutput:
    """The negative bound of the objective, mean over the batch, and each level's divergence, z_1's first."""
    found, variables = terms(config, variables, targets, noise, mode)
    loss, metrics = bounds.objective_loss(config.objective, found, mode.step, mode.axis_name)
    each = {f"kl/{i}": kl.sum(axis=1).mean() for i, kl in enumerate(_split(config, found.kl), 1)}
    return loss, (metrics | each, variables)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step up the bound.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    keys = [*jax.random.split(key, 3)]
    drawn = variational.drawn_inputs(config, state.autoencoder, batch, keys, axis_name)
    autoencoder, metrics = descend(state.autoencoder, partial(bound_loss, config), drawn, axis_name)
    return State(autoencoder), metrics


def from_latents(config: Config, state: State, latents: Latents, condition: None = None) -> Points:
    """E[x|z_1], z_1 as the noise of equation 1 says."""
    variables, noises = state.autoencoder.variables, _split(config, latents)
    z = noises[-1]
    for number in reversed(range(1, len(noises))):
        prior = bounds.diagonal(below(config, variables, z, number)[0])
        z = prior.mean + jnp.exp(prior.logvar / 2) * noises[number - 1]
    return config.likelihood.mean(below(config, variables, z, 0)[0], config.value_range)


def to_latents(config: Config, state: State, images: Points, condition: None = None) -> Latents:
    """The noise of equation 1 that gives the means of q, each level's given those before it on the way of q."""
    return _as_noise(_means(config, state, images))


def draw_posterior(config: Config, state: State, key: Keys, images: Points, condition: None = None) -> Latents:
    """One draw of q for each image, as `to_latents` has it."""
    noise = variational.noise(config, key, images.shape[0], 1)
    return _as_noise(levels(config, state.autoencoder.variables, observed(config, images), noise)[0])


def _as_noise(each: list[Level]) -> Latents:
    return jnp.concatenate([(level.latents - level.p.mean) * jnp.exp(-level.p.logvar / 2) for level in each], axis=1)


def posterior_means(config: Config, state: State, batch: Batch) -> Latents:
    """The means of q, z_1's first, each level's given those before it on the way of q."""
    each = _means(config, state, scale(batch, config.value_range))
    return jnp.concatenate([level.latents for level in each], axis=1)


def _means(config: Config, state: State, images: Points) -> list[Level]:
    nothing = jnp.zeros((images.shape[0], 1, config.latent_dim), images.dtype)
    return levels(config, state.autoencoder.variables, observed(config, images), nothing)[0]


def _split(config: Config, noise: jax.Array) -> list[jax.Array]:
    """(..., latent) as those of each level, z_1's first."""
    ends = [sum(config.latent_dims[: i + 1]) for i in range(len(config.latent_dims) - 1)]
    return jnp.split(noise, ends, axis=-1)


def _log_ratio_of_each(level: Level) -> Latents:
    """log p(z_j) - log q(z_j) of each latent, (B K, d)."""
    nll = jax.vmap(gaussian_nll, in_axes=1, out_axes=1)
    return nll(*level.q, level.latents) - nll(*level.p, level.latents)


def _repeated(each: Diagonal, num: int) -> Diagonal:
    return Diagonal(*(jnp.repeat(values, num, axis=0) for values in each))


def _for_rows(mode: Mode, rows: int) -> Mode:
    """The mode with a key for each of so many rows, as many for each example."""
    return mode if mode.keys is None else mode.with_keys(keys_of_each(mode, rows // len(mode.keys)))


evidence = variational.evidence_by(terms)
sample = sampler(from_latents)
