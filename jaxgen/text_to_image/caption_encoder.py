"""Two encoders of which one reads images and one captions, trained so that what belongs together matches.

Reed, Akata, Lee, Schiele: Learning Deep Representations of Fine-grained Visual Descriptions, 2016, arXiv 1605.05395,
with the authors' code; with a contrastive objective the training of CLIP: Radford et al.: Learning Transferable
Visual Models From Natural Language Supervision, 2021, arXiv 2103.00020.

The score of an image x and a caption t is S(x, t) = v(x) . u(t), v the image encoder and u the text encoder, which one
optimiser moves together. For a batch of pairs (x_i, t_i) they minimise the mean over i of

    1 / B sum over j != i of [max(0, 1 + S_ij - S_ii) + max(0, 1 + S_ji - S_ii)]                          (1)

or, with cosines in place of the products and a scale s, also learned,

    -1/2 log softmax_j(s S_ij)[i] - 1/2 log softmax_j(s S_ji)[i]                                          (2)

Equal captions of a batch belong to the images of all of them: these pairs count in neither sum. The paper's image side
is the features of a trained classifier, and its batches are of different classes.

The model draws no images. It is there for its text encoder, which others read as a frozen network: `--pretrained
encoder=RUN:encoders/text`.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import Captioned
from jaxgen.checks import PositiveInt
from jaxgen.images import ValueRange, scale
from jaxgen.metrics.retrieval import retrieval_accuracy
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.nets.conv import ConvCritic
from jaxgen.nets.text.char_cnn_rnn import CharCNNRNN
from jaxgen.optimizers import Optimizer, RMSProp
from jaxgen.parallel import gather, pass_key
from jaxgen.text_to_image.embedding import require_length
from jaxgen.text_to_image.matching import Contrastive, Matching, Structured
from jaxgen.train_state import (
    LossOutput,
    TrainState,
    apply,
    blank,
    create_parts,
    descend,
    from_variables,
    training_mode,
)
from jaxgen.typing import AxisName, Captions, Embeddings, Images, Key, Metrics, Scalar, Shape, Variables

IMAGE, TEXT, SCALE = "image", "text", "scale"
"""Parts of the player."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; text encoder, objective and optimiser are those of the authors' code."""

    image_shape: Shape = (64, 64, 3)
    value_range: ValueRange = (-1.0, 1.0)
    caption_length: PositiveInt = 201  # bytes of a caption, as --images.caption-length
    features: PositiveInt = 1024  # of an embedding
    image_encoder: nn.Module = ConvCritic(32, norm="layer")  # image to embedding
    text_encoder: nn.Module = CharCNNRNN()  # caption to embedding
    objective: Matching = Structured()
    optimizer: Optimizer = Optimizer(7e-4, RMSProp(0.99))

    batch_type: ClassVar = Captioned


class State(NamedTuple):
    """What the next update needs."""

    encoders: TrainState  # image, text and, where it is learned, the logarithm of the scale


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    captions, shape = jnp.zeros((1, config.caption_length), jnp.uint8), (config.features,)
    parts = {
        IMAGE: (config.image_encoder, blank(config.image_shape), shape),
        TEXT: (config.text_encoder, captions, shape),
    }
    encoders, first = create_parts(parts, config.optimizer, key), config.objective.initial_scale
    if first is None:
        return State(encoders)
    params = {**encoders.params, SCALE: {"log": jnp.log(jnp.float32(first))}}
    return State(from_variables({**encoders.variables, "params": params}, config.optimizer))


def encode_images(
    config: Config, variables: Variables, images: Images, mode: Mode = EVALUATION
) -> tuple[Embeddings, Variables]:
    """v(x), and the variables after the pass."""
    return apply(config.image_encoder, variables, images, (config.features,), mode=mode, part=IMAGE)


def encode_captions(
    config: Config, variables: Variables, captions: Captions, mode: Mode = EVALUATION
) -> tuple[Embeddings, Variables]:
    """u(t), and the variables after the pass. ValueError for captions of another length than the config's."""
    require_length(config, captions)
    return apply(config.text_encoder, variables, captions, (config.features,), mode=mode, part=TEXT)


def matching_loss(config: Config, variables: Variables, images: Images, captions: Captions, mode: Mode) -> LossOutput:
    """The mean over the batch of all devices of equation 1, or 2."""
    vectors, after = encode_images(config, variables, images, mode)
    texts, after = encode_captions(config, after, captions, mode.stream(1))
    vectors, texts, captions = (gather(each, mode.axis_name) for each in (vectors, texts, captions))
    same = (captions[:, None] == captions[None]).all(axis=2)
    found = scale_of(variables)
    loss = config.objective.losses(vectors, texts, ~same, found).mean()
    metrics = {"matching_loss": loss} | ({} if found is None else {"scale": found})
    return loss, (metrics | found_in_batch(config, vectors, texts, same), after)


def scale_of(variables: Variables) -> Scalar | None:
    """s of equation 2; None where none is learned."""
    learned = variables["params"].get(SCALE)
    return None if learned is None else jnp.exp(learned["log"])


def found_in_batch(config: Config, vectors: Embeddings, texts: Embeddings, same: Any) -> Metrics:
    """The share of captions whose image has the highest score of the batch, and of images whose caption has it."""
    images, texts = (config.objective.embeddings(each) for each in (vectors, texts))
    scores = jnp.matmul(texts, images.T, precision="highest")
    return {
        "text_to_image": retrieval_accuracy(scores, same).mean(),
        "image_to_text": retrieval_accuracy(scores.T, same).mean(),
    }


def update(
    config: Config, state: State, batch: Captioned, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of both encoders on one minibatch.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: images, uint8 or floats in range, and a caption of each.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    images, before = scale(batch.images, config.value_range), state.encoders
    mode = training_mode(before, pass_key(key), len(images), axis_name)
    inputs = images, batch.captions, mode
    encoders, metrics = descend(before, partial(matching_loss, config), inputs, axis_name, "encoders")
    return State(_limited(config.objective, encoders)), metrics


def _limited(objective: Matching, encoders: TrainState) -> TrainState:
    """The player with its scale at the largest, where it would be above: section 2.5 of arXiv 2103.00020."""
    if not isinstance(objective, Contrastive):
        return encoders
    largest = jnp.log(jnp.float32(objective.largest_scale))
    limited = jax.tree.map(lambda log: jnp.minimum(log, largest), encoders.params[SCALE])
    return encoders.replace(params={**encoders.params, SCALE: limited})


def embed_images(config: Config, state: State, images: Images) -> Embeddings:
    """The vector of each image; its inner product with that of a caption is their score."""
    return config.objective.embeddings(encode_images(config, state.encoders.variables, images)[0])


def embed_captions(config: Config, state: State, captions: Captions) -> Embeddings:
    """The vector of each caption."""
    return config.objective.embeddings(encode_captions(config, state.encoders.variables, captions)[0])
