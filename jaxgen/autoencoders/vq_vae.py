"""Vector-quantised variational autoencoder (VQ-VAE), with a PixelCNN as its prior over codes.

van den Oord, Vinyals, Kavukcuoglu: Neural Discrete Representation Learning, 2017, arXiv 1711.00937.

An image x becomes a grid of encodings z_e(x), each of these the nearest vector z_q of a codebook, and the decoder makes
an image x^ of them. With sg[.] for what is held constant, equation 3 is

    L = ||x - x^||^2 / sigma^2 + ||sg[z_e] - z_q||^2 + beta ||z_e - sg[z_q]||^2,

where the gradient of x^ passes from z_q to z_e unchanged. The first and the third term move encoder and decoder. The
second moves the codebook alone; moving averages of the encodings do it better (appendix A.1) and are the default. All
terms are means over pixels, or over the numbers of the grid, and sigma^2 is the variance of the images' pixels, as in
the authors' code (Sonnet's example), from which the default sizes and rates come. As there, the decoder's outputs are
not bounded while it learns; what is drawn or reconstructed is clipped to the range.

The prior p(codes) is a gated PixelCNN (`jaxgen.nets.pixelcnn`). The paper trains it afterwards; here it learns in each
update from the codes that the encoder gives by then, so that a run has one phase and can be sampled at any time. The
codebook, too, follows the encodings of the encoder that has just moved (the authors' code: those of before).
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, NamedTuple

import flax.linen as nn
import jax

from jaxgen.autoencoders import code_grids, quantization
from jaxgen.autoencoders.code_grids import encodings_of, images_of, vectors_of
from jaxgen.autoencoders.codebook import ByMovingAverage, Learning, Vectors
from jaxgen.autoencoders.quantization import Learner
from jaxgen.checks import AtLeast, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from jaxgen.images import ValueRange, scale
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.nets.grid import GridDecoder, GridEncoder
from jaxgen.nets.pixelcnn import PixelCNN
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import pass_key
from jaxgen.train_state import LossOutput, TrainState, create_parts, descend, training_mode
from jaxgen.typing import AxisName, Batch, Images, Key, Metrics, Shape, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of the authors' code for CIFAR-10."""

    image_shape: Shape = (32, 32, 3)
    value_range: ValueRange = (-1.0, 1.0)
    halvings: NonNegativeInt = 2  # height and width of the grid of codes are the image's over 2^halvings
    num_codes: Annotated[int, AtLeast(2)] = 512  # K
    code_dim: PositiveInt = 64  # d
    codebook: Learning = ByMovingAverage()  # or ByGradient()
    commitment_weight: NonNegativeFloat = 0.25  # beta
    pixel_variance: PositiveFloat = 0.25  # sigma^2, of the training images in value_range; 0.25 for CIFAR-10 in (-1, 1)
    encoder: nn.Module = GridEncoder()  # image to grid of encodings
    decoder: nn.Module = GridDecoder()  # grid of vectors to image
    prior: nn.Module = PixelCNN()  # grid of codes to the logits of each
    autoencoder_optimizer: Optimizer = Optimizer(3e-4, Adam())
    codebook_optimizer: Optimizer = Optimizer(3e-4, Adam())  # of a codebook that learns by gradient
    prior_optimizer: Optimizer = Optimizer(3e-4, Adam())


class State(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState  # encoder and decoder
    codebook: Learner  # as it learns: by moving averages or by gradient
    prior: TrainState


def init(config: Config, key: Key) -> State:
    """Fresh networks, codebook and optimisers. ValueError for images that do not halve so often."""
    key_autoencoder, key_codebook, key_prior = jax.random.split(key, 3)
    autoencoder = create_parts(code_grids.coders(config), config.autoencoder_optimizer, key_autoencoder)
    size = config.num_codes, config.code_dim
    learner = quantization.fresh(config.codebook, config.codebook_optimizer, size, key_codebook)
    return State(autoencoder, learner, code_grids.fresh_prior(config, key_prior))


def autoencoder_loss(config: Config, variables: Variables, vectors: Vectors, images: Images, mode: Mode) -> LossOutput:
    """The first and the third term of equation 3, mean over the batch."""
    encodings, variables = encodings_of(config, variables, images, mode)
    passed, commitment = quantization.quantize(encodings, vectors)
    outputs, variables = images_of(config, variables, passed, mode)
    error = mean_squared_error(outputs, images).mean()
    loss = error / config.pixel_variance + config.commitment_weight * commitment
    metrics = {"autoencoder_loss": loss, "mean_squared_error": error, "commitment": commitment}
    return loss, (metrics, variables)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of encoder and decoder, one of the codebook, one of the prior.

    Args:
        config: settings.
        state: networks, codebook and optimisers.
        batch: images, uint8 or floats in range.
        key: of this update, for codes that restart.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of all three, with the perplexity of the batch's codes (from 1 to K).
    """
    images, before, vectors = scale(batch, config.value_range), state.autoencoder, vectors_of(config, state.codebook)
    mode = training_mode(before, pass_key(key), len(images), axis_name)
    inputs = vectors, images, mode
    autoencoder, metrics = descend(before, partial(autoencoder_loss, config), inputs, axis_name)
    learner, prior, found = code_grids.follow(config, state, autoencoder, images, key, mode)
    return State(autoencoder, learner, prior), metrics | found


codebook_loss, prior_loss, code_logits = quantization.codebook_loss, code_grids.prior_loss, code_grids.code_logits
to_codes, from_codes, draw_codes = code_grids.to_codes, code_grids.from_codes, code_grids.draw_codes
reconstruct, sample = code_grids.reconstruct, code_grids.sample
