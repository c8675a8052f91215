"""InfoGAN: codes that the generator must make visible.

Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel: InfoGAN: Interpretable Representation Learning by Information
Maximizing Generative Adversarial Nets, 2016, arXiv 1606.03657.

The generator makes an image of noise z and codes c, drawn from known distributions; Q, which shares the discriminator's
trunk, names the codes of an image. With the bound of the mutual information (equations 4 and 5)

    L_I(G, Q) = E[log Q(c|G(z, c))] + H(c) <= I(c; G(z, c)),

the game is min_{G,Q} max_D V(D, G) - lambda L_I (equation 6). As in the authors' code, Q and the trunk are the
discriminator's player, which thus minimises -lambda L_I too, on its fakes and their codes.

What codes there are, and how a latent vector holds them, says `jaxgen.gans.codes`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array
from jaxtyping import Key as KeyArray

from jaxgen.checks import require
from jaxgen.gans import discrimination, watch
from jaxgen.gans.codes import Belief, Codes, CodeSettings, categorical_loss, continuous_loss
from jaxgen.gans.discrimination import Chance, Discrimination
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.gans.priors import Prior, Uniform
from jaxgen.images import RANGES, ValueRange, scale, squash
from jaxgen.nets.infogan import InfoGANDiscriminator, InfoGANGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import TrainState, apply, create, descend, moving_average
from jaxgen.typing import Batch, Collections, Key, Latents, Metrics, Params, PerExample, Points, Scalar, Shape


@dataclass(frozen=True)
class Config:
    """Settings; the defaults are the paper's for MNIST."""

    image_shape: Shape = (28, 28, 1)  # height, width, channels; any shape for other data
    value_range: ValueRange = (0.0, 1.0)  # of the images: (-1, 1), (0, 1), or None for data without bounds
    codes: CodeSettings = CodeSettings()  # c
    noise: Prior = Uniform(62)  # of z
    generator: nn.Module = InfoGANGenerator()  # codes and noise to image
    discriminator: nn.Module = InfoGANDiscriminator()  # image to score and Q's outputs, the score first
    objective: Objective = NonSaturating()  # V, as the players minimise it
    categorical_weight: float = 1.0  # lambda of the categorical codes
    continuous_weight: float = 1.0  # lambda of the continuous codes
    view: Discrimination = Discrimination()  # batches, noise and flips of the discriminator
    generator_optimizer: Optimizer = Optimizer(1e-3, Adam(b1=0.5))
    discriminator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    ema_decay: float = 0.0  # of the moving average of the generator; 0 samples from the generator itself

    def __post_init__(self):
        require(self.value_range in RANGES, "value_range", self.value_range, "(-1, 1), (0, 1) or None")
        require(self.categorical_weight >= 0, "categorical_weight", self.categorical_weight, "at least 0")
        require(self.continuous_weight >= 0, "continuous_weight", self.continuous_weight, "at least 0")
        require(0 <= self.ema_decay < 1, "ema_decay", self.ema_decay, "in [0, 1)")

    @property
    def minibatches(self) -> int:
        """One update takes one minibatch."""
        return 1

    @property
    def batch_type(self) -> None:
        """Images alone: the codes find the classes by themselves."""
        return None


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    discriminator: TrainState  # with Q
    ema: Params  # moving average of the generator's variables


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_generator, key_discriminator = jax.random.split(key)
    inputs = jnp.zeros((1, config.codes.size + config.noise.dim)), config.image_shape
    generator = create(config.generator, config.generator_optimizer, key_generator, *inputs)
    inputs = jnp.zeros((1, *config.image_shape)), (1 + config.codes.outputs,)
    discriminator = create(config.discriminator, config.discriminator_optimizer, key_discriminator, *inputs)
    return State(generator, discriminator, ema=generator.variables)


def generate(
    config: Config,
    params: Params,
    collections: Collections,
    latents: Latents,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Points, Collections]:
    """G(z, c), and the generator's collections after it."""
    inputs = latents, config.image_shape
    outputs, collections = apply(config.generator, params, collections, *inputs, train=train, axis_name=axis_name)
    return squash(outputs, config.value_range), collections


def judge(
    config: Config,
    params: Params,
    collections: Collections,
    images: Points,
    noise: Points | None = None,
    keys: KeyArray[Array, "batch"] | None = None,
    *,
    train: bool = True,
    axis_name: str | None = None,
) -> tuple[tuple[PerExample, Belief], Collections]:
    """D's score and Q(c|x) of x + noise, and their collections after it."""
    inputs = config.discriminator, params, collections, images, (1 + config.codes.outputs,)
    outputs, collections = discrimination.look(*inputs, noise=noise, keys=keys, train=train, axis_name=axis_name)
    return (outputs[:, 0], config.codes.belief(outputs[:, 1:])), collections


def information_loss(config: Config, belief: Belief, codes: Codes) -> tuple[Scalar, Metrics]:
    """-lambda L_I, mean over the batch, and the bounds L_I, in nats."""
    categorical, continuous = (loss(belief, codes).mean() for loss in (categorical_loss, continuous_loss))
    loss = config.categorical_weight * categorical + config.continuous_weight * continuous
    return loss, {"categorical_information": -categorical, "continuous_information": -continuous}


