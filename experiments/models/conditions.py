"""What a model is given when it samples: for each sample a row of its condition, taken from examples of its data.

A model of classes needs none: it takes them in turn. So are the domains of a model that is told one beside an image.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from experiments.models import abilities
from experiments.runs.experiment import Experiment
from jaxgen import batches
from jaxgen.images import scale

Source: TypeAlias = Callable[[np.ndarray], Any]
"""Numbers of samples, (num,), to their conditions."""


def takes_examples(config: Any) -> bool:
    """Whether the model samples for examples: inputs of pairs, captions, images of another domain."""
    return abilities.condition_of(config) is not None and not abilities.has_classes(config)


def is_image(config: Any) -> bool:
    """Whether the condition is an image alone."""
    return takes_examples(config) and not takes_domain(config) and _column(config).pixels


def source(experiment: Experiment) -> Source | None:
    """Conditions from held-out examples, or training ones where there are none; None for a model that needs none."""
    config = experiment.model
    if not takes_examples(config):
        return None
    from experiments import data
    from experiments.data import held_out

    image_set = held_out.load_for(experiment) or data.load_for(experiment)

    def conditions(places: np.ndarray) -> Any:
        batch = image_set.batch(places % len(image_set), config.batch_type)
        if takes_domain(config):
            batch = batch._replace(labels=(places % config.num_classes).astype(np.int32))  # pyright: ignore
        return of_batch(config, batch)

    return conditions


def of_batch(config: Any, batch: Any) -> Any:
    """The condition of a batch, images in the model's range."""

    def ranged(rows: Any) -> Any:
        return scale(jnp.asarray(rows), config.value_range) if rows.ndim == 4 else rows

    return jax.tree.map(ranged, batches.condition(batch))


def takes_domain(config: Any) -> bool:
    """Whether the condition is an image and the number of the domain that it is to be brought to."""
    named = abilities.condition_of(config)
    return isinstance(named, tuple) and "labels" in named


def takes_images(config: Any) -> bool:
    """Whether the model translates images: its condition is one, perhaps with a domain beside it."""
    return takes_domain(config) or is_image(config)


def of_images(config: Any, images: Any, label: Any = None) -> Any:
    """The condition of a model that is given images in its range, and the domain that all are to be of."""
    if not takes_domain(config):
        return images
    return config.batch_type(images, jnp.broadcast_to(jnp.asarray(label, jnp.int32), (len(images),)))


def _column(config: Any) -> batches.Column:
    fields = dict(zip(config.batch_type._fields, config.batch_type.COLUMNS, strict=True))
    return fields[config.batch_type.CONDITION]
