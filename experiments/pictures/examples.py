"""Samples for held-out examples, beside what they are made of: rows of images, the same ones at each step.

condition | sample | target              of pairs: whichever of the outer two are images
caption: sample | target                 of texts, each at the left of its row
hole | sample | target                   of a model that fills holes in images
a | a to b | b | b to a                  of a model that translates two domains into each other
image | one column for each domain       of a model that is told the domain to translate to
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.data import held_out
from experiments.data.images import ImageSet
from experiments.models import abilities, conditions, progress, texts
from experiments.pictures import figures
from experiments.pictures.captioned import OfCaptions
from experiments.runs.experiment import Experiment, model_of
from jaxgen import batches, images
from jaxgen.abilities import Inpainter, TwoDomainModel
from jaxgen.parallel import compiled, example_keys
from jaxgen.typing import Key

HIDDEN = np.uint8(128)
"""Grey in the holes of a picture."""

LONGEST_CAPTION = 420
"""Pixels of a caption beside its image, at most."""

Columns = Callable[[Any], Mapping[str, np.ndarray]]
"""A state to columns of uint8 images, by their titles."""


def drawing(experiment: Experiment, image_set: ImageSet, key: Key) -> Callable[[Any], np.ndarray]:
    """What draws the picture of a state, (height, width, 3) uint8."""
    config, unseen = experiment.model, held_out.load_for(experiment) or image_set
    two_domains = isinstance(model_of(config), TwoDomainModel)
    columns = _two_domains if two_domains else _domains if abilities.has_domains(config) else _one_sample
    per_row = 4 if two_domains else 1 + len(image_set.classes) if abilities.has_domains(config) else 3
    num = min(max(1, experiment.num_samples // per_row), len(unseen))
    batch = unseen.batch(np.linspace(0, len(unseen) - 1, num).astype(np.int64), config.batch_type)
    draw = columns(experiment, batch, key, image_set.classes)
    named = [unseen.text(each) for each in batch.captions] if texts.reads_texts(config) else ()
    drawn = lambda state: figures.side_by_side(draw(state), named, longest=LONGEST_CAPTION)  # noqa: E731
    return OfCaptions(drawn, tuple(named)) if named else drawn


def _one_sample(experiment: Experiment, batch: Any, key: Key, _: Any) -> Columns:
    config, model = experiment.model, model_of(experiment.model)
    given, target = conditions.of_batch(config, batch), batches.target(batch)
    given = jax.tree.map(jnp.asarray, given)
    num = len(jax.tree.leaves(given)[0])
    shown = progress.Watched(config)
    draw = compiled(
        lambda state: images.to_pixels(model.sample(shown.config, state, key, num, given), config.value_range)
    )
    before = {"condition": batches.condition(batch)} if conditions.is_image(config) else {}
    if isinstance(model, Inpainter):
        mask = np.asarray(jax.jit(lambda key, given: model.holes(config, key, given))(key, given))
        before = {"hole": np.where(mask > 0, batches.condition(batch), HIDDEN)}
    after = {} if target is None else {"target": target}

    def columns(state: Any) -> Mapping[str, np.ndarray]:
        with shown.drawing():
            return {**before, "sample": np.asarray(draw(state)), **after}

    return columns


def _two_domains(experiment: Experiment, batch: Any, key: Key, _: Any) -> Columns:
    config, model = experiment.model, model_of(experiment.model)
    if not isinstance(model, TwoDomainModel):
        raise TypeError(f"{model} translates no two domains")
    keys = example_keys(key, len(batch.a))
    a, b = (images.scale(jnp.asarray(each), config.value_range) for each in (batch.a, batch.b))

    @compiled
    def draw(state: Any) -> tuple[Any, Any]:
        both = model.to_b(config, state, keys, a), model.to_a(config, state, keys, b)
        return images.to_pixels(both[0], config.value_range), images.to_pixels(both[1], config.value_range)

    def columns(state: Any) -> Mapping[str, np.ndarray]:
        fake_b, fake_a = map(np.asarray, draw(state))
        return {"a": batch.a, "a to b": fake_b, "b": batch.b, "b to a": fake_a}

    return columns


def _domains(experiment: Experiment, batch: Any, key: Key, classes: tuple[str, ...]) -> Columns:
    config, model = experiment.model, model_of(experiment.model)
    given, num = images.scale(jnp.asarray(batch.images), config.value_range), len(batch.images)

    @compiled
    def draw(state: Any, label: Any) -> Any:
        found = model.sample(config, state, key, num, conditions.of_images(config, given, label))
        return images.to_pixels(found, config.value_range)

    def columns(state: Any) -> Mapping[str, np.ndarray]:
        found = [np.asarray(draw(state, np.int32(label))) for label in range(len(classes))]
        return {"image": batch.images} | dict(zip(classes, found, strict=True))

    return columns
