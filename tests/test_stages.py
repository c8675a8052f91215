import dataclasses

import pytest

from jaxgen.model import Defaults
from jaxgen.stages import Stage, until


@dataclasses.dataclass(frozen=True)
class Doubling(Defaults):
    """The size doubles after 2 and after 5 updates."""

    size: int = 1

    def stage(self, step):
        start, end, size = next(row for row in ((0, 2, 1), (2, 5, 2), (5, None, 4)) if row[1] is None or step < row[1])
        return Stage(dataclasses.replace(self, size=size), start, end, batch_size=8 // size)


@pytest.mark.parametrize(
    ("step", "sizes"), [(0, [1]), (1, [1]), (2, [1, 2]), (4, [1, 2]), (5, [1, 2, 4]), (99, [1, 2, 4])]
)
def test_the_stages_up_to_a_step_follow_each_other(step, sizes):
    found = list(until(Doubling(), step))
    assert [stage.config.size for stage in found] == sizes
    assert found[-1].start <= step and (found[-1].end is None or step < found[-1].end)


def test_settings_without_stages_are_one_for_the_whole_run():
    plain = Defaults()
    assert list(until(plain, 10**6)) == [Stage(plain)]


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        (3, None, "begins at 3, but must begin at 2"),
        (1, 4, "begins at 1, but must begin at 2"),
        (2, 2, "ends at 2, but must end later"),
    ],
)
def test_stages_with_a_gap_or_an_overlap_are_refused(start, end, sentence):
    class Broken(Defaults):
        def stage(self, step):
            return Stage(self, 0, 2) if step < 2 else Stage(self, start, end)

    with pytest.raises(ValueError, match=f"the stage at step 2 {sentence}"):
        list(until(Broken(), 5))
