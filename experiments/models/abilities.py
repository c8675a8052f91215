"""What a model can do besides learn and sample, found from what its module offers, and the functions that do it.

The protocols of `jaxgen.abilities` ask the module itself, so no list of models has to be kept. What a model is given
when it samples is the condition that its batch type declares.
"""

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.models.chunks import in_chunks
from experiments.runs.experiment import model_of

if TYPE_CHECKING:
    from jaxgen.abilities import (
        Adversary,
        Autoencoder,
        DiffusionEditor,
        LatentModel,
        Matcher,
        StyledModel,
        TextModel,
        TrajectoryModel,
    )
    from jaxgen.model import ModelConfig

CHUNK = 128
"""Images or latents in one call: bounds the memory, and one compilation serves any number."""

Decoder = Callable[[Any, np.ndarray, Any], np.ndarray]
"""(state, latents as vectors, (num, numbers), condition or None) to uint8 pixels (num, height, width, channels)."""

Namer = Callable[[Any, np.ndarray], np.ndarray]
"""(state, uint8 pixels) to the likeliest class of each categorical code, (num, codes)."""

Encoder = Callable[[Any, np.ndarray, Any], np.ndarray]
"""(state, uint8 pixels, condition or None) to latents, (num, numbers)."""

Reconstruction = Callable[[Any, np.ndarray, Any], np.ndarray]
"""(state, uint8 pixels, condition or None) to the pixels that are decoded from their codes."""


def name_of(config: "ModelConfig") -> str:
    """The model's name: wgan_gp, vae, ..."""
    return type(config).__module__.rpartition(".")[2]


def _offering(config: "ModelConfig", ability: Any, lack: str) -> Any:
    """The model. UserError, which says what it lacks, if it has not this ability."""
    model = model_of(config)
    if not isinstance(model, ability):
        raise UserError(f"{name_of(config)} {lack}")
    return model


def _of_pictures(config: "ModelConfig", ability: Any, lack: str) -> Any:
    """As `_offering`; UserError also for data that are no pictures."""
    model = _offering(config, ability, lack)
    _require_pictures(config)
    return model


def makes_images(config: "ModelConfig") -> bool:
    """Whether the model samples; one that does not is there for its networks."""
    from jaxgen.model import Model

    return isinstance(model_of(config), Model)


def require_images(config: "ModelConfig") -> None:
    """UserError for a model that makes no images."""
    if not makes_images(config):
        raise UserError(f"{name_of(config)} makes no images; python -m experiments.evaluate tells what it has learned")


def matcher(config: "ModelConfig") -> "Matcher":
    """The model, which finds captions for images and images for captions. UserError if it does not."""
    from jaxgen.abilities import Matcher

    return _offering(config, Matcher, "does not match images and captions; use a run of caption_encoder")


def latent_model(config: "ModelConfig") -> "LatentModel":
    """The model, which decodes latent vectors to pictures. UserError if it does not."""
    from jaxgen.abilities import LatentModel

    return _of_pictures(config, LatentModel, "makes no image from a latent vector alone; use a model that does")


def styled_model(config: "ModelConfig") -> "StyledModel":
    """The model, which makes images of the styles of each layer. UserError if it does not."""
    from jaxgen.abilities import StyledModel

    return _of_pictures(config, StyledModel, "has no styles; use a run of a style-based model, StyleGAN 2 for one")


def text_model(config: "ModelConfig") -> "TextModel":
    """The model, which makes images of embeddings of texts. UserError if it does not."""
    from jaxgen.abilities import TextModel

    return _of_pictures(config, TextModel, "makes no images of embeddings of texts; use a run of gan_cls or stackgan")


def autoencoder(config: "ModelConfig") -> "Autoencoder":
    """The model, which also encodes images. UserError if it does not."""
    from jaxgen.abilities import Autoencoder

    return _of_pictures(config, Autoencoder, "has no encoder to latent vectors; use an autoencoder, a VAE for one")


def is_autoencoder(config: "ModelConfig") -> bool:
    """Whether `autoencoder` gives a model and no error."""
    return offers(autoencoder, config)


def offers(ability: Any, config: "ModelConfig") -> bool:
    """Whether a function of this file that raises UserError for models without its ability gives something."""
    try:
        ability(config)
    except UserError:
        return False
    return True


def critic(config: "ModelConfig") -> "Adversary":
    """The model, which scores examples. UserError if it does not."""
    from jaxgen.abilities import Adversary

    return _offering(config, Adversary, "has no discriminator or critic; use a model that has one")


def editor(config: "ModelConfig") -> "DiffusionEditor":
    """The model, which changes images on its way from noise. UserError if it does not."""
    from jaxgen.abilities import DiffusionEditor

    return _of_pictures(config, DiffusionEditor, "is no denoiser that changes images; use a run of ddpm or edm")


def trajectory_model(config: "ModelConfig") -> "TrajectoryModel":
    """The model, which shows the states between noise and samples. UserError if it does not."""
    from jaxgen.abilities import TrajectoryModel

    return _offering(config, TrajectoryModel, "has no trajectory, since it makes no images of noise in steps")


def names_codes(config: "ModelConfig") -> bool:
    """Whether the model tells of an image which categorical codes it was made of."""
    from jaxgen.abilities import CodePredictor

    return isinstance(model_of(config), CodePredictor) and bool(config.codes.categorical)  # pyright: ignore


