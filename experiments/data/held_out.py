"""Images that a model has not trained on, and a few images of a set that may be sorted."""

import numpy as np

from experiments import data
from experiments.data.collection import NoExamples
from experiments.data.images import ImageSet
from experiments.runs.experiment import Experiment


def load_for(experiment: Experiment) -> ImageSet | None:
    """Images that the model has not trained on; None where the data set holds none out.

    UserError where there are some that cannot be used.
    """
    try:
        return data.load_for(experiment, "test")
    except NoExamples:
        return None


def spread(image_set: ImageSet, num: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Pixels and labels of `num` images at even distances through the set, which may be sorted."""
    indices = np.linspace(0, len(image_set) - 1, num).astype(np.int64)
    labels = None if image_set.labels is None else image_set.labels[indices]
    return np.asarray(image_set.batch(indices)), labels
