"""What a model can do as programs of `jax.export`: files that need jax, and none of this project, to run.

The weights stand inside. Each program is lowered for CPU, CUDA and TPU, and takes any number of examples; a model
whose trace needs a fixed number, or one platform, is exported with that. Which it was, an `Exported` says itself.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax import export

from experiments.command_line.errors import UserError
from experiments.models import abilities, conditions, texts
from experiments.runs.experiment import Experiment, model_of
from jaxgen.abilities import Autoencoder, LatentModel, Reconstructor
from jaxgen.batches import Domains
from jaxgen.images import scale, to_pixels

PLATFORMS = ("cpu", "cuda", "tpu")

FIXED = 16
"""Examples of a program that cannot take any number."""

NOT_LOWERED = (TypeError, NotImplementedError, jax.errors.InconclusiveDimensionOperation)
"""What JAX raises where a trace needs to know the number of examples, or an operation is not on a platform."""


@dataclass(frozen=True)
class Program:
    """One program, before it is exported."""

    name: str  # of the file, without its ending
    gives: str  # what a call returns
    function: Callable[..., Any]
    arguments: tuple[tuple[str, tuple[int | str, ...], Any], ...]  # name, shape and dtype; "num" for the examples


def all_of(experiment: Experiment, state: Any) -> Iterator[Program]:
    """What the model can do with this state."""
    config = experiment.model
    model = model_of(config)
    if abilities.makes_images(config):
        yield _sampler(experiment, state)
    if isinstance(model, LatentModel):
        yield _decoder(experiment, state)
    if isinstance(model, Autoencoder):
        yield _encoder(experiment, state)
    if isinstance(model, Reconstructor):
        yield _reconstructor(experiment, state)


def exported(program: Program) -> export.Exported:
    """The program for all platforms and any number of examples, or, where that cannot be, for what can."""
    attempts = [(num, platforms) for num in (None, FIXED) for platforms in (PLATFORMS, (jax.default_backend(),))]
    for num, platforms in attempts[:-1]:
        try:
            return _lowered(program, num, platforms)
        except NOT_LOWERED:
            continue
    return _lowered(program, *attempts[-1])


def _lowered(program: Program, num: int | None, platforms: tuple[str, ...]) -> export.Exported:
    rows = num or export.symbolic_shape("num")[0]
    shapes = [
        jax.ShapeDtypeStruct(tuple(rows if size == "num" else size for size in shape), dtype)
        for _, shape, dtype in program.arguments
    ]
    return export.export(jax.jit(program.function), platforms=platforms)(*shapes)


def num_of(program: export.Exported) -> int | None:
    """How many examples it takes; None for any number."""
    num = program.out_avals[0].shape[0]
    return num if isinstance(num, int) else None


def _sampler(experiment: Experiment, state: Any) -> Program:
    config: Any = experiment.model
    condition = _condition(experiment)

    def sample(seed: jax.Array, *rows: jax.Array) -> jax.Array:
        key = jax.random.fold_in(jax.random.key(seed), 0)  # of the first chunk of `sample RUN --seed`
        given = _given(config, *rows) if condition else None
        return _shown(config, model_of(config).sample(config, state, key, rows[0].shape[0], given))

    rows = condition or (("places", ("num",), np.int32),)
    return Program("sampler", "images", sample, (("seed", (), np.uint32), *rows))


def _decoder(experiment: Experiment, state: Any) -> Program:
    config: Any = experiment.model
    shape = tuple(config.prior.shape)

    def decode(latents: jax.Array, *condition: jax.Array) -> jax.Array:
        given = _given(config, *condition) if condition else None
        shaped = latents.reshape(latents.shape[0], *shape)
        return _shown(config, model_of(config).from_latents(config, state, shaped, given))  # pyright: ignore

    latents = ("latents", ("num", math.prod(shape)), np.float32)
    return Program("decoder", "images", decode, (latents, *_condition(experiment)))


def _encoder(experiment: Experiment, state: Any) -> Program:
    config: Any = experiment.model

    def encode(images: jax.Array, *condition: jax.Array) -> jax.Array:
        given = _given(config, *condition) if condition else None
        scaled = scale(images, config.value_range)
        latents = model_of(config).to_latents(config, state, scaled, given)  # pyright: ignore
        return latents.reshape(latents.shape[0], -1)

    return Program("encoder", "latents", encode, (_examples(config), *_condition(experiment)))


def _reconstructor(experiment: Experiment, state: Any) -> Program:
    config: Any = experiment.model

    def reconstruct(images: jax.Array) -> jax.Array:
        scaled = scale(images, config.value_range)
        return _shown(config, model_of(config).reconstruct(config, state, scaled))  # pyright: ignore

    return Program("reconstructor", "images", reconstruct, (_examples(config),))


def has_pixels(config: Any) -> bool:
    """Whether examples are uint8 pixels; points, and values without bounds, are floats."""
    return len(config.image_shape) == 3 and config.value_range is not None


def _examples(config: Any) -> tuple[str, tuple[int | str, ...], Any]:
    return "images", ("num", *config.image_shape), np.uint8 if has_pixels(config) else np.float32


def _shown(config: Any, images: jax.Array) -> jax.Array:
    return to_pixels(images, config.value_range) if has_pixels(config) else images


def _condition(experiment: Experiment) -> tuple[tuple[str, tuple[int | str, ...], Any], ...]:
    """The arguments that hold a row of the condition for each example; none for a model without one."""
    config = experiment.model
    name = abilities.condition_of(config)
    if name is None:
        return ()
    if abilities.has_domains(config):
        return _examples(config), ("domains", ("num",), np.int32)
    if isinstance(name, tuple):
        raise UserError(f"a condition of {' and '.join(name)} cannot be exported")
    if abilities.has_classes(config):
        return ((name, ("num",), np.int32),)
    if conditions.is_image(config):
        shape = getattr(config, "input_shape", config.image_shape)
        return ((name, ("num", *shape), np.uint8 if has_pixels(config) else np.float32),)
    if name == "captions" and not texts.reads_texts(config):
        return ((name, ("num", *texts.shape_of_embeddings(config)), np.float32),)
    kind = np.uint16 if experiment.images.tokens else np.uint8
    return ((name, ("num", experiment.images.caption_length), kind),)


def _given(config: Any, rows: jax.Array, *domains: jax.Array) -> Any:
    """The condition as the model takes it: images in its range."""
    if domains:
        return Domains(scale(rows, config.value_range), *domains)
    return scale(rows, config.value_range) if conditions.is_image(config) else rows
