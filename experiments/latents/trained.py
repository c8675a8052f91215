"""A trained model, with what the actions ask of it."""

import functools
import pathlib
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from experiments.data import held_out
from experiments.data.images import ImageSet
from experiments.models import abilities, classes, samplers, sampling
from experiments.models.samplers import NONE, Changes
from experiments.runs import restore, run_data
from experiments.runs.experiment import Experiment
from experiments.runs.run_data import HERE, Place


@dataclass(frozen=True)
class Trained:
    """A run's settings and its newest state."""

    experiment: Experiment
    step: int
    state: Any
    folder: pathlib.Path

    @property
    def config(self) -> Any:
        """Settings of the model."""
        return self.experiment.model

    @property
    def name(self) -> str:
        """Name of the model."""
        return abilities.name_of(self.config)

    @functools.cached_property
    def latent_dim(self) -> int:
        """How many numbers a latent vector has."""
        return abilities.latent_dim(self.config)

    @property
    def encodes(self) -> bool:
        """Whether the model finds latent vectors of images."""
        return abilities.is_autoencoder(self.config)

    @property
    def conditional(self) -> bool:
        """Whether an image is made of a class, too."""
        return abilities.has_classes(self.config)

    @functools.cached_property
    def held_out(self) -> ImageSet:
        """Images that the model has not trained on. UserError if the data set is not there."""
        from experiments import data

        if self.folder is not None:
            run_data.check(self.folder, self.experiment)
        return held_out.load_for(self.experiment) or data.load_for(self.experiment)

    @functools.cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that the model is told."""
        return classes.names(self.folder, self.experiment)

    def decode(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """uint8 pixels of latents."""
        return abilities.decoder(self.config)(self.state, latents, labels)

    def encode(self, pixels: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Latents of uint8 pixels."""
        return abilities.encoder(self.config)(self.state, pixels, labels)

    def draw(self, indices: np.ndarray, seed: int) -> np.ndarray:
        """The latents of the images that `experiments.sample` draws with this seed, counted from 0, row by row."""
        abilities.latent_model(self.config)
        in_turn = classes.in_turn(self.config)
        drawn = jax.jit(
            lambda key, indices, asked: abilities.draw_latents(self.config, sampling.keys_of(key, indices), asked)
        )
        asked = None if in_turn is None else in_turn(indices)
        return np.asarray(drawn(jax.random.key(seed), indices.astype(np.uint32), asked))


def load(folder: pathlib.Path, place: Place = HERE, changes: Changes = NONE) -> Trained:
    """The run's newest good state, to draw with `changes` of its settings. UserError if there is none.

    `place` is where its data lie now.
    """
    experiment, _, step, state = restore.newest(folder)
    experiment = samplers.replaced(run_data.placed(experiment, place), changes)
    return Trained(experiment, step, state, folder)
