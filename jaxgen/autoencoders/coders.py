"""A deterministic encoder and its decoder as the models of the family apply them, and images from their latents.

A model's config has `encoder`, `decoder`, `latent_dim`, `image_shape` and `value_range`; its state has the player
`autoencoder`, with the parts "encoder" and "decoder".
"""

from typing import Any, NamedTuple

from jaxgen.images import squash
from jaxgen.mode import EVALUATION, Mode
from jaxgen.optimizers import Optimizer
from jaxgen.sampling import sampler
from jaxgen.train_state import TrainState, apply, blank, create_parts
from jaxgen.typing import Key, Latents, Points, Variables


class CoderState(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState  # encoder, decoder and whatever other parts the model has


def create_coders(config: Any, optimizer: Optimizer, key: Key) -> TrainState:
    """Fresh encoder and decoder, moved by one optimiser."""
    latent_shape = (config.latent_dim,)
    encoder = config.encoder, blank(config.image_shape), latent_shape
    decoder = config.decoder, blank(latent_shape), config.image_shape
    return create_parts({"encoder": encoder, "decoder": decoder}, optimizer, key)


def encode(config: Any, variables: Variables, images: Points, mode: Mode = EVALUATION) -> tuple[Latents, Variables]:
    """f(x), and the variables after the pass."""
    return apply(config.encoder, variables, images, (config.latent_dim,), mode=mode.stream(0), part="encoder")


def decode(config: Any, variables: Variables, latents: Latents, mode: Mode = EVALUATION) -> tuple[Points, Variables]:
    """g(z) in the value range, and the variables after the pass."""
    inputs = latents, config.image_shape
    outputs, variables = apply(config.decoder, variables, *inputs, mode=mode.stream(1), part="decoder")
    return squash(outputs, config.value_range), variables


def from_latents(config: Any, state: Any, latents: Latents, condition: None = None) -> Points:
    """g(z)."""
    return decode(config, state.autoencoder.variables, latents)[0]


def to_latents(config: Any, state: Any, images: Points, condition: None = None) -> Latents:
    """f(x)."""
    return encode(config, state.autoencoder.variables, images)[0]


sample = sampler(from_latents)
