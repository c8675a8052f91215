import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.convolution import conv, mean_pool, upsample_nearest
from jaxgen.nets.initializers import Normal
from jaxgen.nets.resnet import (
    GOOD_CHANNELS,
    FirstBlock,
    FlatResNetCritic,
    ResidualBlock,
    ResNetCritic,
    ResNetGenerator,
)
from tests.nets.parameters import count, zeros

IMAGES = jax.random.normal(jax.random.key(1), (3, 4, 4, 2))


def test_networks_for_cifar10_have_the_papers_parameter_counts():
    """Dense 264,192, three blocks of 312,192 and a last layer; conditional batch norm has 6 x 9 x 256 more."""
    assert count(ResNetGenerator(), zeros(128), (32, 32, 3)) == 1_204_483
    assert count(InnerCondition(ResNetGenerator()), zeros(128), zeros(10), (32, 32, 3)) == 1_218_307
    assert count(ResNetCritic(), zeros(32, 32, 3)) == 1_053_825
    assert count(ResNetCritic(), zeros(32, 32, 3), (1 + 10,)) == 1_055_115


def test_networks_for_64x64_have_the_parameter_counts_of_the_authors_code():
    """No bias in a block's first convolution, and layer norm, of two numbers a channel, in the critic."""
    assert count(ResNetGenerator(GOOD_CHANNELS, inner_bias=False), zeros(128), (64, 64, 3)) == 8_540_483
    assert count(FlatResNetCritic(), zeros(64, 64, 3)) == 7_491_841


@pytest.mark.parametrize("resample", ["none", "up", "down"])
def test_a_block_may_have_another_width_inside_and_other_weights(resample):
    """SNGAN's blocks of a discriminator are as wide inside as their inputs, BigGAN's as their outputs."""
    block = ResidualBlock(6, resample, inner=5, weights=Normal(3.0))
    params = jax.jit(lambda: block.init(jax.random.key(0), IMAGES))()["params"]
    shapes = {params[name]["kernel"].shape for name in params}
    assert shapes == {(3, 3, 2, 5), (3, 3, 5, 6), (1, 1, 2, 6)}
    assert all(params[name]["kernel"].std() > 1 for name in params)  # He's and Glorot's are smaller
    first = jax.jit(lambda: FirstBlock(6, weights=Normal(3.0)).init(jax.random.key(0), IMAGES))()["params"]
    assert all(first[name]["kernel"].std() > 1 for name in first)


@pytest.mark.parametrize(("resample", "features"), [("up", 3), ("down", 3), ("none", 3), ("none", 2)])
def test_a_block_is_its_formula(resample, features):
    block = ResidualBlock(features, resample)
    outputs, variables = jax.jit(lambda: block.init_with_output(jax.random.key(0), IMAGES))()
    params = variables["params"]
    names = {"up": ("UpsampleConv_0", "Conv_0"), "down": ("Conv_0", "ConvMeanPool_0"), "none": ("Conv_0", "Conv_1")}
    first, second = (params[name] for name in names[resample])
    before = upsample_nearest if resample == "up" else lambda x: x
    after = mean_pool if resample == "down" else lambda x: x
    hidden = conv(before(jax.nn.relu(IMAGES)), first["kernel"])  # biases begin at 0
    hidden = after(conv(jax.nn.relu(hidden), second["kernel"]))
    shortcut = after(before(IMAGES))
    if features != 2:
        shortcut = conv(shortcut, params["shortcut"]["kernel"])
    assert ("shortcut" in params) == (features != 2)
    np.testing.assert_allclose(outputs, hidden + shortcut, atol=1e-5)


def test_the_first_block_does_not_activate_the_image():
    """The first convolution sees negative pixels: with an odd kernel of the shortcut alone the block would be odd."""
    block = FirstBlock(3)
    outputs, variables = jax.jit(lambda: block.init_with_output(jax.random.key(0), IMAGES))()
    params = variables["params"]
    hidden = mean_pool(conv(jax.nn.relu(conv(IMAGES, params["Conv_0"]["kernel"])), params["ConvMeanPool_0"]["kernel"]))
    wanted = hidden + conv(mean_pool(IMAGES), params["shortcut"]["kernel"])
    np.testing.assert_allclose(outputs, wanted, atol=1e-5)


def test_convolutions_begin_with_the_variance_of_he_and_glorot():
    """4 / (fan in + fan out) before a ReLU, half of that in the shortcut."""
    params = jax.jit(lambda: ResidualBlock(64, "down").init(jax.random.key(0), jnp.zeros((1, 4, 4, 48))))()["params"]
    for name, wanted in (("Conv_0", 4 / (9 * 96)), ("ConvMeanPool_0", 4 / (9 * 112)), ("shortcut", 2 / 112)):
        kernel = params[name]["kernel"]
        assert kernel.var() == pytest.approx(wanted, rel=0.05), name
        assert np.abs(kernel).max() <= np.sqrt(3 * wanted), name  # uniform


def test_the_class_is_felt_in_the_blocks_alone():
    """Scales and offsets of a class belong to the blocks' norms; the last norm has one pair for all classes."""
    net = InnerCondition(ResNetGenerator((4, 4, 4)))
    shapes = jax.eval_shape(lambda: net.init(jax.random.key(0), zeros(5), zeros(3), (8, 8, 1)))["params"]["net"]
    for block in ("ResidualBlock_0", "ResidualBlock_1"):
        norm = shapes[block]["ConditionalBatchNorm_0"]
        assert norm["scale"]["kernel"].shape == norm["offset"]["kernel"].shape == (3, 4)
    assert shapes["BatchNorm_0"]["scale"].shape == (4,)


def test_centred_norms_of_a_block_begin_as_its_weights():
    block = ResidualBlock(3, norm="batch", weights=Normal(3.0), centred=True)
    params = jax.jit(lambda: block.init(jax.random.key(0), IMAGES, jnp.ones((3, 20))))()["params"]
    for number in range(2):
        maps = params[f"ConditionalBatchNorm_{number}"]
        assert all(maps[name]["kernel"].std() > 1 for name in ("scale", "offset"))


def test_a_condition_without_a_norm_to_go_into_is_refused():
    block = ResidualBlock(4, norm="layer")
    with pytest.raises(ValueError, match="norm is layer, but must be batch, where there is a condition"):
        block.init(jax.random.key(0), jnp.zeros((1, 4, 4, 4)), jnp.zeros((1, 3)))


def test_sides_that_do_not_halve_are_refused():
    with pytest.raises(ValueError, match=r"image shape is \(28, 28, 1\), but must be of sides that halve 3 times"):
        count(ResNetGenerator(), zeros(4), (28, 28, 1))
