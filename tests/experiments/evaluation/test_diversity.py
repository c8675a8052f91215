"""How much images of one input differ."""

import numpy as np
import pytest

from experiments.evaluation import diversity, sets
from jaxgen.nets.pixelda import DomainClassifier, NoisyDiscriminator, NoisyTranslator
from jaxgen.priors import Uniform
from jaxgen.translation import pixelda
from tests.experiments import small_runs

CONFIG = pixelda.Config(
    image_shape=small_runs.SHAPE,
    prior=Uniform(2),
    generator=NoisyTranslator(channels=2, blocks=1),
    discriminator=NoisyDiscriminator(channels=2),
    classifier=DomainClassifier(channels=(2, 2), width=4),
)


def test_it_is_the_distance_of_two_draws_and_no_row_where_there_is_none(tmp_path):
    run = sets.run(small_runs.save(CONFIG, tmp_path / "run", data="unpaired:digits,digits"), "newest")
    first, second = (run.draw(9, seed).pixels for seed in (3, 4))
    (row,) = diversity.judge({"samples": run}, {"samples": first}, 3)
    wanted = np.abs(first / 255 - second / 255).mean()
    cell = row.cells["samples"]
    assert cell.value == pytest.approx(wanted, rel=1e-5) and wanted > 0 and cell.num == 9
    assert cell.low <= cell.value <= cell.high
    assert diversity.judge({"samples": run}, {"samples": second}, 3) == []
