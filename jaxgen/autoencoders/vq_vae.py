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
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.autoencoders import codebook, quantization
from jaxgen.autoencoders.codebook import ByMovingAverage, Learning, Vectors
from jaxgen.autoencoders.quantization import Learner, Logits
from jaxgen.checks import AtLeast, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from jaxgen.images import ValueRange, clip, scale
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.nets.grid import GridDecoder, GridEncoder
from jaxgen.nets.pixelcnn import Grid, PixelCNN
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import pass_key
from jaxgen.train_state import (
    LossOutput,
    TrainState,
    apply,
    blank,
    create,
    create_parts,
    descend,
    training_mode,
)
from jaxgen.typing import AxisName, Batch, Images, Key, Keys, Metrics, Shape, Variables


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


def grid_shape(config: Config) -> Shape:
    """Height, width and d of the grid of encodings. ValueError for images that do not halve so often."""
    height, width, _ = config.image_shape
    factor = 1 << config.halvings
    if height % factor or width % factor:
        raise ValueError(f"images of {height}x{width} do not halve {config.halvings} times: give fewer halvings")
    return height // factor, width // factor, config.code_dim


def init(config: Config, key: Key) -> State:
    """Fresh networks, codebook and optimisers. ValueError for images that do not halve so often."""
    key_autoencoder, key_codebook, key_prior = jax.random.split(key, 3)
    encoder = config.encoder, blank(config.image_shape), grid_shape(config)
    decoder = config.decoder, blank(grid_shape(config)), config.image_shape
    parts = {"encoder": encoder, "decoder": decoder}
    autoencoder = create_parts(parts, config.autoencoder_optimizer, key_autoencoder)
    size = config.num_codes, config.code_dim
    learner = quantization.fresh(config.codebook, config.codebook_optimizer, size, key_codebook)
    codes = jnp.zeros((1, *grid_shape(config)[:2]), jnp.int32)
    prior = create(config.prior, config.prior_optimizer, key_prior, codes, (*codes.shape[1:], config.num_codes))
    return State(autoencoder, learner, prior)


def vectors_of(config: Config, learner: Learner) -> Vectors:
    """The codebook, (K, d)."""
    return quantization.vectors_of(config.codebook, learner)


def autoencoder_loss(config: Config, variables: Variables, vectors: Vectors, images: Images, mode: Mode) -> LossOutput:
    """The first and the third term of equation 3, mean over the batch."""
    encodings, variables = encodings_of(config, variables, images, mode)
    passed, commitment = quantization.quantize(encodings, vectors)
    outputs, variables = images_of(config, variables, passed, mode)
    error = mean_squared_error(outputs, images).mean()
    loss = error / config.pixel_variance + config.commitment_weight * commitment
    metrics = {"autoencoder_loss": loss, "mean_squared_error": error, "commitment": commitment}
    return loss, (metrics, variables)


def prior_loss(config: Config, variables: Variables, codes: Grid, mode: Mode) -> LossOutput:
    """-log p(codes) in nats for each image, mean over the batch."""
    logits, variables = code_logits(config, variables, codes, mode)
    nll, bits = quantization.code_nll(logits, codes)
    return nll, ({"prior_nll": nll, "bits_per_code": bits}, variables)


def encodings_of(
    config: Config, variables: Variables, images: Images, mode: Mode = EVALUATION
) -> tuple[Float[Array, "batch rows columns d"], Variables]:
    """z_e(x), before quantisation, and the variables after the pass."""
    return apply(config.encoder, variables, images, grid_shape(config), mode=mode.stream(0), part="encoder")


def images_of(
    config: Config, variables: Variables, grid: Float[Array, "batch rows columns d"], mode: Mode = EVALUATION
) -> tuple[Images, Variables]:
    """x^ of a grid of vectors, without bounds, and the variables after the pass."""
    return apply(config.decoder, variables, grid, config.image_shape, mode=mode.stream(1), part="decoder")


def code_logits(config: Config, variables: Variables, codes: Grid, mode: Mode = EVALUATION) -> tuple[Logits, Variables]:
    """Logits of each code, given those before it, and the prior's variables after the pass."""
    return apply(config.prior, variables, codes, (*codes.shape[1:], config.num_codes), mode=mode.stream(2))


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
    encodings, _ = encodings_of(config, autoencoder.variables, images)
    learner, codebook_metrics = quantization.learn(config.codebook, state.codebook, encodings, key, axis_name)
    codes = codebook.nearest(encodings, vectors_of(config, learner))
    inputs = codes, mode
    prior, prior_metrics = descend(state.prior, partial(prior_loss, config), inputs, axis_name)
    perplexity = codebook.perplexity(codes, config.num_codes, axis_name)
    metrics = metrics | codebook_metrics | prior_metrics | {"perplexity": perplexity}
    return State(autoencoder, learner, prior), metrics


def to_codes(config: Config, state: State, images: Images) -> Grid:
    """The code of each position of the grid."""
    encodings, _ = encodings_of(config, state.autoencoder.variables, images)
    return codebook.nearest(encodings, vectors_of(config, state.codebook))


def from_codes(config: Config, state: State, codes: Grid) -> Images:
    """The image of each grid of codes, clipped to the value range."""
    outputs, _ = images_of(config, state.autoencoder.variables, vectors_of(config, state.codebook)[codes])
    return clip(outputs, config.value_range)


def reconstruct(config: Config, state: State, images: Images) -> Images:
    """Each image from its codes."""
    return from_codes(config, state, to_codes(config, state, images))


def sample(config: Config, state: State, key: Keys, num: int, condition: None = None) -> Images:
    """`num` images, decoded from codes that the prior draws."""
    return from_codes(config, state, draw_codes(config, state, key, num))


def draw_codes(config: Config, state: State, key: Keys, num: int) -> Grid:
    """`num` grids of codes from the prior, position by position in raster order."""

    def logits_of(codes: Grid) -> Logits:
        return code_logits(config, state.prior.variables, codes)[0]

    rows, columns, _ = grid_shape(config)
    return quantization.draw_codes(logits_of, key, num, (rows, columns))


codebook_loss = quantization.codebook_loss
