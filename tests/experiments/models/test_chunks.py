import numpy as np

from experiments.models.chunks import in_chunks


def test_rows_in_chunks_are_the_rows_themselves_in_every_output():
    rows, sizes = np.arange(14.0).reshape(7, 2), []

    def apply(part):
        sizes.append(len(part))
        return {"twice": 2 * part, "sum": part.sum(axis=1)}

    found = in_chunks(apply, rows, 3)
    np.testing.assert_array_equal(found["twice"], 2 * rows)
    np.testing.assert_array_equal(found["sum"], rows.sum(axis=1))
    assert sizes == [3, 3, 3]