def discriminator_loss(
    config: Config,
    params: Params,
    collections: Collections,
    real: Points,
    fake: Points,
    codes: Codes,
    luck: Chance,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """D's part of V, and -lambda L_I for Q, mean over the batch."""

    def look(inputs, collections):
        return judge(config, params, collections, *inputs, axis_name=axis_name)

    inputs = (real, luck.real_noise, luck.real_keys), (fake, luck.fake_noise, luck.fake_keys)
    seen, collections = discrimination.in_batches(look, collections, *inputs, joint=config.view.joint)
    (real_scores, _), (fake_scores, belief) = seen
    scores = discrimination.flip(luck.flipped, real_scores, fake_scores)
    loss = config.objective.discriminator(*scores, axis_name=axis_name).mean()
    information, _ = information_loss(config, belief, codes)
    metrics = {"discriminator_loss": loss} | watch.certainty(config.objective, real_scores, fake_scores, axis_name)
    return loss + information, (metrics, collections)


def generator_loss(
    config: Config,
    params: Params,
    collections: Collections,
    discriminator: TrainState,
    latents: Latents,
    codes: Codes,
    real: Points,
    luck: Chance,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """G's part of V, and -lambda L_I, mean over the batch."""
    fake, collections = generate(config, params, collections, latents, train=True, axis_name=axis_name)
    opponent = config, discriminator.params, discriminator.collections
    (fake_scores, belief), _ = judge(*opponent, fake, luck.fake_noise, luck.fake_keys, axis_name=axis_name)
    real_scores = None
    if config.objective.needs_real:
        (real_scores, _), _ = judge(*opponent, real, luck.real_noise, luck.real_keys, axis_name=axis_name)
    loss = config.objective.generator(fake_scores, real_scores, axis_name=axis_name).mean()
    information, metrics = information_loss(config, belief, codes)
    metrics = {"generator_loss": loss} | metrics | watch.diversity(real, fake, axis_name)
    return loss + information, (metrics, collections)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: str | None = None
) -> tuple[State, Metrics]:
    """One step of the discriminator and Q, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: images, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    num, step = len(batch), state.generator.step
    key_fake, key_latents, *key_chances = jax.random.split(key, 4)
    real = scale(batch, config.value_range)
    asked = config.view, config.discriminator
    lucks = [discrimination.chance(*asked, k, num, config.image_shape, step, axis_name) for k in key_chances]

    codes, noise = draw_codes(config, key_fake, num, axis_name)
    frozen = config, state.generator.params, state.generator.collections
    fake, _ = generate(*frozen, config.codes.latents(codes, noise), train=True, axis_name=axis_name)
    inputs = state.discriminator.collections, real, fake, codes, lucks[0], axis_name
    discriminator, discriminator_metrics = descend(
        state.discriminator,
        lambda params: discriminator_loss(config, params, *inputs),
        axis_name,
        player="discriminator",
    )

    codes, noise = draw_codes(config, key_latents, num, axis_name)
    rest = (
        state.generator.collections,
        discriminator,
        config.codes.latents(codes, noise),
        codes,
        real,
        lucks[1],
        axis_name,
    )
    generator, generator_metrics = descend(
        state.generator, lambda params: generator_loss(config, params, *rest), axis_name, player="generator"
    )
    ema = moving_average(state.ema, generator.variables, config.ema_decay, generator.step)
    return State(generator, discriminator, ema), discriminator_metrics | generator_metrics


def sample(config: Config, state: State, key: Key, num: int) -> Points:
    """`num` images from the moving average of the generator, of latents from `draw_latents`."""
    return from_latents(config, state, draw_latents(config, key, num))


def from_latents(config: Config, state: State, latents: Latents) -> Points:
    """G(z, c) of the moving average of the generator."""
    collections = dict(state.ema)
    params = collections.pop("params")
    return generate(config, params, collections, latents)[0]


def infer(config: Config, state: State, images: Points) -> Belief:
    """Q(c|x) of images, with running statistics: their most probable categorical code names their class."""
    (_, belief), _ = judge(config, state.discriminator.params, state.discriminator.collections, images, train=False)
    return belief


def draw_latents(config: Config, key: Key, num: int) -> Latents:
    """Noise and codes; the first categorical code of image i is i mod K, so that a picture has one code a column."""
    codes, noise = draw_codes(config, key, num)
    if config.codes.categorical:
        in_turn = jnp.arange(num, dtype=codes.categorical.dtype) % config.codes.categorical[0]
        codes = codes._replace(categorical=codes.categorical.at[:, 0].set(in_turn))
    return config.codes.latents(codes, noise)


def draw_codes(config: Config, key: Key, num: int, axis_name: str | None = None) -> tuple[Codes, Latents]:
    """c and z for each example."""
    key_codes, key_noise = jax.random.split(key)
    return config.codes.draw(key_codes, num, axis_name), config.noise.draw(key_noise, num, axis_name)
