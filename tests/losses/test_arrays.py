"""What all formulas ask of their arrays: shapes in words, floats wide enough."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

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


@pytest.mark.usefixtures("unchecked_annotations")
@pytest.mark.parametrize("check", [_arrays.floats, _arrays.same_shape, _arrays.batched, _arrays.per_example])
@pytest.mark.parametrize(
    ("other", "kind"), [([1.0], "list"), ((1.0,), "tuple"), (0.5, "float"), ({"a": jnp.ones(1)}, "dict")]
)
def test_what_is_no_array_is_named_with_its_type(check, other, kind):
    with pytest.raises(ValueError, match=f"b is a {kind}, but must be an array"):
        check(a=jnp.ones(1), b=other)
    with pytest.raises(ValueError, match=f"b is a {kind}, but must be an array"):
        _arrays.ranked("B", b=other)
    with pytest.raises(ValueError, match=f"mix is a {kind}, but must be an array"):
        _arrays.column(other, jnp.ones((1, 2)), "mix")
    with pytest.raises(ValueError, match=f"labels is a {kind}, but must be an array"):
        _arrays.class_numbers(other, jnp.ones((1, 2)))


@pytest.mark.usefixtures("unchecked_annotations")
def test_arrays_of_numpy_and_what_is_wrapped_around_arrays_pass():
    kernel = nnx.Linear(2, 3, rngs=nnx.Rngs(0)).kernel
    found = _arrays.floats(numpy=np.ones(2), scalar=np.float32(3.0), wrapped=kernel)
    assert [array.dtype for array in found] == [jnp.float32] * 3
    np.testing.assert_array_equal(found[2], kernel[...])


def test_empty_batches_and_axes_are_named_with_their_shape():
    for check in _arrays.batched, _arrays.per_example:
        with pytest.raises(ValueError, match=r"b has shape \(0,\), but must hold an example: the batch is empty"):
            check(a=jnp.ones(1), b=jnp.ones(0))
    assert _arrays.batched(a=jnp.ones((1, 0)))[0].shape == (1, 0)  # a vector of no length is one
    for shape in (0, 2), (2, 0):
        with pytest.raises(ValueError, match=r"that are not empty"):
            _arrays.ranked("B, K", a=jnp.ones(shape))
    with pytest.raises(ValueError, match=r"examples have shape \(2, 0\), but must hold a value"):
        _arrays.mean_per_example(jnp.ones((3, 2, 0)))
    assert _arrays.mean_per_example(jnp.ones(0)).shape == (0,)


@pytest.mark.usefixtures("unchecked_annotations")
def test_one_number_is_a_python_number_or_an_array_without_axes():
    for value in 2, 2.0, jnp.float32(2.0), jnp.int32(2), np.float64(2.0):
        found = _arrays.number("average", value, jnp.float32)
        assert (found.dtype, found.shape, float(found)) == (jnp.float32, (), 2.0)
    with pytest.raises(ValueError, match=r"average has shape \(1,\), but must be one number"):
        _arrays.number("average", jnp.ones(1), jnp.float32)


@pytest.mark.usefixtures("unchecked_annotations")
def test_a_list_is_not_one_number():
    with pytest.raises(ValueError, match="average is a list, but must be an array"):
        _arrays.number("average", [2.0], jnp.float32)


def test_class_numbers_are_integers_of_any_width_one_a_row():
    logits = jnp.ones((3, 2))
    found = _arrays.class_numbers(jnp.array([1, 0, 1], jnp.uint8), logits)
    assert found.dtype == jnp.int32
    np.testing.assert_array_equal(found, [1, 0, 1])
    for labels in jnp.ones(3), jnp.zeros(2, int), jnp.zeros((3, 2), int):
        with pytest.raises(ValueError, match=r"but must be integers \(3,\)"):
            _arrays.class_numbers(labels, logits)
