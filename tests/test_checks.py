from dataclasses import dataclass
from typing import Annotated

import pytest

from jaxgen.checks import (
    Above,
    AtLeast,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    require,
    require_bounds,
)
from jaxgen.model import Defaults


def test_a_bad_setting_is_named_with_its_value_and_what_is_right():
    with pytest.raises(ValueError, match=r"^rate is 3, but must be below 1$"):
        require(False, "rate", 3, "below 1")
    require(True, "rate", 0, "below 1")


@dataclass(frozen=True)
class Settings(Defaults):
    steps: PositiveInt = 1
    halvings: NonNegativeInt = 0
    weight: NonNegativeFloat = 0.0
    clip: PositiveFloat = 1e-6
    codes: Annotated[int, "how many", AtLeast(2)] = 2
    rate: Annotated[float, Above(1)] = 1.5
    free: int = -5


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("steps", 0, "at least 1"),
        ("halvings", -1, "at least 0"),
        ("weight", -1e-6, "at least 0"),
        ("clip", 0.0, "above 0"),
        ("codes", 1, "at least 2"),
        ("rate", 1.0, "above 1"),
        ("value_range", (0.0, 2.0), r"\(-1, 1\), \(0, 1\) or None"),
    ],
)
def test_a_number_beyond_the_bounds_of_its_fields_type_is_refused_also_in_a_subclass(name, value, wanted):
    class Sub(Settings):
        pass

    for kind in (Settings, Sub):
        kind()  # the values at the bounds
        with pytest.raises(ValueError, match=rf"^{name} is .*, but must be {wanted}$"):
            kind(**{name: value})


def test_settings_without_bounds_have_none():
    @dataclass
    class Plain:
        steps: int = 0

    require_bounds(Plain())
