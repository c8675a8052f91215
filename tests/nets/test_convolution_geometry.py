import pytest

from jaxgen.nets.convolution_geometry import Axis, geometry_of, pair, transposed_geometry_of


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("taps", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("size", [7, 8, 9])
def test_same_padding_gives_one_output_a_stride_and_the_odd_zero_after(size, taps, stride):
    for axis in geometry_of((size, size), (taps, taps), stride, "SAME"):
        assert axis.output == -(-size // stride)
        assert axis.high - axis.low in (0, 1)


def test_rows_and_columns_have_their_own_settings():
    rows, columns = geometry_of((8, 9), (3, 4), (1, 2), ((0, 1), (2, 3)))
    assert rows == Axis(size=8, taps=3, stride=1, low=0, high=1)
    assert columns == Axis(size=9, taps=4, stride=2, low=2, high=3)
    assert (rows.output, columns.output) == (7, 6)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("taps", [2, 3, 4, 5])
@pytest.mark.parametrize("padding", ["SAME", "VALID", ((1, 0), (0, 1))])
def test_transposed_geometry_leads_back_to_its_sizes(padding, taps, stride):
    geometry = transposed_geometry_of((5, 6), (taps, taps), stride, padding)
    assert tuple(axis.output for axis in geometry) == (5, 6)
    sizes = {
        "SAME": (5 * stride, 6 * stride),
        "VALID": (5 * stride + max(taps - stride, 0), 6 * stride + max(taps - stride, 0)),
    }
    explicit = (4 * stride + taps - 1, 5 * stride + taps - 1)
    assert tuple(axis.size for axis in geometry) == sizes.get(str(padding), explicit)


@pytest.mark.parametrize(
    ("size", "taps", "strides", "padding", "message"),
    [
        (5, 3, 0, "SAME", "strides is 0, but must be a positive int"),
        (5, 3, (1, 1, 1), "SAME", r"strides is \(1, 1, 1\), but must be a positive int, or two"),
        (5, 3, 1, "same", "padding is same, but must be"),
        (5, 3, 1, 1, "padding is 1, but must be"),
        (5, 3, 1, (1, 1), r"padding is \(1, 1\), but must be"),
        (5, 3, 1, ((1, 1),), "but must be .SAME., .VALID. or .*before, after"),
        (5, 3, 1, ((1, 1), (3, 0)), r"padding is \(3, 0\), but must be from 0 to kernel size - 1 = 2"),
        (5, 3, 1, ((0, 3), (1, 1)), "from 0 to kernel size - 1 = 2"),
        (5, 3, 1, ((1, -1), (0, 0)), "from 0 to kernel size - 1 = 2"),
        (2, 3, 1, "VALID", "size 2 .* do not hold a kernel of 3"),
        (0, 3, 1, "SAME", "size 0 .* do not hold a kernel of 3"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_wrong_settings_are_refused_in_a_sentence(size, taps, strides, padding, message):
    with pytest.raises(ValueError, match=message):
        geometry_of((size, size), (taps, taps), strides, padding)


@pytest.mark.parametrize("function", [geometry_of, transposed_geometry_of])
@pytest.mark.parametrize(("sizes", "taps"), [((5, 5, 5), (3, 3)), ((5, 5), (3, 3, 3)), ((5,), (3,))])
@pytest.mark.usefixtures("unchecked_shapes")
def test_a_convolution_has_two_axes(function, sizes, taps):
    with pytest.raises(ValueError, match="zip"):
        function(sizes, taps, 1, "SAME")


def test_a_pair_is_one_setting_or_two():
    assert pair(3, "kernel_size") == (3, 3)
    assert pair((3, 1), "kernel_size") == (3, 1)
    with pytest.raises(ValueError, match="kernel_size is 0, but must be"):
        pair(0, "kernel_size")
