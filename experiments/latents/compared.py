"""By what images are compared where latents are searched for: pixels, or the features of a network."""

from typing import Any, Literal, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from experiments.latents.trained import Trained
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
        found, wanted = (images.scale(jnp.asarray(each), value_range) for each in (made, originals))
        return np.asarray(jax.jit(self.distance)(found, wanted))


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
    from experiments.evaluation import classifier

    judge = classifier.obtain(data.load_for(run.experiment), run.held_out, run.experiment.images)
    low, high = run.config.value_range

    def of(found: Any) -> Any:
        return judge.network(2 * (found - low) / (high - low) - 1)["features"]

    beside = f", and {pixel_weight:g} times that of pixels" if pixel_weight else ""
    return Compared(
        feature_distance(of, pixels=pixel_weight),
        f"mean squared error of the features of a {judge.describe()}{beside}",
    )
