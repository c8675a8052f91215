"""How much images of one input differ."""

from typing import Any

import numpy as np
import pytest

from experiments.evaluation import diversity
from experiments.evaluation.sets import Examples


class Drawn:
    """A run whose images depend on the seed by a constant, or not at all."""

    def __init__(self, step: int):
        self.step = step

    def draw(self, num: int, seed: int) -> Examples:
        return Examples(np.full((num, 2, 2, 1), 10 + self.step * seed, np.uint8))


def test_it_is_the_mean_distance_of_two_draws_of_the_same_inputs():
    runs: Any = {"samples": Drawn(51), "against": Drawn(0)}
    (row,) = diversity.judge(runs, {name: run.draw(9, 3).pixels for name, run in runs.items()}, 3)
    assert row.metric == diversity.NAME and row.cells["samples"].num == 9
    assert row.cells["samples"].value == pytest.approx(0.2)
    assert row.cells["against"].value == 0.0


def test_there_is_no_row_where_no_image_depends_on_its_key():
    runs: Any = {"samples": Drawn(0)}
    assert diversity.judge(runs, {"samples": runs["samples"].draw(9, 3).pixels}, 3) == []
