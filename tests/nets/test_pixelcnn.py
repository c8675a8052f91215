import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.pixelcnn import PixelCNN, gate, shift_down, shift_right

NUM_CODES = 5


@pytest.fixture(scope="module", params=[(1, 2), (2, 1)], ids=["3x3", "5x5"])
def net(request):
    reach, layers = request.param
    net = PixelCNN(channels=4, layers=layers, reach=reach)
    variables = jax.jit(lambda: net.init(jax.random.key(0), jnp.zeros((1, 3, 4), jnp.int32), (3, 4, NUM_CODES)))()
    params = jax.tree.map(  # biases too: none hides at zero
        lambda leaf: leaf + 0.1 * jax.random.normal(jax.random.key(leaf.size), leaf.shape), variables["params"]
    )
    return jax.jit(lambda codes: net.apply({"params": params}, codes, (3, 4, NUM_CODES)))


def test_logits_at_a_position_depend_on_the_codes_before_it_and_on_no_other(net):
    """Each code in turn is changed, and the logits are compared bit for bit."""
    codes = jax.random.randint(jax.random.key(1), (1, 3, 4), 0, NUM_CODES)
    logits = np.asarray(net(codes)).reshape(12, NUM_CODES)
    felt = np.zeros((12, 12), bool)  # of the logits at i, of the code at j
    for j in range(12):
        changed = codes.reshape(-1).at[j].add(1).reshape(codes.shape) % NUM_CODES
        felt[:, j] = (np.asarray(net(changed)).reshape(12, NUM_CODES) != logits).any(axis=1)
    before = np.tril(np.ones((12, 12), bool), -1)
    assert not felt[~before].any()
    for i in range(12):
        row, column = divmod(i, 4)
        near = [r * 4 + c for r in (row - 1, row) for c in range(column - 1, column + 2) if 0 <= c < 4]
        assert all(felt[i, j] for j in near if 0 <= j < i), i  # the row above on both sides: no blind spot


def test_first_logits_are_those_of_no_codes(net):
    """The distribution of the first code is one and the same whatever follows."""
    logits = net(jax.random.randint(jax.random.key(1), (6, 3, 4), 0, NUM_CODES))
    np.testing.assert_array_equal(logits[:, 0, 0], jnp.broadcast_to(logits[:1, 0, 0], (6, NUM_CODES)))


def test_one_layer_is_written_out_with_masked_convolutions():
    """Both stacks as full 3x3 convolutions whose kernels are zero where they must not look."""
    net = PixelCNN(channels=2, layers=1)
    codes = jax.random.randint(jax.random.key(1), (2, 4, 4), 0, NUM_CODES)
    logits, variables = jax.jit(lambda: net.init_with_output(jax.random.key(0), codes, (4, 4, NUM_CODES)))()
    params = variables["params"]
    embedded = params["Embed_0"]["embedding"][codes]
    above = masked(embedded, jnp.pad(params["Conv_0"]["kernel"], ((0, 3), (1, 1), (0, 0), (0, 0))), rows=(-2, -1))
    left = masked(embedded, jnp.pad(params["Conv_1"]["kernel"], ((2, 2), (0, 3), (0, 0), (0, 0))), columns=(-2, -1))
    left = left + above @ params["Conv_2"]["kernel"][0, 0]
    passed = jnp.tanh(left[..., :2]) * nn.sigmoid(left[..., 2:])
    before = jnp.pad(embedded[:, :, :-1], ((0, 0), (0, 0), (1, 0), (0, 0)))
    hidden = before + passed @ params["Conv_3"]["kernel"][0, 0]
    hidden = nn.relu(nn.relu(hidden) @ params["Conv_4"]["kernel"][0, 0])
    np.testing.assert_allclose(logits, hidden @ params["Conv_5"]["kernel"][0, 0], atol=1e-5)


def masked(images, kernel, rows=(0, 0), columns=(0, 0)):
    """A 5x5 convolution, after a check that its kernel is zero outside these offsets."""
    for row in range(-2, 3):
        for column in range(-2, 3):
            inside = rows[0] <= row <= rows[1] and (columns == (0, 0) or columns[0] <= column <= columns[1])
            assert inside or not kernel[row + 2, column + 2].any(), (row, column)
    return jax.lax.conv_general_dilated(images, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def test_gate_is_tanh_times_sigmoid():
    hidden = jnp.array([1.0, 2.0, -1.0, 0.0]).reshape(1, 1, 1, 4)
    wanted = [np.tanh(1.0) / (1 + np.exp(1.0)), np.tanh(2.0) / 2]
    np.testing.assert_allclose(gate(hidden).ravel(), wanted, rtol=1e-6)


def test_shifts_bring_the_code_above_and_the_code_on_the_left():
    grid = jnp.arange(1.0, 5.0).reshape(1, 2, 2, 1)
    np.testing.assert_array_equal(shift_down(grid).ravel(), [0, 0, 1, 2])
    np.testing.assert_array_equal(shift_right(grid).ravel(), [0, 1, 0, 3])


def test_parameter_count_is_the_sum_of_the_layers():
    """Embedding K C; a layer 6 C 2C + 2C, 2 C 2C + 2C, 2C 2C + 2C and C C + C; then C C + C and C K + K."""
    shapes = jax.eval_shape(lambda: PixelCNN(8, 2).init(jax.random.key(0), jnp.zeros((1, 3, 3), jnp.int32), (3, 3, 7)))
    layer = (6 * 8 * 16 + 16) + (2 * 8 * 16 + 16) + (16 * 16 + 16) + (8 * 8 + 8)
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == 7 * 8 + 2 * layer + (8 * 8 + 8) + (8 * 7 + 7)


@pytest.mark.parametrize(("setting", "value"), [("channels", 0), ("layers", 0), ("reach", 0)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value}, but must be"):
        PixelCNN(**{setting: value}).init(jax.random.key(0), jnp.zeros((1, 3, 3), jnp.int32), (3, 3, 7))


def test_a_shape_that_is_not_the_grids_is_refused():
    with pytest.raises(ValueError, match=r"output_shape is \(3, 4, 7\), but must be \(rows, columns, codes\)"):
        PixelCNN(2, 1).init(jax.random.key(0), jnp.zeros((1, 3, 3), jnp.int32), (3, 4, 7))
