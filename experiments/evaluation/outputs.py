"""What a network makes of images."""

from typing import NamedTuple

import numpy as np


class Outputs(NamedTuple):
    """What an image becomes."""

    features: np.ndarray  # (num, d) float32
    logits: np.ndarray | None  # (num, classes) float32; None where the extractor names no classes
