"""What all formulas ask of their arrays: shapes in words, floats wide enough."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.losses import _arrays


def test_floats_are_widened_to_the_widest_of_them():
    half, single = jnp.ones(2, jnp.bfloat16), jnp.ones(3)
    assert [a.dtype for a in _arrays.floats(a=half, b=single)] == [jnp.float32] * 2
    assert [a.dtype for a in _arrays.floats(a=half, b=half)] == [jnp.float32] * 2
    with jax.enable_x64(True):
        double = jnp.ones(2, jnp.float64)
        assert [a.dtype for a in _arrays.floats(a=half, b=double)] == [jnp.float64] * 2
        assert [a.dtype for a in _arrays.floats(a=half, b=single)] == [jnp.float32] * 2


def test_integers_are_refused_by_name():
    with pytest.raises(ValueError, match="images is uint8, but must be floating"):
        _arrays.floats(latents=jnp.ones(2), images=jnp.zeros(2, jnp.uint8))


def test_arrays_keep_their_order_and_values():
    first, second = _arrays.per_example(a=jnp.array([1.0, 2.0]), b=jnp.array([3.0, 4.0]))
    np.testing.assert_array_equal(first, [1.0, 2.0])
    np.testing.assert_array_equal(second, [3.0, 4.0])


@pytest.mark.parametrize(
    ("check", "shapes", "sentence"),
    [
        (_arrays.same_shape, ((3,), (3, 1)), r"^shapes a \(3,\), b \(3, 1\) differ"),
        (_arrays.same_shape, ((3,), (3,), (2,)), r"a \(3,\), b \(3,\), c \(2,\) differ"),
        (_arrays.per_example, ((3, 1), (3,)), r"shapes a \(3, 1\), b \(3,\): expected \(B,\)"),
        (_arrays.per_example, ((3, 1), (3, 1)), r"squeeze\(-1\)"),
        (_arrays.per_example, ((),), r"shapes a \(\): expected \(B,\)"),
        (_arrays.per_example, ((3,), (2,)), "differ"),
        (_arrays.batched, ((), ()), r"a has shape \(\), but must have a batch axis"),
        (_arrays.batched, ((3, 2), (3, 1)), "differ"),
    ],
)
def test_shapes_that_would_broadcast_are_named(check, shapes, sentence):
    arrays = {name: jnp.zeros(shape) for name, shape in zip("abc", shapes, strict=False)}
    with pytest.raises(ValueError, match=sentence):
        check(**arrays)


def test_axes_are_counted_and_named():
    images = jnp.zeros((2, 4, 4))
    with pytest.raises(ValueError, match=r"x has shape \(2, 4, 4\), but must have the axes \(B, K\)"):
        _arrays.ranked("B, K", x=images)
    assert _arrays.ranked("B, H, W", x=images)[0].shape == (2, 4, 4)
    with pytest.raises(ValueError, match="differ"):
        _arrays.ranked("B, K", x=jnp.zeros((2, 4)), y=jnp.zeros((2, 1)))


def test_one_number_for_each_example_becomes_a_column_in_the_dtype_of_the_data():
    data = jnp.zeros((2, 3, 4), jnp.bfloat16)
    column = _arrays.column(jnp.array([1.0, 2.0]), data, "mix")
    assert column.dtype == jnp.bfloat16
    np.testing.assert_array_equal(column, [[[1.0]], [[2.0]]])
    with pytest.raises(ValueError, match=r"mix has shape \(1,\), but must be \(2,\)"):
        _arrays.column(jnp.zeros(1), data, "mix")
    with pytest.raises(ValueError, match="mix is int32"):
        _arrays.column(jnp.zeros(2, jnp.int32), data, "mix")


def test_reductions_leave_the_batch_alone():
    values = jnp.arange(12.0).reshape(2, 3, 2)
    np.testing.assert_array_equal(_arrays.sum_per_example(values), [15.0, 51.0])
    np.testing.assert_array_equal(_arrays.mean_per_example(values), [2.5, 8.5])
    np.testing.assert_array_equal(_arrays.sum_per_example(values[:, 0, 0]), [0.0, 6.0])


def test_correlation_stays_inside_and_does_not_flip_the_kernel():
    values = jnp.array([[1.0, 2.0, 4.0, 8.0], [0.0, 1.0, 0.0, 3.0]])
    expected = [np.correlate(row, [1.0, 10.0, 100.0], "valid") for row in np.asarray(values)]
    kernel = [1.0, 10.0, 100.0]
    np.testing.assert_array_equal(_arrays.correlate(values, kernel, axis=1), expected)
    flipped = _arrays.correlate(values.T, kernel, axis=0)
    np.testing.assert_array_equal(flipped, np.transpose(expected))
