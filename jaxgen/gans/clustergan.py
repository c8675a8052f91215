"""ClusterGAN: clusters of images found by a GAN whose latents hold a class.

Mukherjee, Asnani, Lin, Kannan: ClusterGAN: Latent Space Clustering in Generative Adversarial Networks, 2018, arXiv
1809.03627.

A latent is z = (z_c, z_n): the unit vector of a class, one of K with equal probabilities, and noise z_n from
N(0, sigma^2 I) with a small sigma, so that classes lie apart. The game is that of WGAN-GP; an encoder E finds the
latent of a fake, class logits E_c and noise E_n, and generator and encoder descend (equation 2)

    -E[D(G(z))] + beta_n E[mean over numbers of (z_n - E_n(G(z)))^2] + beta_c E[H(z_c, E_c(G(z)))],      (1)

H the cross-entropy. The class of an image is that of E, or its cluster among the vectors (softmax E_c, E_n) of all.
Adam treats each weight on its own: generator and encoder, which the authors move by one optimiser, are two players here
that step at once, from the same latents.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import AtLeast, NonNegativeFloat, PositiveInt, require
from jaxgen.gans import networks
from jaxgen.gans.codes import CodePrior, CodeSettings, Predicted, sample_codes
from jaxgen.gans.critic_game import Game, critic_steps, critic_value, generator_value
from jaxgen.gans.discrimination import require_no_batch_statistics
from jaxgen.gans.networks import create_with_critic, generate, generator_step, scorer
from jaxgen.gans.regularization import Regularization
from jaxgen.losses.information import cross_entropy
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.clustergan import ClusterGANEncoder, ClusterGANGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Gaussian
from jaxgen.train_state import LossOutput, TrainState, apply, blank, create, descend, training_mode
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, PerExample, Points, Scalar, Variables

ENCODER = 8
"""Of the keys of the encoder: a stream beside those of `discrimination`."""

ADAM = Optimizer(1e-4, Adam(b1=0.5, b2=0.9))


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of the authors' code for MNIST."""

    num_clusters: Annotated[int, AtLeast(2)] = 10  # K, classes of z_c
    noise_dim: PositiveInt = 30  # d_n, numbers of z_n
    noise_std: float = 0.1  # sigma
    generator: nn.Module = ClusterGANGenerator()  # z to image
    encoder: nn.Module = ClusterGANEncoder()  # image to class logits and z_n
    critic: nn.Module = ClusterGANEncoder()  # image to score; each example on its own
    penalty_weight: NonNegativeFloat = 10.0  # lambda
    one_sided: bool = False  # penalise only slopes above 1
    critic_steps: PositiveInt = 5  # n_critic, critic updates for each update of the others
    noise_weight: NonNegativeFloat = 10.0  # beta_n; 0: clusters are of E_c alone
    class_weight: NonNegativeFloat = 10.0  # beta_c
    regularization: Regularization = Regularization()  # consistency of images and latents, LeCam, R1, R2, top-k
    generator_optimizer: Optimizer = ADAM
    encoder_optimizer: Optimizer = ADAM
    critic_optimizer: Optimizer = ADAM
    average: MovingAverage = NoAverage()  # of the generator, from which samples are drawn

    codes = property(lambda self: CodeSettings((self.num_clusters,), continuous=0))
    prior = property(lambda self: CodePrior(self.codes, Gaussian((self.noise_dim,), self.noise_std)))

    minibatches: ClassVar = property(lambda self: self.critic_steps)

    def __post_init__(self):
        super().__post_init__()
        require(self.noise_std > 0, "noise_std", self.noise_std, "above 0")


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    encoder: TrainState
    critic: TrainState
    ema: Variables  # moving average of the generator's


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers. ValueError for a critic with batch statistics."""
    key_encoder, key = jax.random.split(key)
    inputs = blank(config.image_shape), config.prior.shape
    encoder = create(config.encoder, config.encoder_optimizer, key_encoder, *inputs)
    generator, critic, ema = create_with_critic(config, key)
    require_no_batch_statistics(critic)
    return State(generator, encoder, critic, ema)


def encode(
    config: Config, variables: Variables, images: Points, mode: Mode = EVALUATION
) -> tuple[tuple[Points, Points], Variables]:
    """E_c(x), logits, and E_n(x) of each image, and the variables after the pass."""
    outputs, variables = apply(config.encoder, variables, images, config.prior.shape, mode=mode.stream(ENCODER))
    logits, noise = jnp.split(outputs, [config.num_clusters], axis=1)
    return (logits, noise), variables


def cycle_value(config: Config, found: tuple[Points, Points], latents: Latents) -> tuple[Scalar, Metrics]:
    """The last two terms of equation 1, of what the encoder finds of the fakes of these latents; and what is logged."""
    logits, noise = found
    classes = cross_entropy(logits, config.codes.codes_of(latents).categorical[:, 0]).mean()
    error = mean_squared_error(noise, latents[:, config.num_clusters :]).mean()
    return config.noise_weight * error + config.class_weight * classes, {"class_loss": classes, "noise_error": error}


def critic_loss(
    config: Config, variables: Variables, real: Points, fake: Points, mix: PerExample, mode: Mode
) -> LossOutput:
    """That of WGAN-GP, mean over the batch. `mix` is eps, uniform in [0, 1), one for each example."""
    return critic_value(config, scorer(config.critic), variables, (real, fake, mix), mode)[1]


def generator_loss(
    config: Config, variables: Variables, critic: Variables, encoder: Variables, latents: Latents, mode: Mode
) -> LossOutput:
    """Equation 1, mean over the batch."""
    fake, after = generate(config, variables, latents, mode=mode)
    loss, metrics = generator_value(config, variables, critic, latents, fake, mode)
    cycle, logged = cycle_value(config, encode(config, encoder, fake, mode)[0], latents)
    return loss + cycle, (metrics | logged, after)


def encoder_loss(config: Config, variables: Variables, fake: Points, latents: Latents, mode: Mode) -> LossOutput:
    """The last two terms of equation 1, mean over the batch."""
    found, after = encode(config, variables, fake, mode)
    loss, _ = cycle_value(config, found, latents)
    return loss, ({"encoder_loss": loss}, after)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """n_critic steps of the critic, then one of the generator and one of the encoder, from the same latents.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: n_critic minibatches, (n_critic * m, ...), uint8 or floats in range; step t takes every n_critic-th
            example from the t-th on, so that the minibatches are the same however many devices share them.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of the critic (means over its steps), of the generator and of the encoder.
    """
    key_latents, key_mix, key_generator, key_pass, key_generator_pass = jax.random.split(key, 5)
    keys = key_latents, key_mix, key_pass
    critic, metrics_c = critic_steps(config, state, batch, keys, Game(scorer(config.critic), critic_loss), axis_name)

    num = len(batch) // config.critic_steps
    latents = config.prior.draw(key_generator, num, axis_name)
    mode = training_mode(state.generator, key_generator_pass, num, axis_name)
    inputs = critic.variables, state.encoder.variables, latents, mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    fake, _ = generate(config, state.generator.variables, latents, mode=mode)
    inputs = fake, latents, mode
    encoder, metrics_e = descend(state.encoder, partial(encoder_loss, config), inputs, axis_name, "encoder")
    return State(generator, encoder, critic, ema), metrics_c | metrics_g | metrics_e


def predict_codes(config: Config, state: State, images: Points) -> Predicted:
    """E_c(x) of images, with running statistics: the most probable class stands for their cluster."""
    (logits, _), _ = encode(config, state.encoder.variables, images)
    nothing = jnp.zeros((images.shape[0], 0), jnp.float32)
    return Predicted((logits,), nothing, nothing)


def to_latents(config: Config, state: State, images: Points, condition: None = None) -> Latents:
    """(softmax E_c(x), E_n(x)) of images; without `noise_weight` nothing has learned E_n, and it is 0."""
    (logits, noise), _ = encode(config, state.encoder.variables, images)
    noise = noise if config.noise_weight > 0 else jnp.zeros_like(noise)
    return jnp.concatenate([jax.nn.softmax(logits, axis=1), noise], axis=1)


discriminate, from_latents, sample = networks.criticize, networks.from_latents, sample_codes
