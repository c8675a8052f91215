"""A sheet for each picture: the input, its translations and, where there is one, the target, side by side."""

from collections.abc import Mapping

import numpy as np

from experiments.pictures import figures


def sheet(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Pictures under their names, (height, width, 1 or 3) uint8 each; a smaller one is enlarged by whole factors."""
    colours = {name: np.broadcast_to(one, (*one.shape[:2], 3)) for name, one in columns.items()}
    return figures.side_by_side({name: one[None] for name, one in colours.items()})
