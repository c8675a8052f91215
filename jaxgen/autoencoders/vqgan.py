"""VQGAN: a VQ-VAE that plays against a discriminator of patches, with a transformer as its prior over codes.

Esser, Rombach, Ommer: Taming Transformers for High-Resolution Image Synthesis, 2020, arXiv 2012.09841.

An image x becomes a grid of encodings z_e, each of these the nearest vector z_q of a codebook, and the decoder makes an
image x^ of them. With features phi of a frozen network, and sg[.] for what is held constant,

    L_rec = mean |x - x^| + weight d(phi(x), phi(x^))
    L_VQ = L_rec + ||sg[z_e] - z_q||^2 + beta ||z_e - sg[z_q]||^2                                         (4)
    L = L_VQ + w lambda E[-D(x^)]                                                                         (6)

where the gradient of x^ passes from z_q to z_e unchanged and the codebook alone learns from the second term. lambda
follows from gradients (equation 7, `jaxgen.autoencoders.adaptive_weight`), w is constant, and D, a step of which
follows each step of the autoencoder, learns the hinge loss (`patch_game`). The sums of equation 4 are means over pixels
or numbers of the grid.

The prior p(codes) is a transformer (`jaxgen.nets.code_transformer`). The paper trains it afterwards; here it learns in
each update from the codes that the encoder gives by then, so that a run has one phase and can be sampled at any time.

Differences from the authors' code: its default has beta in front of the codebook's term, by mistake (`legacy`), here it
is where the paper has it; the codebook follows the encodings of the encoder that has just moved. The feature network
is not the published one, LPIPS: `features` takes any.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders import code_grids, quantization
from jaxgen.autoencoders.adaptive_weight import Adversarial
from jaxgen.autoencoders.code_grids import encodings_of, images_of, vectors_of
from jaxgen.autoencoders.codebook import ByGradient, Learning, Vectors
from jaxgen.autoencoders.patch_game import Decoded, discriminator_loss, error_of, fresh_game, game_term
from jaxgen.autoencoders.quantization import Learner
from jaxgen.checks import AtLeast, NonNegativeFloat, NonNegativeInt, PositiveInt
from jaxgen.images import ValueRange, scale
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.nets.code_transformer import CodeTransformer
from jaxgen.nets.kl_autoencoder import LatentDecoder, LatentEncoder
from jaxgen.nets.pix2pix import PatchDiscriminator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import pass_key
from jaxgen.train_state import LossOutput, TrainState, create_parts, descend, training_mode
from jaxgen.translation.errors import Error, SquaredError
from jaxgen.typing import AxisName, Batch, Images, Key, Metrics, Shape, Variables

SIZES = (1, 1, 2, 2, 4)
ADAM = Optimizer(5.4e-5, Adam(0.5, 0.9))  # 4.5e-6 for each image of a batch of 12


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of the authors' code for ImageNet at 256x256, without its features (LPIPS)."""

    image_shape: Shape = (256, 256, 3)
    value_range: ValueRange = (-1.0, 1.0)
    halvings: NonNegativeInt = 4  # height and width of the grid of codes are the image's over 2^halvings
    num_codes: Annotated[int, AtLeast(2)] = 1024  # K
    code_dim: PositiveInt = 256  # d
    codebook: Learning = ByGradient()  # or ByMovingAverage()
    commitment_weight: NonNegativeFloat = 0.25  # beta
    encoder: nn.Module = LatentEncoder(128, SIZES, 2, (16,))  # image to grid of encodings
    decoder: nn.Module = LatentDecoder(128, SIZES, 2, (16,))  # grid of vectors to image
    prior: nn.Module = CodeTransformer(1024, 24, 16)  # grid of codes to the logits of each
    features: nn.Module | None = None  # phi, of images in [-1, 1]; None: pixels alone
    feature_error: Error = SquaredError()  # d
    feature_weight: NonNegativeFloat = 1.0  # of d
    discriminator: nn.Module | None = PatchDiscriminator()  # D; None: no game
    adversarial: Adversarial = Adversarial(weight=0.8, begin=250_001)
    autoencoder_optimizer: Optimizer = ADAM
    codebook_optimizer: Optimizer = ADAM  # of a codebook that learns by gradient
    discriminator_optimizer: Optimizer = ADAM
    prior_optimizer: Optimizer = Optimizer(5.4e-5, Adam(0.9, 0.95))


