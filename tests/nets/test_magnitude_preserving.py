import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.magnitude_preserving import (
    MagnitudePreservingConv,
    MagnitudePreservingDense,
    mp_cat,
    mp_silu,
    mp_sum,
    normalize,
)

LAYERS = {
    "dense": (MagnitudePreservingDense(96), (512, 48)),
    "conv": (MagnitudePreservingConv(96), (4, 16, 16, 48)),
    "pointwise": (MagnitudePreservingConv(96, 1), (4, 16, 16, 48)),
}


def normal(seed, *shape):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def made(name):
    """The layer, its inputs of mean square 1, and its variables."""
    net, shape = LAYERS[name]
    inputs = normal(0, *shape)
    shapes = jax.eval_shape(lambda: net.init(jax.random.key(0), inputs))
    return net, inputs, jax.tree.map(lambda leaf: normal(1, *leaf.shape), shapes)


def mean_square(array):
    return float((np.asarray(array, np.float64) ** 2).mean())


@pytest.mark.parametrize("name", LAYERS)
def test_outputs_have_the_mean_square_of_the_inputs(name):
    """But at the borders of images, beyond which there are zeros. 96 outputs of 1,000 examples: within 5 %."""
    net, inputs, variables = made(name)
    outputs = net.apply(variables, inputs)
    inside = outputs[:, 1:-1, 1:-1] if outputs.ndim == 4 else outputs
    assert mean_square(inside) == pytest.approx(1.0, abs=0.05)
    assert set(variables["params"]) == {"kernel"}, "a layer without biases"


@pytest.mark.parametrize("name", LAYERS)
def test_the_scale_of_the_weights_of_each_output_has_no_effect(name):
    net, inputs, variables = made(name)
    kernel = variables["params"]["kernel"]
    scales = jnp.exp(normal(2, *[1] * (kernel.ndim - 1), 96))
    scaled = {"params": {"kernel": kernel * scales}}
    np.testing.assert_allclose(net.apply(scaled, inputs), net.apply(variables, inputs), atol=0.01)  # by epsilon


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_orthogonal_to_the_weights_of_each_output(name):
    net, inputs, variables = made(name)
    kernel = variables["params"]["kernel"]
    gradient = jax.grad(lambda variables: (net.apply(variables, inputs) ** 3).mean())(variables)["params"]["kernel"]
    axes = tuple(range(kernel.ndim - 1))
    along = (kernel * gradient).sum(axes)
    assert np.abs(along / np.sqrt((kernel**2).sum(axes) * (gradient**2).sum(axes))).max() < 3e-3


@pytest.mark.parametrize("name", LAYERS)
def test_a_gain_multiplies_the_outputs(name):
    net, inputs, variables = made(name)
    wanted = 0.25 * net.apply(variables, inputs)
    np.testing.assert_allclose(net.apply(variables, inputs, jnp.float32(0.25)), wanted, atol=1e-5)
    assert not net.apply(variables, inputs, jnp.float32(0.0)).any()


def test_normalized_weights_of_an_output_have_the_length_root_of_their_number():
    found = normalize(7.0 * normal(0, 3, 3, 5, 4), (0, 1, 2))
    np.testing.assert_allclose(jnp.sqrt((found**2).sum((0, 1, 2))), np.sqrt(45), rtol=1e-4)


def test_zeros_are_normalized_to_zeros_with_finite_gradients():
    values, gradient = jax.value_and_grad(lambda array: normalize(array, (1,)).sum())(jnp.zeros((2, 3)))
    assert values == 0 and np.isfinite(gradient).all()


def test_the_type_of_what_is_normalized_stays():
    assert normalize(jnp.full((2, 3), 500.0, jnp.bfloat16), (1,)).dtype == jnp.bfloat16


def test_mp_silu_of_normal_numbers_has_the_mean_square_1():
    """By quadrature; the exact factor is 0.5964692111, of which 0.596 is the paper's rounding."""
    x = np.linspace(-12, 12, 200_001)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) * (x[1] - x[0])
    rms = np.sqrt((density * (x / (1 + np.exp(-x))) ** 2).sum())
    assert rms == pytest.approx(0.5964692111, abs=1e-9)
    found = np.asarray(mp_silu(jnp.asarray(x, jnp.float32)), np.float64)
    assert np.sqrt((density * found**2).sum()) == pytest.approx(rms / 0.596, rel=1e-5)


@pytest.mark.parametrize("balance", [0.0, 0.3, 0.5, 1.0])
def test_mp_sum_of_independent_numbers_has_the_mean_square_1(balance):
    first, second = normal(0, 40_000), normal(1, 40_000)
    found = mp_sum(first, second, balance)
    assert mean_square(found) == pytest.approx(1.0, abs=0.03)
    wanted = ((1 - balance) * first + balance * second) / np.sqrt((1 - balance) ** 2 + balance**2)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("balance", [0.3, 0.5])
def test_mp_cat_gives_each_part_its_share_whatever_its_channels(balance):
    """Sums of squares of the parts are as (1 - t)^2 to t^2, and the whole has the mean square 1."""
    first, second = normal(0, 5_000, 3), normal(1, 5_000, 12)
    found = mp_cat(first, second, balance)
    assert found.shape == (5_000, 15) and mean_square(found) == pytest.approx(1.0, abs=0.03)
    parts = (found[:, :3] ** 2).sum(), (found[:, 3:] ** 2).sum()
    assert parts[0] / parts[1] == pytest.approx(((1 - balance) / balance) ** 2, rel=0.05)
