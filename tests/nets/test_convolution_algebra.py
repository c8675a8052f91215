from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxgen.nets import convolution_algebra as algebra
from jaxgen.nets.convolution_geometry import geometry_of
from tests.nets.exact import assert_identical, derivatives, integers
from tests.programs import operations

# height, width, kernel rows, kernel columns, strides, padding, channels in, channels out
SOME = [
    (6, 7, 1, 1, (2, 3), "VALID", 2, 2),
    (7, 5, 2, 3, 3, "VALID", 3, 2),
    (5, 6, 3, 3, 1, "SAME", 8, 1),
    (5, 6, 3, 3, 1, ((2, 0), (0, 2)), 8, 2),
    (7, 8, 3, 3, 2, "SAME", 1, 4),
    (7, 6, 3, 3, (3, 2), ((0, 2), (2, 1)), 2, 2),
    (9, 8, 4, 4, 3, ((3, 3), (1, 2)), 2, 1),
    (6, 8, 5, 5, 2, "SAME", 2, 3),
    (4, 5, 3, 3, 1, ((2, 0), (0, 1)), 16, 2),
]
OTHERS = [
    (5, 4, 3, 4, 1, "SAME", 16, 16),
    (5, 6, 2, 3, 1, ((0, 1), (2, 0)), 17, 3),
    (6, 7, 5, 5, 1, "VALID", 3, 16),
    (5, 4, 1, 1, 1, "SAME", 3, 2),
    (5, 4, 1, 1, 2, "SAME", 2, 3),
    (5, 5, 2, 2, 1, "SAME", 2, 3),
    (6, 5, 2, 2, 2, "SAME", 2, 3),
    (8, 8, 3, 3, 1, "SAME", 3, 4),
    (6, 5, 3, 3, 1, "VALID", 8, 2),
    (8, 7, 3, 3, 2, "VALID", 8, 2),
    (6, 6, 3, 3, (1, 2), ((2, 2), (2, 0)), 2, 3),
    (5, 7, 4, 4, 1, "SAME", 2, 2),
    (4, 4, 4, 4, 1, "VALID", 2, 3),
    (8, 6, 4, 4, 2, "SAME", 2, 8),
    (7, 9, 4, 4, 2, ((3, 1), (0, 3)), 2, 2),
    (7, 5, 5, 5, (2, 1), ((1, 4), (4, 0)), 1, 2),
    (6, 7, 6, 3, 2, "SAME", 2, 2),
    (8, 7, 7, 7, 1, "SAME", 1, 2),
    (9, 8, 7, 5, 3, ((6, 2), (4, 4)), 2, 2),
]
CASES = [*SOME, *(pytest.param(case, marks=pytest.mark.exhaustive) for case in OTHERS)]


def geometry_and_shapes(case):
    height, width, rows, columns, strides, padding, inputs, outputs = case
    geometry = geometry_of((height, width), (rows, columns), strides, padding)
    out_height, out_width = (axis.output for axis in geometry)
    shapes = (2, height, width, inputs), (rows, columns, inputs, outputs), (2, out_height, out_width, outputs)
    return geometry, shapes


