import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.initializers import Normal
from jaxgen.nets.mlp import MLP

INPUTS = jax.random.normal(jax.random.key(1), (5, 2, 3))


def init(net, output_shape):
    return net.init(jax.random.key(0), INPUTS, output_shape)


@pytest.mark.parametrize("output_shape", [(), (4,), (8, 8, 1), (3, 5, 2)])
def test_outputs_have_the_shape_that_the_model_tells(output_shape):
    net = MLP((7,))
    outputs = net.apply(init(net, output_shape), INPUTS, output_shape)
    assert outputs.shape == (5, *output_shape) and outputs.dtype == jnp.float32  # pyright: ignore[reportAttributeAccessIssue]


def test_it_is_dense_layers_with_leaky_relus_between():
    net = MLP((4, 3), negative_slope=0.2)
    variables = init(net, ())
    layers = [jax.device_get(variables["params"][f"Dense_{i}"]) for i in range(3)]
    x = np.asarray(INPUTS).reshape(5, 6)
    for layer in layers[:-1]:
        x = x @ layer["kernel"] + layer["bias"]
        x = np.where(x > 0, x, 0.2 * x)
    wanted = (x @ layers[-1]["kernel"] + layers[-1]["bias"])[:, 0]
    np.testing.assert_allclose(net.apply(variables, INPUTS, ()), wanted, atol=1e-5)


def test_without_affine_a_network_is_of_weights_alone():
    net = MLP((3,), norm="batch", affine=False)
    params = net.init(jax.random.key(0), jnp.ones((2, 4)), (2,))["params"]
    assert {name: list(layer) for name, layer in params.items()} == {"Dense_0": ["kernel"], "Dense_1": ["kernel"]}


def test_params_are_float32_whatever_the_computation_is():
    exact, rough = MLP((16,)), MLP((16,), dtype="bfloat16")
    variables = init(rough, ())
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
    scores = rough.apply(variables, INPUTS, ())
    reference = exact.apply(variables, INPUTS, ())
    np.testing.assert_allclose(scores, reference, atol=0.1)
    assert not np.array_equal(scores, reference)


def test_equal_settings_are_one_value():
    assert MLP((4, 3)) == MLP((4, 3)) and hash(MLP((4, 3))) == hash(MLP((4, 3)))
    assert MLP((4, 3)) != MLP((4, 3), negative_slope=0.1)


def test_tanh_and_the_deviation_of_the_first_weights_are_settings():
    net = MLP((400,), activation="tanh", initializer=Normal(0.02))  # LeCun's would be 0.05
    variables = init(net, (300,))
    first, last = (variables["params"][f"Dense_{i}"] for i in range(2))
    wanted = jnp.tanh(INPUTS.reshape(5, 6) @ first["kernel"]) @ last["kernel"]
    np.testing.assert_allclose(net.apply(variables, INPUTS, (300,)), wanted, atol=1e-6)
    assert last["kernel"].std() == pytest.approx(0.02, rel=4 / np.sqrt(2 * 120_000))


def test_an_unknown_activation_is_refused(unchecked_shapes):
    with pytest.raises(ValueError, match="activation is 'sine'"):
        init(MLP((4,), activation="sine"), ())  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("features", [(0,), (4, 0), (-1, 4)])
def test_layers_without_units_are_refused(features):
    with pytest.raises(ValueError, match=r"features is .* but must be positive widths"):
        init(MLP(features), ())


@pytest.mark.parametrize(("features", "shapes"), [((), [(6, 2)]), ((1,), [(6, 1), (1, 2)])])
def test_there_may_be_no_hidden_layer_and_one_unit(features, shapes):
    params = init(MLP(features), (2,))["params"]
    assert [params[f"Dense_{i}"]["kernel"].shape for i in range(len(shapes))] == shapes and len(params) == len(shapes)


def test_without_options_a_network_is_not_in_training():
    """Batch statistics are left as they are: else `apply` would refuse to change them."""
    net = MLP((4,), norm="batch")
    variables = init(net, ())
    alone = [net.apply(variables, INPUTS[i : i + 1], ())[0] for i in range(5)]
    np.testing.assert_allclose(net.apply(variables, INPUTS, ()), alone, atol=1e-6)
