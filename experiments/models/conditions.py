"""What a model is given when it samples: for each sample a row of its condition, taken from examples of its data.

A model of classes needs none: it takes them in turn.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax.numpy as jnp
import numpy as np

from experiments.data.images import ImageSet
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
    return takes_examples(config) and not abilities.has_domains(config) and _column(config).pixels


def source(experiment: Experiment, show: Callable[[str], None] | None = None) -> Source | None:
    """Conditions from held-out examples, or training ones where there are none; None for a model that needs none.

    Of a model of domains, sample i is translated to domain i mod the number of domains. `show` takes a line on each
    thing that a model of texts cannot read.
    """
    config = experiment.model
    if not takes_examples(config):
        return None
    from experiments import data
    from experiments.data import held_out

    image_set = held_out.load_for(experiment) or data.load_for(experiment)
    if show is not None:
        tell(config, image_set, show)

    def rows(places: np.ndarray) -> Any:
        given = of_batch(config, image_set.batch(places % len(image_set), config.batch_type))
        return given._replace(labels=domains_in_turn(config, places)) if abilities.has_domains(config) else given

    return rows


def tell(config: Any, image_set: ImageSet, show: Callable[[str], None]) -> None:
    """Show what a model of texts cannot read of the captions of a set."""
    from experiments.models import unread

    for warning in unread.warnings(config, image_set):
        show(f"warning: of {image_set.name}, {warning}")


def domains_in_turn(config: Any, places: np.ndarray) -> np.ndarray:
    """The domain that each sample is translated to, by its number."""
    return (places % config.num_classes).astype(np.int32)


def of_batch(config: Any, batch: Any) -> Any:
    """The condition of a batch, images in the model's range."""
    if abilities.has_domains(config):
        return batch._replace(images=scale(jnp.asarray(batch.images), config.value_range))
    condition = batches.condition(batch)
    return scale(jnp.asarray(condition), config.value_range) if is_image(config) else condition


def takes_images(config: Any) -> bool:
    """Whether the model translates images: its condition is one, perhaps with a domain beside it."""
    return abilities.has_domains(config) or is_image(config)


def of_images(config: Any, images: Any, label: Any = None) -> Any:
    """The condition of a model that is given images in its range, and the domain that all are to be of."""
    if not abilities.has_domains(config):
        return images
    return batches.Domains(images, jnp.broadcast_to(jnp.asarray(label, jnp.int32), (len(images),)))


def _column(config: Any) -> batches.Column:
    fields = dict(zip(config.batch_type._fields, config.batch_type.COLUMNS, strict=True))
    return fields[config.batch_type.CONDITION]