def conv_of_padded(geometry, x, w):
    padded = jnp.pad(x, [(0, 0), *((axis.low, axis.high) for axis in geometry), (0, 0)])
    strides = [axis.stride for axis in geometry]
    return lax.conv_general_dilated(padded, w, strides, "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_derivatives_up_to_the_second_are_those_of_the_plain_convolution(case):
    geometry, (shape_x, shape_w, _) = geometry_and_shapes(case)

    @jax.jit
    def in_both_forms(x, w):
        return [derivatives(partial(form, geometry), x, w) for form in (algebra.conv, conv_of_padded)]

    assert_identical(*in_both_forms(*integers(shape_x, shape_w)))


@pytest.mark.parametrize("case", SOME, ids=str)
def test_the_three_functions_are_one_trilinear_form(case):
    geometry, shapes = geometry_and_shapes(case)

    @jax.jit
    def products(x, w, y):
        return [
            (algebra.conv(geometry, x, w) * y).sum(),
            (algebra.input_grad(geometry, y, w) * x).sum(),
            (algebra.kernel_grad(geometry, x, y) * w).sum(),
            (algebra.plain_conv(geometry, x, w) * y).sum(),
            (algebra.plain_input_grad(geometry, y, w) * x).sum(),
        ]

    first, *others = products(*(array + 1 for array in integers(*shapes)))
    assert first > 0
    assert all(other == first for other in others)


@pytest.mark.parametrize("conv", [algebra.conv, algebra.plain_conv])
def test_convolution_is_the_sum_over_taps(conv):
    x, w = integers((2, 7, 6, 3), (3, 4, 3, 2))
    padded = np.pad(x, ((0, 0), (1, 2), (3, 0), (0, 0)))
    wanted = np.zeros((2, 4, 2, 2), np.float32)
    for i, j in np.ndindex(4, 2):
        for s, t in np.ndindex(3, 4):
            wanted[:, i, j] += padded[:, 2 * i + s, 3 * j + t] @ np.asarray(w)[s, t]
    geometry = geometry_of((7, 6), (3, 4), (2, 3), ((1, 2), (3, 0)))
    np.testing.assert_array_equal(conv(geometry, x, w), wanted)


@pytest.mark.parametrize(("side", "size"), [(40, 2), (64, 1), (65, 1)])
def test_a_convolution_of_a_kernel_gradient_sums_over_a_bounded_number_of_positions(side, size):
    """Of several chunks, the largest that fit; an example at a time if not even one fits."""
    x, y = jnp.ones((6, side, side, 8)), jnp.ones((6, side, side, 3))
    program = jax.make_jaxpr(partial(algebra.kernel_grad, geometry_of((side, side), (3, 3), 1, "SAME")))(x, y)
    (convolution,) = (op for op in operations(program.jaxpr) if op.primitive.name == "conv_general_dilated")
    assert convolution.invars[0].aval.shape[3] == size  # the batch stands for the channels
    assert size == 1 or size * side**2 <= algebra._POSITIONS < 2 * size * side**2


@pytest.mark.parametrize(
    ("inputs", "outputs", "strides", "wanted"),
    [
        (16, 64, 1, [(16, 32, 32, 1), (32, 32, 1, 3 * 64)]),
        (64, 16, 1, [(16, 32, 32, 1), (32, 32, 1, 3 * 64)]),  # images and outputs exchanged
        (15, 64, 1, [(15, 32, 32, 4), (32, 32, 4, 64)]),
        (16, 65, 1, [(16, 32, 32, 4), (32, 32, 4, 65)]),
        (64, 64, 2, [(64, 32, 32, 4), (16, 16, 4, 64)]),
    ],
)
def test_columns_of_taps_stand_side_by_side_where_outputs_are_few(inputs, outputs, strides, wanted):
    """Shapes of what the emitted convolution is given; chunks are a quarter as large."""
    geometry = geometry_of((32, 32), (3, 3), strides, "SAME")
    y = jnp.ones((4, *(axis.output for axis in geometry), outputs))
    program = jax.make_jaxpr(partial(algebra.kernel_grad, geometry))(jnp.ones((4, 32, 32, inputs)), y)
    (convolution,) = (op for op in operations(program.jaxpr) if op.primitive.name == "conv_general_dilated")
    assert [argument.aval.shape for argument in convolution.invars] == wanted


@pytest.mark.parametrize("channels", [1, 8, 16])
def test_kernel_gradient_does_not_depend_on_the_chunks_of_the_batch(channels):
    x, y = integers((6, 40, 40, channels), (6, 40, 40, 2))
    assert 2 * 40 * 40 < algebra._POSITIONS < 3 * 40 * 40  # chunks of 2
    gradient = jax.jit(partial(algebra.kernel_grad, geometry_of((40, 40), (3, 3), 1, "SAME")))
    wanted = sum(gradient(x[i : i + 1], y[i : i + 1]) for i in range(6))
    np.testing.assert_array_equal(gradient(x, y), wanted)


def test_an_empty_batch_has_no_gradient():
    geometry = geometry_of((4, 4), (3, 3), 1, "SAME")
    gradient = algebra.kernel_grad(geometry, jnp.zeros((0, 4, 4, 1)), jnp.zeros((0, 4, 4, 2)))
    np.testing.assert_array_equal(gradient, jnp.zeros((3, 3, 1, 2)))
