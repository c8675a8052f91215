"""What a model can do besides learn and sample, found from what its module offers, and the functions that do it.

`jaxgen.model` names the abilities: a `LatentModel` decodes latent vectors, an `Autoencoder` also encodes images, a
`Reconstructor` does both where a code is no vector. They are runtime-checkable protocols, so
`isinstance(module, Autoencoder)` asks the module itself and no list of models has to be kept. Whether a function takes
labels is read from its signature: a model may want them in its decoder alone.
"""

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.command_line.errors import UserError
from experiments.runs.experiment import model_of

if TYPE_CHECKING:
    from jaxgen.model import Adversary, Autoencoder, LatentModel, ModelConfig

CHUNK = 128
"""Images or latents in one call: bounds the memory, and one compilation serves any number."""

Decoder = Callable[[Any, np.ndarray, np.ndarray | None], np.ndarray]
"""(state, latents (num, latent), labels (num,) or None) to uint8 pixels (num, height, width, channels)."""

Namer = Callable[[Any, np.ndarray], np.ndarray]
"""(state, uint8 pixels) to the likeliest class of each categorical code, (num, codes)."""

Encoder = Callable[[Any, np.ndarray, np.ndarray | None], np.ndarray]
"""(state, uint8 pixels, labels or None) to latents."""

Reconstruction = Callable[[Any, np.ndarray, np.ndarray | None], np.ndarray]
"""(state, uint8 pixels, labels or None) to the pixels that are decoded from their codes."""


def name_of(config: "ModelConfig") -> str:
    """The model's name: wgan_gp, vae, ..."""
    return type(config).__module__.rpartition(".")[2]


def latent_model(config: "ModelConfig") -> "LatentModel":
    """The model, which decodes latent vectors to pictures. UserError if it does not."""
    from jaxgen.model import LatentModel

    model = model_of(config)
    if not isinstance(model, LatentModel):
        raise UserError(f"{name_of(config)} makes no image from a latent vector alone; use a model that does")
    _require_pictures(config)
    return model


def autoencoder(config: "ModelConfig") -> "Autoencoder":
    """The model, which also encodes images. UserError if it does not."""
    from jaxgen.model import Autoencoder

    model = model_of(config)
    if not isinstance(model, Autoencoder):
        raise UserError(f"{name_of(config)} has no encoder to latent vectors; use a model that has one")
    _require_pictures(config)
    return model


def is_autoencoder(config: "ModelConfig") -> bool:
    """Whether `autoencoder` gives a model and no error."""
    try:
        autoencoder(config)
    except UserError:
        return False
    return True


def critic(config: "ModelConfig") -> "Adversary":
    """The model, which scores examples. UserError if it does not."""
    from jaxgen.model import Adversary

    model = model_of(config)
    if not isinstance(model, Adversary):
        raise UserError(f"{name_of(config)} has no discriminator or critic; use a model that has one")
    return model


def names_codes(config: "ModelConfig") -> bool:
    """Whether the model tells of an image which categorical codes it was made of."""
    from jaxgen.model import CodeNamer

    return isinstance(model_of(config), CodeNamer) and bool(config.codes.categorical)  # pyright: ignore


def _require_pictures(config: "ModelConfig") -> None:
    shape = config.image_shape
    if len(shape) != 3 or shape[2] not in (1, 3) or config.value_range is None:
        raise UserError(
            f"{name_of(config)} makes data of shape {shape} in {config.value_range}, no pictures; use a set of images"
        )


def takes_labels(function: Callable[..., Any]) -> bool:
    """Whether the function of a conditional model takes labels."""
    return "labels" in inspect.signature(function).parameters


def latent_dim(config: "ModelConfig") -> int:
    """How many numbers a latent vector has; nothing is computed."""
    import jax

    model = latent_model(config)
    return jax.eval_shape(lambda: model.draw_latents(config, jax.random.key(0), 1)).shape[1]


@functools.cache
def decoder(config: "ModelConfig") -> Decoder:
    """Latents to pixels, compiled once for each config."""
    import jax

    from jaxgen.images import to_pixels

    model = latent_model(config)
    labelled = takes_labels(model.from_latents)

    @jax.jit
    def decode(state: Any, latents: Any, labels: Any) -> Any:
        images = model.from_latents(config, state, latents, *([labels] if labelled else []))
        return to_pixels(images, config.value_range)

    return functools.partial(_in_chunks, decode)


@functools.cache
def encoder(config: "ModelConfig") -> Encoder:
    """Pixels to latents, compiled once for each config."""
    import jax

    from jaxgen.images import scale

    model = autoencoder(config)
    labelled = takes_labels(model.to_latents)

    @jax.jit
    def encode(state: Any, pixels: Any, labels: Any) -> Any:
        images = scale(pixels, config.value_range)
        return model.to_latents(config, state, images, *([labels] if labelled else []))

    return functools.partial(_in_chunks, encode)


@functools.cache
def code_namer(config: "ModelConfig") -> Namer:
    """Pixels to categorical codes, for a model that `names_codes`; compiled once for each config."""
    import jax
    import jax.numpy as jnp

    from jaxgen.images import scale

    model: Any = model_of(config)

    @jax.jit
    def name(state: Any, pixels: Any, _labels: Any) -> Any:
        belief = model.infer(config, state, scale(pixels, config.value_range))
        return jnp.stack([logits.argmax(axis=1) for logits in belief.logits], axis=1)

    return lambda state, pixels: _in_chunks(name, state, pixels, None)


@functools.cache
def reconstruction(config: "ModelConfig") -> Reconstruction:
    """Pixels to the pixels decoded from their codes, compiled once for each config. UserError if it cannot be."""
    import jax

    from jaxgen.images import scale, to_pixels
    from jaxgen.model import Reconstructor

    model = model_of(config)
    if not isinstance(model, Reconstructor):
        encode, decode = encoder(config), decoder(config)
        return lambda state, pixels, labels: decode(state, encode(state, pixels, labels), labels)
    _require_pictures(config)

    @jax.jit
    def reconstruct(state: Any, pixels: Any, _labels: Any) -> Any:
        images = model.reconstruct(config, state, scale(pixels, config.value_range))
        return to_pixels(images, config.value_range)

    return functools.partial(_in_chunks, reconstruct)


def _in_chunks(function: Any, state: Any, rows: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """The function's rows for all of `rows`, CHUNK at a time, the last chunk filled with copies of the last row."""
    labels = np.zeros(len(rows), np.int32) if labels is None else labels.astype(np.int32)
    done = []
    for start in range(0, len(rows), CHUNK):
        places = np.minimum(np.arange(start, start + CHUNK), len(rows) - 1)
        done.append(np.asarray(function(state, rows[places], labels[places])))
    return np.concatenate(done)[: len(rows)]