def _require_pictures(config: "ModelConfig") -> None:
    shape, limits = config.image_shape, config.value_range
    if len(shape) != 3 or shape[2] not in (1, 3) or limits is None:
        raise UserError(f"{name_of(config)} makes data of shape {shape} in {limits}, no pictures; use a set of images")


def condition_of(config: "ModelConfig") -> str | tuple[str, ...] | None:
    """The field of a batch that the model is given when it samples: labels, inputs, ...; None without a condition.

    The names of all its fields, where the model is given all of them.
    """
    return None if config.batch_type is None else config.batch_type.CONDITION


def has_classes(config: "ModelConfig") -> bool:
    """Whether the condition is a class for each image, which a model takes in turn where it is given none."""
    return condition_of(config) == "labels"


def has_domains(config: "ModelConfig") -> bool:
    """Whether the condition is an image and the domain that it is to be translated to."""
    from jaxgen.batches import Domains

    return config.batch_type is Domains


def holds_labels(config: "ModelConfig") -> bool:
    """Whether the model learns from labels, of which it has `num_classes`."""
    from jaxgen.batches import columns

    return any(column.name == "labels" for column in columns(config.batch_type))


def holds_attributes(config: "ModelConfig") -> bool:
    """Whether the model learns which of several labels images have: `num_attributes` of them."""
    from jaxgen.batches import columns

    return any(column.name == "attributes" for column in columns(config.batch_type))


def latent_shape(config: "ModelConfig") -> tuple[int, ...]:
    """The shape of one latent."""
    latent_model(config)
    return tuple(config.prior.shape)  # pyright: ignore[reportAttributeAccessIssue]


def latent_dim(config: "ModelConfig") -> int:
    """How many numbers a latent has."""
    return math.prod(latent_shape(config))


def draw_latents(config: Any, keys: Any, classes: Any) -> Any:
    """The latents that the model's `sample` draws with a key for each image, (num, numbers).

    `classes`: the first categorical code of each image; used by a model that `names_codes` alone.
    """
    latents = config.prior.draw(keys, len(keys))
    if names_codes(config):
        latents = config.codes.with_first_code(latents, classes)
    return latents.reshape(len(keys), -1)


@functools.cache
def decoder(config: "ModelConfig") -> Decoder:
    """Latents to pixels, compiled once for each config."""
    from jaxgen.images import to_pixels
    from jaxgen.parallel import compiled

    model, shape = latent_model(config), latent_shape(config)

    @compiled
    def decode(state: Any, latents: Any, condition: Any) -> Any:
        shaped = latents.reshape(len(latents), *shape)
        return to_pixels(model.from_latents(config, state, shaped, condition), config.value_range)

    return functools.partial(_in_chunks, decode, conditional=has_classes(config))


@functools.cache
def encoder(config: "ModelConfig") -> Encoder:
    """Pixels to latents, compiled once for each config."""
    from jaxgen.images import scale
    from jaxgen.parallel import compiled

    model = autoencoder(config)

    @compiled
    def encode(state: Any, pixels: Any, condition: Any) -> Any:
        latents = model.to_latents(config, state, scale(pixels, config.value_range), condition)
        return latents.reshape(len(latents), -1)

    return functools.partial(_in_chunks, encode, conditional=has_classes(config))


@functools.cache
def code_namer(config: "ModelConfig") -> Namer:
    """Pixels to categorical codes, for a model that `names_codes`; compiled once for each config."""
    import jax.numpy as jnp

    from jaxgen.images import scale
    from jaxgen.parallel import compiled

    model: Any = model_of(config)

    @compiled
    def name(state: Any, pixels: Any, _: None) -> Any:
        predicted = model.predict_codes(config, state, scale(pixels, config.value_range))
        return jnp.stack([logits.argmax(axis=1) for logits in predicted.logits], axis=1)

    return lambda state, pixels: _in_chunks(name, state, pixels, None)


@functools.cache
def reconstruction(config: "ModelConfig") -> Reconstruction:
    """Pixels to the pixels decoded from their codes, compiled once for each config. UserError if it cannot be."""
    from jaxgen.abilities import Reconstructor
    from jaxgen.images import scale, to_pixels
    from jaxgen.parallel import compiled

    model = model_of(config)
    if condition_of(config) == "captions" and is_autoencoder(config):
        raise UserError(f"{name_of(config)} decodes a latent under a text; use latents RUN style, or --pictures styles")
    if not isinstance(model, Reconstructor):
        encode, decode = encoder(config), decoder(config)
        return lambda state, pixels, condition: decode(state, encode(state, pixels, condition), condition)
    _require_pictures(config)

    @compiled
    def reconstruct(state: Any, pixels: Any, _: None) -> Any:
        images = model.reconstruct(config, state, scale(pixels, config.value_range))
        return to_pixels(images, config.value_range)

    return functools.partial(_in_chunks, reconstruct)


def _in_chunks(function: Any, state: Any, rows: np.ndarray, condition: Any, *, conditional: bool = False) -> np.ndarray:
    """The function's rows for all of `rows`, CHUNK at a time, the last chunk filled with copies of the last row.

    Labels of images are left out where the model is told no class.
    """
    given = condition if conditional else None
    told = (lambda places: None) if given is None else (lambda places: given[places])
    return in_chunks(lambda places: function(state, rows[places], told(places)), np.arange(len(rows)), CHUNK)
