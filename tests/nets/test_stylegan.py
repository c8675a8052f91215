"""StyleGAN's synthesis network: sizes of the authors' code, the layers in their order, and the laws of its growth."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.convolution import conv, upsample_nearest
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.noise_maps import STRENGTH, noise_map
from jaxgen.nets.resampling import BLUR, smooth
from jaxgen.nets.stylegan import AdaINLayer, StyleGANSynthesis, normalized
from jaxgen.testing import leaves
from tests.exhaustive import exhaustive
from tests.nets.parameters import moved

SMALL = {"base": 16, "maximum": 6}  # 6, 4, 2 channels
WS = jax.random.normal(jax.random.key(0), (3, 6, 5))
FULL = jnp.float32(1.0)


def count(net, *inputs):
    return sum(
        leaf.size for leaf in jax.tree.leaves(jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs))["params"])
    )


@pytest.mark.parametrize(
    ("side", "wanted"),
    [
        (1024, 26_219_627),
        (32, 22_841_356),
        *exhaustive([(512, 26_179_768), (256, 26_086_229), (128, 25_843_858), (64, 25_137_935)]),
    ],
)
def test_parameter_counts_are_those_of_the_authors_code(side, wanted):
    net, shape = StyleGANSynthesis(), (side, side, 3)
    mapping = count(Mapping(), jnp.zeros((1, 512)))
    synthesis = count(net, jnp.zeros((1, net.num_styles(shape), 512)), shape)
    assert mapping == 2_101_248 and mapping + synthesis == wanted


def test_there_are_two_styles_for_each_size():
    net = StyleGANSynthesis()
    assert [net.num_styles((side, side, 3)) for side in (4, 8, 1024)] == [2, 4, 18]
    with pytest.raises(ValueError, match="number of styles is 3, but must be at least 4"):
        jax.eval_shape(lambda: net.init(jax.random.key(0), jnp.zeros((1, 3, 5)), (8, 8, 3)))
    with pytest.raises(ValueError, match=r"alpha is .*, but must be None at the smallest size"):
        jax.eval_shape(lambda: net.init(jax.random.key(0), jnp.zeros((1, 2, 5)), (4, 4, 3), FULL))


@pytest.fixture(scope="module")
def network():
    """A network for 16x16 as a function of styles, side and alpha, and its variables."""
    net = StyleGANSynthesis(**SMALL)
    variables = moved(jax.jit(lambda: net.init(jax.random.key(2), WS, (16, 16, 2)))())
    call = jax.jit(
        lambda variables, ws, side, alpha=None: net.apply(variables, ws, (side, side, 2), alpha), static_argnums=2
    )
    return call, variables


def test_an_adaptive_norm_gives_each_channel_the_mean_and_deviation_of_its_style():
    layer, maps = AdaINLayer(0), 5 + 3 * jax.random.normal(jax.random.key(1), (3, 8, 8, 4))
    variables = moved(layer.init(jax.random.key(0), maps, WS[:, 0]))
    outputs = np.asarray(layer.apply(variables, maps, WS[:, 0]))
    style = variables["params"]["style"]
    scale, offset = np.split(np.asarray(WS[:, 0] @ style["kernel"] / np.sqrt(5) + style["bias"][None]), 2, axis=1)
    np.testing.assert_allclose(outputs.mean((1, 2)), offset, atol=1e-4)
    np.testing.assert_allclose(outputs.std((1, 2)), np.abs(scale + 1), atol=1e-4)


def test_the_order_of_a_layer_is_noise_bias_activation_norm_style():
    layer, maps = AdaINLayer(3), jax.random.normal(jax.random.key(1), (3, 4, 4, 2))
    variables = moved(layer.init(jax.random.key(0), maps, WS[:, 0]))
    params = variables["params"]
    keys = jax.random.split(jax.random.key(4), 3)
    for mode in (Mode(), Mode(keys, train=True)):
        noise = noise_map((4, 4), 3, 3, mode)
        hidden = maps + params[STRENGTH][None, None, None] * noise + params["bias"][None, None, None]
        hidden = normalized(jnp.where(hidden > 0, hidden, 0.2 * hidden))
        style = (WS[:, 0] @ params["style"]["kernel"] / np.sqrt(5) + params["style"]["bias"][None])[:, None, None]
        wanted = (style[..., :2] + 1) * hidden + style[..., 2:]
        np.testing.assert_allclose(layer.apply(variables, maps, WS[:, 0], mode), wanted, atol=1e-5)


def test_a_fresh_network_begins_with_a_constant_of_1_and_without_noise():
    net = StyleGANSynthesis(**SMALL)
    variables = jax.jit(lambda: net.init(jax.random.key(2), WS, (8, 8, 2)))()
    found = leaves(variables)
    assert (variables["params"]["constant"] == 1).all() and variables["params"]["constant"].shape == (4, 4, 6)
    assert not any(leaf.any() for name, leaf in found.items() if STRENGTH in name or name.endswith("['bias']"))
    keys = jax.random.split(jax.random.key(4), 3)
    usual, noisy = (net.apply(variables, WS, (8, 8, 2), mode=mode) for mode in (Mode(), Mode(keys)))
    np.testing.assert_allclose(usual, noisy, atol=1e-6)


@pytest.mark.exhaustive
def test_the_layers_in_their_order(network):
    """Constant, layer, convolution, layer; nearest, convolution, blur, layer, convolution, layer; colours."""
    call, variables = network
    params = variables["params"]

    def styled(hidden, number):
        own = {"params": params[f"layer_{number}"]}
        return AdaINLayer(number).apply(own, hidden, WS[:, number])

    def convolve(images, name):
        return conv(images, params[name]["kernel"] * np.sqrt(2 / (9 * images.shape[-1])))

    hidden = styled(jnp.broadcast_to(params["constant"][None], (3, 4, 4, 6)), 0)
    hidden = styled(convolve(hidden, "conv_0_1"), 1)
    hidden = styled(smooth(convolve(upsample_nearest(hidden), "conv_1_0"), 1, BLUR), 2)
    hidden = styled(convolve(hidden, "conv_1_1"), 3)
    colours = params["to_rgb_1"]
    wanted = hidden @ colours["kernel"][0, 0] / 2 + colours["bias"][None, None, None]  # the root of 4 inputs
    np.testing.assert_allclose(call(variables, WS, 8), wanted, atol=1e-4)


def test_alpha_0_is_the_smaller_network_and_alpha_1_does_not_depend_on_its_colours(network):
    call, variables = network
    larger, smaller = call(variables, WS, 16), upsample_nearest(call(variables, WS, 8))
    for alpha in (0.0, 0.25, 1.0):
        wanted = alpha * larger + (1 - alpha) * smaller
        np.testing.assert_allclose(call(variables, WS, 16, alpha * FULL), wanted, atol=1e-5)
    params = variables["params"]
    other = {"params": params | {"to_rgb_1": jax.tree.map(lambda leaf: leaf + 1.0, params["to_rgb_1"])}}
    np.testing.assert_allclose(call(other, WS, 16, FULL), larger, atol=1e-6)


def test_a_call_at_a_smaller_size_uses_the_first_styles_alone(network):
    call, variables = network
    other = WS.at[:, 4:].add(1.0)
    np.testing.assert_array_equal(call(variables, WS, 8), call(variables, other, 8))
    assert np.abs(call(variables, WS, 16) - call(variables, other, 16)).max() > 0.01
    np.testing.assert_array_equal(call(variables, WS[:, :4], 8), call(variables, WS, 8))


def test_images_of_other_shapes_begin_at_another_smallest_map():
    net = StyleGANSynthesis(**SMALL, smallest=7)
    shape = (28, 56, 1)
    outputs, variables = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), WS, shape))
    assert outputs.shape == (3, *shape) and variables["params"]["constant"].shape == (7, 14, 6)


@pytest.mark.exhaustive
def test_bfloat16_is_close_to_float32():
    net = StyleGANSynthesis(**SMALL)
    variables = moved(jax.jit(lambda: net.init(jax.random.key(2), WS, (8, 8, 2)))())
    single, half = (each.apply(variables, WS, (8, 8, 2)) for each in (net, net.clone(dtype="bfloat16")))
    assert half.dtype == jnp.float32 and {leaf.dtype for leaf in leaves(variables).values()} == {np.dtype("float32")}
    np.testing.assert_allclose(half, single, atol=0.05 * float(np.abs(single).max()))
