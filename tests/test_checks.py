import pytest

from jaxgen.checks import require


def test_a_bad_setting_is_named_with_its_value_and_what_is_right():
    with pytest.raises(ValueError, match=r"^rate is 3, but must be below 1$"):
        require(False, "rate", 3, "below 1")
    require(True, "rate", 0, "below 1")
