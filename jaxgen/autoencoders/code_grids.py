"""An image as one grid of codes, with a prior over such grids: what models with a codebook do once it is learnt.

A model's config has `encoder`, `decoder`, `prior`, `halvings`, `num_codes`, `code_dim`, `codebook`, their optimisers,
`image_shape` and `value_range`; its state has `autoencoder`, `codebook` and `prior`.
"""

from functools import partial
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.autoencoders import codebook, quantization
from jaxgen.autoencoders.codebook import Vectors
from jaxgen.autoencoders.quantization import Learner, Logits
from jaxgen.images import clip
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.pixelcnn import Grid
from jaxgen.train_state import LossOutput, TrainState, apply, blank, create, descend
from jaxgen.typing import Images, Key, Keys, Metrics, Shape, Variables


def grid_shape(config: Any) -> Shape:
    """Height, width and d of the grid of encodings. ValueError for images that do not halve so often."""
    height, width, _ = config.image_shape
    factor = 1 << config.halvings
    if height % factor or width % factor:
        raise ValueError(f"images of {height}x{width} do not halve {config.halvings} times: give fewer halvings")
    return height // factor, width // factor, config.code_dim


def coders(config: Any) -> dict[str, tuple[Any, ...]]:
    """Encoder and decoder as `create_parts` takes them."""
    encoder = config.encoder, blank(config.image_shape), grid_shape(config)
    return {"encoder": encoder, "decoder": (config.decoder, blank(grid_shape(config)), config.image_shape)}


def fresh_prior(config: Any, key: Key) -> TrainState:
    """A fresh prior and its optimiser."""
    codes = jnp.zeros((1, *grid_shape(config)[:2]), jnp.int32)
    return create(config.prior, config.prior_optimizer, key, codes, (*codes.shape[1:], config.num_codes))


def vectors_of(config: Any, learner: Learner) -> Vectors:
    """The codebook, (K, d)."""
    return quantization.vectors_of(config.codebook, learner)


def encodings_of(
    config: Any, variables: Variables, images: Images, mode: Mode = EVALUATION
) -> tuple[Float[Array, "batch rows columns d"], Variables]:
    """z_e(x), before quantisation, and the variables after the pass."""
    return apply(config.encoder, variables, images, grid_shape(config), mode=mode.stream(0), part="encoder")


def images_of(
    config: Any, variables: Variables, grid: Float[Array, "batch rows columns d"], mode: Mode = EVALUATION
) -> tuple[Images, Variables]:
    """x^ of a grid of vectors, without bounds, and the variables after the pass."""
    return apply(config.decoder, variables, grid, config.image_shape, mode=mode.stream(1), part="decoder")


def code_logits(config: Any, variables: Variables, codes: Grid, mode: Mode = EVALUATION) -> tuple[Logits, Variables]:
    """Logits of each code, given those before it, and the prior's variables after the pass."""
    return apply(config.prior, variables, codes, (*codes.shape[1:], config.num_codes), mode=mode.stream(2))


def prior_loss(config: Any, variables: Variables, codes: Grid, mode: Mode) -> LossOutput:
    """-log p(codes) in nats for each image, mean over the batch."""
    logits, variables = code_logits(config, variables, codes, mode)
    nll, bits = quantization.code_nll(logits, codes)
    return nll, ({"prior_nll": nll, "bits_per_code": bits}, variables)


def follow(
    config: Any, state: Any, autoencoder: TrainState, images: Images, key: Key, mode: Mode
) -> tuple[Learner, TrainState, Metrics]:
    """Codebook and prior after a step each, by the encodings of the autoencoder that has just moved.

    Args:
        config: settings.
        state: of the model, before the update.
        autoencoder: after its step.
        images: in range.
        key: for codes that restart.
        mode: of the prior's pass.

    Returns:
        The codebook, the prior, and metrics of both, with the perplexity of the batch's codes (from 1 to K).
    """
    axis_name = mode.axis_name
    encodings, _ = encodings_of(config, autoencoder.variables, images)
    learner, metrics = quantization.learn(config.codebook, state.codebook, encodings, key, axis_name)
    codes = codebook.nearest(encodings, vectors_of(config, learner))
    inputs = codes, mode
    prior, prior_metrics = descend(state.prior, partial(prior_loss, config), inputs, axis_name)
    perplexity = codebook.perplexity(codes, config.num_codes, axis_name)
    return learner, prior, metrics | prior_metrics | {"perplexity": perplexity}


def to_codes(config: Any, state: Any, images: Images) -> Grid:
    """The code of each position of the grid."""
    encodings, _ = encodings_of(config, state.autoencoder.variables, images)
    return codebook.nearest(encodings, vectors_of(config, state.codebook))


def from_codes(config: Any, state: Any, codes: Grid) -> Images:
    """The image of each grid of codes, clipped to the value range."""
    outputs, _ = images_of(config, state.autoencoder.variables, vectors_of(config, state.codebook)[codes])
    return clip(outputs, config.value_range)


def reconstruct(config: Any, state: Any, images: Images) -> Images:
    """Each image from its codes."""
    return from_codes(config, state, to_codes(config, state, images))


def sample(config: Any, state: Any, key: Keys, num: int, condition: None = None) -> Images:
    """`num` images, decoded from codes that the prior draws."""
    return from_codes(config, state, draw_codes(config, state, key, num))


def draw_codes(config: Any, state: Any, key: Keys, num: int) -> Grid:
    """`num` grids of codes from the prior, position by position in raster order."""

    def logits_of(codes: Grid) -> Logits:
        return code_logits(config, state.prior.variables, codes)[0]

    rows, columns, _ = grid_shape(config)
    return quantization.draw_codes(logits_of, key, num, (rows, columns))
