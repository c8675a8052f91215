"""VQ-VAE-2: two grids of codes, one for the whole of an image and one for its details, with a prior for each.

Razavi, van den Oord, Vinyals: Generating Diverse High-Fidelity Images with VQ-VAE-2, 2019, arXiv 1906.00446.

The encoder makes features of an image x; of these the upper grid z_t, at half their size, is made and quantised, and of
the features and the upper grid's vectors e_t together the lower one, z_b, whose vectors are e_b. The decoder makes the
image of both. With sg[.] for what is held constant,

    L = ||x - D(e_b, e_t)||^2 / sigma^2 + beta (||z_t - sg[e_t]||^2 + ||z_b - sg[e_b]||^2),

means over pixels and over the numbers of each grid. Gradients pass from vectors to encodings unchanged; each codebook
follows its encodings by moving averages, or learns by gradient (`jaxgen.autoencoders.quantization`). An image is drawn
from the top downwards: p(x) is D of codes from p(c_t) p(c_b|c_t), two gated PixelCNNs.

The authors train both priors afterwards, with attention; here they learn in each update from the codes as they are by
then, as in `jaxgen.autoencoders.vq_vae`. Networks and numbers are those of github.com/rosinality/vq-vae-2-pytorch.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders import codebook, quantization
from jaxgen.autoencoders.codebook import ByMovingAverage, Learning
from jaxgen.autoencoders.quantization import Learner, Logits
from jaxgen.checks import AtLeast, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, require
from jaxgen.images import ValueRange, clip, scale
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.nets.pixelcnn import Grid, PixelCNN
from jaxgen.nets.vq_vae_2 import BottomEncoder, Features, GivenTop, TopEncoder, TopGrid, TwoGridDecoder
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import pass_key, split_key
from jaxgen.train_state import LossOutput, TrainState, apply, blank, create, create_parts, descend, training_mode
from jaxgen.typing import AxisName, Batch, Images, Key, Keys, Metrics, Shape, Variables


class Both(NamedTuple):
    """Something of the upper grid, and of the lower: encodings, vectors or codes."""

    top: jax.Array
    bottom: jax.Array


class Codebooks(NamedTuple):
    """Those of the two grids."""

    top: Learner
    bottom: Learner


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of the code named above for images of 256x256."""

    image_shape: Shape = (256, 256, 3)
    value_range: ValueRange = (-1.0, 1.0)
    halvings: NonNegativeInt = 2  # height and width of the lower grid are the image's over 2^halvings
    top_halvings: NonNegativeInt = 1  # those of the upper grid are the lower's over 2^top_halvings
    features: PositiveInt = 128  # maps of which both grids are made
    num_codes: Annotated[int, AtLeast(2)] = 512  # K, of each grid
    code_dim: PositiveInt = 64  # d
    codebook: Learning = ByMovingAverage()  # or ByGradient()
    commitment_weight: NonNegativeFloat = 0.25  # beta
    pixel_variance: PositiveFloat = 1.0  # sigma^2
    encoder: nn.Module = Features()  # image to features
    top_encoder: nn.Module = TopEncoder()  # features to the upper grid's encodings
    bottom_encoder: nn.Module = BottomEncoder()  # features and the upper grid's vectors to the lower grid's encodings
    decoder: nn.Module = TwoGridDecoder()  # vectors of the lower and of the upper grid to the image
    top_prior: nn.Module = PixelCNN(256, 12, reach=2)  # codes of the upper grid to the logits of each
    bottom_prior: nn.Module = GivenTop(PixelCNN(256, 12, reach=2))  # codes of both to the logits of the lower's
    autoencoder_optimizer: Optimizer = Optimizer(3e-4, Adam())
    codebook_optimizer: Optimizer = Optimizer(3e-4, Adam())  # of codebooks that learn by gradient
    top_prior_optimizer: Optimizer = Optimizer(3e-4, Adam())
    bottom_prior_optimizer: Optimizer = Optimizer(3e-4, Adam())