class State(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState  # encoder and decoder
    codebook: Learner  # as it learns: by moving averages or by gradient
    prior: TrainState
    discriminator: Any  # TrainState; None without
    features: Any  # Frozen; None without


def init(config: Config, key: Key) -> State:
    """Fresh networks, codebook (uniform from -1/K to 1/K) and optimisers, and random weights of the feature network.

    Raises:
        ValueError: images that do not halve so often; a game, and a decoder without a layer called `outputs`.
    """
    keys = jax.random.split(key, 5)
    autoencoder = create_parts(code_grids.coders(config), config.autoencoder_optimizer, keys[0])
    size = config.num_codes, config.code_dim

    def uniform(key: Key, shape: Shape, dtype: Any = jnp.float32) -> jax.Array:
        return jax.random.uniform(key, shape, dtype, -1 / config.num_codes, 1 / config.num_codes)

    learner = quantization.fresh(config.codebook, config.codebook_optimizer, size, keys[1], uniform)
    game = fresh_game(config, autoencoder.params["decoder"], keys[3], keys[4])
    return State(autoencoder, learner, code_grids.fresh_prior(config, keys[2]), *game)


def autoencoder_loss(
    config: Config, variables: Variables, state: State, vectors: Vectors, images: Images, mode: Mode
) -> LossOutput:
    """Equation 6 without the codebook's term, the mean over the batch; `state` holds discriminator and features."""
    encodings, after = encodings_of(config, variables, images, mode)
    passed, commitment = quantization.quantize(encodings, vectors)
    outputs, after = images_of(config, after, passed, mode)

    def reconstruction_loss(outputs: Images) -> jax.Array:
        return error_of(config, state, outputs, images).mean()

    reconstruction, fixed = reconstruction_loss(outputs), jax.lax.stop_gradient(passed)
    decoded = Decoded(outputs, variables, lambda variables: images_of(config, variables, fixed, mode)[0])
    term, metrics = game_term(config, state, decoded, reconstruction_loss, mode)
    loss = reconstruction + config.commitment_weight * commitment + term
    found = {"autoencoder_loss": loss, "reconstruction_loss": reconstruction, "commitment": commitment}
    return loss, (metrics | found, after)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """A step of encoder and decoder; of D, with the x^ of the autoencoder before its step; of codebook and prior.

    Args:
        config: settings.
        state: networks, codebook and optimisers.
        batch: images, uint8 or floats in range.
        key: of this update.
        axis_name: of the devices that share the batch, or None.
    """
    images, before, vectors = scale(batch, config.value_range), state.autoencoder, vectors_of(config, state.codebook)
    mode = training_mode(before, pass_key(key), len(images), axis_name)
    inputs = state, vectors, images, mode
    autoencoder, metrics = descend(before, partial(autoencoder_loss, config), inputs, axis_name)
    discriminator = state.discriminator
    if config.discriminator is not None:
        encodings, _ = encodings_of(config, before.variables, images, mode)
        fakes, _ = images_of(config, before.variables, quantization.quantize(encodings, vectors)[0], mode)
        shown = images, fakes, mode
        discriminator, of_game = descend(discriminator, partial(discriminator_loss, config), shown, axis_name)
        metrics |= of_game
    learner, prior, found = code_grids.follow(config, state, autoencoder, images, key, mode)
    return State(autoencoder, learner, prior, discriminator, state.features), metrics | found


codebook_loss, prior_loss, code_logits = quantization.codebook_loss, code_grids.prior_loss, code_grids.code_logits
to_codes, from_codes, draw_codes = code_grids.to_codes, code_grids.from_codes, code_grids.draw_codes
reconstruct, sample = code_grids.reconstruct, code_grids.sample
