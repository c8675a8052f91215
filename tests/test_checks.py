import types

import pytest

from jaxgen.checks import at_least, require


def test_a_bad_setting_is_named_with_its_value_and_what_is_right():
    with pytest.raises(ValueError, match=r"^rate is 3, but must be below 1$"):
        require(False, "rate", 3, "below 1")
    require(True, "rate", 0, "below 1")


def test_each_named_setting_must_reach_a_border_which_is_allowed():
    settings = types.SimpleNamespace(rows=2, columns=1, depth=0)
    at_least(1, settings, "rows", "columns")
    with pytest.raises(ValueError, match=r"^depth is 0, but must be at least 1$"):
        at_least(1, settings, "rows", "depth")
