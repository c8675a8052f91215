"""Wasserstein autoencoder with a maximum mean discrepancy penalty (WAE-MMD).

Tolstikhin, Bousquet, Gelly, Schoelkopf: Wasserstein Auto-Encoders, 2017, arXiv 1711.01558.

A deterministic encoder Q and a decoder G minimise, by Algorithm 2,

    E[c(x, G(Q(x)))] + lambda MMD^2(P_Z, Q_Z),    c(x, y) = w ||x - y||^2,

where Q_Z is the distribution of the latents Q(x) of all images, P_Z = N(0, I), and MMD^2 the unbiased estimate between
a batch of latents and as many draws of the prior, with inverse multiquadratic kernels. The latent of one image may be
far from those of others; only the latents of all images together are to be distributed as the prior.

Networks, rates, lambda, kernel scales and w = 0.05 (not in the paper's text) are those of the authors' code for MNIST.
Left out: its noise of deviation 0.01 on the encoder's inputs, its 200 steps of pre-training that match the moments of
the latents to the prior's, and its steps of the learning rate. WAE-GAN, the same objective with a discriminator in
place of the MMD, is `jaxgen.autoencoders.wae_gan`.
"""

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import flax.linen as nn

from jaxgen.autoencoders import coders
from jaxgen.autoencoders.coders import CoderState, create_coders, decode, encode
from jaxgen.checks import NonNegativeFloat, PositiveFloat, PositiveInt, require
from jaxgen.images import scale
from jaxgen.losses.features import inverse_multiquadratic_kernel, maximum_mean_discrepancy
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import gather, pass_key
from jaxgen.priors import Normal
from jaxgen.train_state import LossOutput, descend, training_mode
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, Points, Scalar, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings of Algorithm 2, with the defaults of the authors' code for MNIST."""

    latent_dim: PositiveInt = 8  # size of z ~ N(0, I)
    encoder: nn.Module = ConvEncoder((128, 256, 512, 1024), kernel_size=4, norm="batch")  # image to latent
    decoder: nn.Module = ConvDecoder((1024, 512, 256), kernel_size=4, norm="batch")  # latent to image
    cost_weight: PositiveFloat = 0.05  # w, of the squared distance, a sum over pixels
    penalty_weight: NonNegativeFloat = 10.0  # lambda
    kernel_scales: tuple[float, ...] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # of the kernels, around 2 latent_dim
    optimizer: Optimizer = Optimizer(1e-3, Adam(b1=0.5))

    prior = property(lambda self: Normal(self.latent_dim))

    def __post_init__(self):
        super().__post_init__()
        require(min(self.kernel_scales, default=0) > 0, "kernel_scales", self.kernel_scales, "one or more above 0")


State: TypeAlias = CoderState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    return State(create_coders(config, config.optimizer, key))


def discrepancy(config: Config, prior: Latents, latents: Latents) -> Scalar:
    """MMD^2(P_Z, Q_Z), unbiased: it can be negative."""
    kernel = partial(inverse_multiquadratic_kernel, scales=config.kernel_scales)
    return maximum_mean_discrepancy(prior, latents, kernel)


def autoencoder_loss(config: Config, variables: Variables, images: Points, prior: Latents, mode: Mode) -> LossOutput:
    """E[c(x, G(Q(x)))] + lambda MMD^2, the latter over the batch of all devices."""
    latents, variables = encode(config, variables, images, mode)
    outputs, variables = decode(config, variables, latents, mode)
    error = mean_squared_error(outputs, images).mean()
    mmd = discrepancy(config, gather(prior, mode.axis_name), gather(latents, mode.axis_name))
    loss = config.cost_weight * images[0].size * error + config.penalty_weight * mmd
    return loss, ({"autoencoder_loss": loss, "reconstruction_error": error, "mmd": mmd}, variables)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One iteration of Algorithm 2.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: two images or more, uint8 or floats in range.
        key: of this iteration, for the draws of the prior.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; the loss, the mean squared error of a pixel, and MMD^2.
    """
    images, before = scale(batch, config.value_range), state.autoencoder
    prior = config.prior.draw(key, len(images), axis_name)
    mode = training_mode(before, pass_key(key), len(images), axis_name)
    inputs = images, prior, mode
    autoencoder, metrics = descend(before, partial(autoencoder_loss, config), inputs, axis_name)
    return State(autoencoder), metrics


from_latents, to_latents, sample = coders.from_latents, coders.to_latents, coders.sample
