import pytest

from jaxgen.text_to_image.matching import Contrastive, Structured


def test_what_a_scale_begins_with():
    assert Structured().initial_scale is None
    assert Contrastive(0.25).initial_scale == 4.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (lambda: Structured(-1.0), "margin is -1.0, but must be at least 0"),
        (lambda: Contrastive(0.0), "temperature is 0.0, but must be above 0"),
        (lambda: Contrastive(largest_scale=0.0), "largest_scale is 0.0, but must be above 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        settings()
