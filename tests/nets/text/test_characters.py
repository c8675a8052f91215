import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.text.characters import ALPHABET, one_hot


def rows_of(text: bytes, length: int) -> np.ndarray:
    return np.asarray(one_hot(jnp.asarray(np.frombuffer(text.ljust(length, b"\0"), np.uint8))[None])[0])


def test_each_symbol_has_its_column_the_hyphen_its_second_and_a_capital_that_of_the_small_letter():
    rows = rows_of(ALPHABET.encode(), 70)
    assert len(ALPHABET) == 70 and len(set(ALPHABET)) == 69 and ALPHABET.index("-") == 36
    wanted = np.eye(70, dtype=np.float32)
    wanted[36] = wanted[59]
    np.testing.assert_array_equal(rows, wanted)
    np.testing.assert_array_equal(rows_of(b"QUICK Fox-7", 11), rows_of(b"quick fox-7", 11))


def test_padding_and_bytes_outside_of_the_alphabet_are_rows_of_zeros():
    assert rows_of("\n\té".encode(), 8).sum() == 0
    np.testing.assert_array_equal(rows_of("aéz".encode(), 6).sum(axis=1), [1, 0, 0, 1, 0, 0])


@pytest.mark.parametrize("captions", [jnp.zeros((2, 5), jnp.int32), jnp.zeros(5, jnp.uint8)])
def test_other_arrays_are_refused(captions):
    with pytest.raises(ValueError, match=r"captions is .*, but must be uint8 \(batch, length\)"):
        one_hot(captions)
