"""By what images are compared where latents are searched for: pixels, or the features of a network."""

from typing import Any, Literal, NamedTuple, TypeAlias

import jax
import numpy as np

from experiments.command_line.errors import UserError
from experiments.latents.searching import CHUNK
from experiments.latents.trained import Trained
from experiments.models.chunks import in_chunks
from jaxgen import images
from jaxgen.checks import require
from jaxgen.latents.projection import Distance, feature_distance
from jaxgen.losses.reconstruction import mean_squared_error

FeatureName: TypeAlias = Literal["none", "classifier"]


class Compared(NamedTuple):
    """A distance, and what a person is told of it."""

    distance: Distance  # of images in the run's value range
    about: str

    def between(self, made: np.ndarray, originals: np.ndarray, value_range: Any) -> np.ndarray:
        """Of uint8 images, (num,)."""
        distance = jax.jit(lambda pairs: self.distance(*(images.scale(each, value_range) for each in pairs)))
        places = np.arange(len(made))
        return in_chunks(lambda some: distance((made[some], originals[some])), places, min(CHUNK, len(made)))


def require_weight(options: Any) -> None:
    """ValueError for a weight of pixels that no distance can have, or beside no features."""
    weight = options.pixel_weight
    require(0 <= weight < np.inf, "--pixel-weight", weight, "at least 0 and finite")
    require(weight == 0 or options.features != "none", "--pixel-weight", weight, "0 without --features: pixels are all")


def compared(run: Trained, features: FeatureName, pixel_weight: float) -> Compared:
    """The distance that `--features` and `--pixel-weight` say. UserError for data without classes to learn."""
    if features == "none":
        return Compared(mean_squared_error, "mean squared error of pixels")
    from experiments import data
    from experiments.data import held_out
    from experiments.evaluation import classifier

    train, test = data.load_for(run.experiment), held_out.load_for(run.experiment)
    reason = classifier.why_not(train) or classifier.why_not_judged(test)
    if reason or test is None:
        raise UserError(f"--features classifier cannot be used: {reason}; use none")
    judge = classifier.obtain(train, test, run.experiment.images)

    def of(found: Any) -> Any:
        return judge.network(images.centred(found, run.config.value_range))["features"]

    beside = f", and {pixel_weight:g} times that of pixels" if pixel_weight else ""
    return Compared(
        feature_distance(of, pixels=pixel_weight),
        f"mean squared error of the features of a {judge.describe()}{beside}",
    )
