"""The classifier of a model that learns from few labels, trained by cross-entropy on those labels alone."""

from collections.abc import Callable
from typing import Any

import jax

from experiments import data
from experiments.evaluation import classifier
from experiments.runs.experiment import Experiment
from jaxgen.batches import Labelled
from jaxgen.gans import improved_gan
from jaxgen.images import scale
from jaxgen.mode import Mode
from jaxgen.parallel import example_keys

NAME = "labels_alone"
"""Of its column."""


def are_there(config: Any) -> bool:
    """Whether a model learns from few labels."""
    return isinstance(config, improved_gan.Config)


def fitted(experiment: Experiment, steps: int, seed: int) -> Callable[[Any], Any]:
    """The network of `classify`, fresh, after its own optimiser's steps on the labelled images: images to logits.

    They are as many as the run has taken, and no more than those of the classifier that judges samples.
    """
    config, train = experiment.model, data.load_for(experiment)
    chosen = classifier.Settings(steps=min(steps, classifier.USUAL.steps), batch_size=experiment.batch_size)
    key = jax.random.key(seed)

    def prepared(batch: Labelled, step: Any) -> tuple[Any, Any, Mode]:
        keys = example_keys(jax.random.fold_in(key, step), len(batch.labels))
        return scale(batch.images, config.value_range), batch.labels, Mode(keys, step, train=True)

    def loss(variables: Any, images: Any, labels: Any, mode: Mode) -> Any:
        return improved_gan.class_loss(config, variables, images, labels, mode)

    state = improved_gan.init(config, key)
    player = classifier.fit(state.discriminator, loss, train, seed, chosen, prepared)
    trained = state._replace(classifier=player.variables)
    return lambda images: improved_gan.classify(config, trained, images)