class State(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState  # encoders and decoder
    codebooks: Codebooks
    top_prior: TrainState
    bottom_prior: TrainState


def grid_shapes(config: Config) -> tuple[Shape, Shape]:
    """Rows, columns and d of the upper and of the lower grid. ValueError for images that do not halve so often."""
    height, width, _ = config.image_shape
    factor = 1 << (config.halvings + config.top_halvings)
    fits = height % factor == 0 and width % factor == 0
    wanted = f"multiples of {factor}: halvings + top_halvings is {config.halvings + config.top_halvings}"
    require(fits, "image_shape", config.image_shape, wanted)
    rows, columns = height >> config.halvings, width >> config.halvings
    top = rows >> config.top_halvings, columns >> config.top_halvings, config.code_dim
    return top, (rows, columns, config.code_dim)


def init(config: Config, key: Key) -> State:
    """Fresh networks, codebooks and optimisers. ValueError for images that do not halve so often."""
    keys = jax.random.split(key, 5)
    top, bottom = grid_shapes(config)
    features = (*bottom[:2], config.features)
    parts = {
        "encoder": (config.encoder, blank(config.image_shape), features),
        "top_encoder": (config.top_encoder, blank(features), top),
        "bottom_encoder": (config.bottom_encoder, blank(features), blank(top), bottom),
        "decoder": (config.decoder, blank(bottom), blank(top), config.image_shape),
    }
    size = config.num_codes, config.code_dim
    learners = (quantization.fresh(config.codebook, config.codebook_optimizer, size, key) for key in keys[1:3])
    codes = [jnp.zeros((1, *shape[:2]), jnp.int32) for shape in (top, bottom)]
    (above, below), outputs = codes, [(*shape[:2], config.num_codes) for shape in (top, bottom)]
    return State(
        create_parts(parts, config.autoencoder_optimizer, keys[0]),
        Codebooks(*learners),
        create(config.top_prior, config.top_prior_optimizer, keys[3], above, outputs[0]),
        create(config.bottom_prior, config.bottom_prior_optimizer, keys[4], below, above, outputs[1]),
    )


def vectors_of(config: Config, codebooks: Codebooks) -> Both:
    """Both codebooks, (K, d) each."""
    return Both(*(quantization.vectors_of(config.codebook, learner) for learner in codebooks))


class Encoded(NamedTuple):
    """What `encode` finds."""

    encodings: Both  # z_t and z_b
    passed: Both  # e_t and e_b, their gradients those of the encodings
    commitments: Both  # ||z - sg[e]||^2 of each grid


def encode(
    config: Config, variables: Variables, vectors: Both, images: Images, mode: Mode = EVALUATION
) -> tuple[Encoded, Variables]:
    """Both grids of images, and the variables after the passes."""
    top, bottom = grid_shapes(config)
    shape = (*bottom[:2], config.features)
    features, variables = apply(config.encoder, variables, images, shape, mode=mode.stream(0), part="encoder")
    above, variables = apply(config.top_encoder, variables, features, top, mode=mode.stream(1), part="top_encoder")
    passed, commitment = quantization.quantize(above, vectors.top)
    inputs = features, passed, bottom
    below, variables = apply(config.bottom_encoder, variables, *inputs, mode=mode.stream(2), part="bottom_encoder")
    details, of_details = quantization.quantize(below, vectors.bottom)
    return Encoded(Both(above, below), Both(passed, details), Both(commitment, of_details)), variables


def decode(config: Config, variables: Variables, grids: Both, mode: Mode = EVALUATION) -> tuple[Images, Variables]:
    """The image of the vectors of both grids, without bounds, and the variables after the pass."""
    inputs = grids.bottom, grids.top, config.image_shape
    return apply(config.decoder, variables, *inputs, mode=mode.stream(3), part="decoder")


def autoencoder_loss(config: Config, variables: Variables, vectors: Both, images: Images, mode: Mode) -> LossOutput:
    """L, mean over the batch."""
    found, variables = encode(config, variables, vectors, images, mode)
    outputs, variables = decode(config, variables, found.passed, mode)
    error = mean_squared_error(outputs, images).mean()
    loss = error / config.pixel_variance + config.commitment_weight * sum(found.commitments)
    metrics = {"commitment/top": found.commitments.top, "commitment/bottom": found.commitments.bottom}
    return loss, ({"autoencoder_loss": loss, "mean_squared_error": error} | metrics, variables)


def top_logits(config: Config, variables: Variables, codes: Grid, mode: Mode = EVALUATION) -> tuple[Logits, Variables]:
    """Logits of each code of the upper grid, given those before it, and the prior's variables after the pass."""
    return apply(config.top_prior, variables, codes, (*codes.shape[1:], config.num_codes), mode=mode.stream(4))


def bottom_logits(
    config: Config, variables: Variables, codes: Grid, top: TopGrid, mode: Mode = EVALUATION
) -> tuple[Logits, Variables]:
    """Logits of each code of the lower grid, given those before it and the upper grid; the variables after the pass."""
    shape = (*codes.shape[1:], config.num_codes)
    return apply(config.bottom_prior, variables, codes, top, shape, mode=mode.stream(5))


def top_prior_loss(config: Config, variables: Variables, codes: Both, mode: Mode) -> LossOutput:
    """-log p(c_t) in nats for each image, mean over the batch."""
    logits, variables = top_logits(config, variables, codes.top, mode)
    nll, bits = quantization.code_nll(logits, codes.top)
    return nll, ({"prior_nll/top": nll, "bits_per_code/top": bits}, variables)


def bottom_prior_loss(config: Config, variables: Variables, codes: Both, mode: Mode) -> LossOutput:
    """-log p(c_b|c_t) in nats for each image, mean over the batch."""
    logits, variables = bottom_logits(config, variables, codes.bottom, codes.top, mode)
    nll, bits = quantization.code_nll(logits, codes.bottom)
    return nll, ({"prior_nll/bottom": nll, "bits_per_code/bottom": bits}, variables)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of encoders and decoder, one of each codebook, one of each prior.

    Args:
        config: settings.
        state: networks, codebooks and optimisers.
        batch: images, uint8 or floats in range.
        key: of this update, for codes that restart.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of all, with the perplexity of each grid's codes in the batch (from 1 to K).
    """
    images, before, vectors = scale(batch, config.value_range), state.autoencoder, vectors_of(config, state.codebooks)
    mode = training_mode(before, pass_key(key), len(images), axis_name)
    inputs = vectors, images, mode
    autoencoder, metrics = descend(before, partial(autoencoder_loss, config), inputs, axis_name)
    encodings = encode(config, autoencoder.variables, vectors, images)[0].encodings
    codebooks, learned = learn(config, state.codebooks, encodings, key, axis_name)
    codes = codes_of(encodings, vectors_of(config, codebooks))
    inputs = codes, mode
    top, top_metrics = descend(state.top_prior, partial(top_prior_loss, config), inputs, axis_name)
    bottom, bottom_metrics = descend(state.bottom_prior, partial(bottom_prior_loss, config), inputs, axis_name)
    used = {
        f"perplexity/{name}": codebook.perplexity(grid, config.num_codes, axis_name)
        for name, grid in codes._asdict().items()
    }
    metrics = metrics | learned | top_metrics | bottom_metrics | used
    return State(autoencoder, codebooks, top, bottom), metrics


def learn(
    config: Config, codebooks: Codebooks, encodings: Both, key: Key, axis_name: AxisName = None
) -> tuple[Codebooks, Metrics]:
    """Both codebooks after the encodings of a batch."""
    found, metrics = [], dict[str, jax.Array]()
    keys = jax.random.split(key)
    for name, learner, each, own in zip(Both._fields, codebooks, encodings, keys, strict=True):
        learner, logged = quantization.learn(config.codebook, learner, each, own, axis_name)
        found.append(learner)
        metrics |= {f"{what}/{name}": value for what, value in logged.items()}
    return Codebooks(*found), metrics


def codes_of(encodings: Both, vectors: Both) -> Both:
    """The code of each encoding of both grids."""
    return Both(*(codebook.nearest(each, own) for each, own in zip(encodings, vectors, strict=True)))


def to_codes(config: Config, state: State, images: Images) -> Both:
    """The codes of both grids of each image."""
    vectors = vectors_of(config, state.codebooks)
    return codes_of(encode(config, state.autoencoder.variables, vectors, images)[0].encodings, vectors)


def from_codes(config: Config, state: State, codes: Both) -> Images:
    """The image of the codes of both grids, clipped to the value range."""
    grids = Both(*(own[each] for own, each in zip(vectors_of(config, state.codebooks), codes, strict=True)))
    return clip(decode(config, state.autoencoder.variables, grids)[0], config.value_range)


def reconstruct(config: Config, state: State, images: Images) -> Images:
    """Each image from its codes."""
    return from_codes(config, state, to_codes(config, state, images))


def sample(config: Config, state: State, key: Keys, num: int, condition: None = None) -> Images:
    """`num` images, decoded from codes that the priors draw."""
    return from_codes(config, state, draw_codes(config, state, key, num))


def draw_codes(config: Config, state: State, key: Keys, num: int) -> Both:
    """`num` grids of codes of each kind from the priors, the upper grid first."""
    above, below = (shape[:2] for shape in grid_shapes(config))
    keys = split_key(key, 2)

    def of_top(codes: Grid) -> Logits:
        return top_logits(config, state.top_prior.variables, codes)[0]

    top = quantization.draw_codes(of_top, keys[0], num, above)

    def of_bottom(codes: Grid) -> Logits:
        return bottom_logits(config, state.bottom_prior.variables, codes, top)[0]

    return Both(top, quantization.draw_codes(of_bottom, keys[1], num, below))
