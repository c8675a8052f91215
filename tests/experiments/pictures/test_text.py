import numpy as np
import pytest

from experiments.pictures import text


def test_a_text_that_fits_stays_and_a_longer_one_is_cut_with_an_ellipsis():
    assert text.fitted("automobile", 13, 200) == "automobile"
    cut = text.fitted("automobile", 13, 40)
    assert cut.endswith("…") and "automobile".startswith(cut[:-1]) and len(cut) > 2
    assert text.font(13).getlength(cut) <= 40


@pytest.mark.parametrize(("given", "drawn"), [("Äpfel", "Apfel"), ("-1.5", "-1.5"), ("−1.5", "-1.5"), ("数", "?")])
def test_letters_that_the_font_lacks_are_replaced(given, drawn):
    assert text.drawable(given) == drawn


def test_upright_text_is_the_text_turned_to_the_left():
    upright = text.upright("z1", 14)
    assert upright.shape[0] > upright.shape[1] - 10 and upright.dtype == np.uint8
    ink = upright.min(axis=2) < 128
    assert ink.any() and not ink[:, 0].any()
    lower, upper = ink[len(ink) // 2 :].sum(), ink[: len(ink) // 2].sum()
    assert lower > upper  # z has more ink than 1, and stands below
