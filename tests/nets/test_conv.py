import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.losses.penalties import gradient_penalty
from jaxgen.nets.conv import ConvCritic, ConvGenerator, halvings
from jaxgen.nets.convolution import mean_pool, upsample_nearest

SHAPES = [(8, 8, 1), (28, 28, 1), (9, 5, 2), (16, 8, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_generator_and_critic_are_told_their_shapes(shape):
    latents = jnp.zeros((2, 3))
    generator, critic = ConvGenerator(2), ConvCritic(2)
    images, _ = jax.eval_shape(lambda: generator.init_with_output(jax.random.key(0), latents, shape))
    assert images.shape == (2, *shape)
    assert images.dtype == jnp.float32
    scores, _ = jax.eval_shape(lambda: critic.init_with_output(jax.random.key(0), jnp.zeros((2, *shape)), ()))
    assert scores.shape == (2,)
    assert scores.dtype == jnp.float32


@pytest.mark.parametrize(
    ("size", "num"), [((28, 28), 2), ((32, 32), 3), ((64, 64), 4), ((7, 7), 0), ((4, 4), 0), ((16, 6), 0), ((8, 12), 1)]
)
def test_sides_are_halved_while_both_are_even_and_at_least_8(size, num):
    assert halvings(*size) == num


def test_generator_is_dense_upsample_convolve_written_out():
    """8x8: one doubling, from 4x4 with twice the channels."""
    net, latents = ConvGenerator(2, negative_slope=0.1), jax.random.normal(jax.random.key(1), (3, 5))
    outputs, variables = jax.jit(lambda: net.init_with_output(jax.random.key(0), latents, (8, 8, 1)))()
    params = variables["params"]
    hidden = latents @ params["Dense_0"]["kernel"]
    hidden = nn.leaky_relu(hidden.reshape(3, 4, 4, 4), 0.1)
    hidden = upsample_nearest(hidden, 2)
    hidden = nn.leaky_relu(plain(hidden, params["UpsampleConv_0"]), 0.1)
    np.testing.assert_allclose(outputs, plain(hidden, params["Conv_0"]), atol=1e-5)


def test_critic_is_convolve_pool_convolve_dense_written_out():
    images = jax.random.normal(jax.random.key(1), (3, 8, 8, 1))
    net = ConvCritic(2)
    scores, variables = jax.jit(lambda: net.init_with_output(jax.random.key(0), images, ()))()
    params = variables["params"]
    hidden = nn.leaky_relu(plain(images, params["Conv_0"]), 0.2)
    hidden = nn.leaky_relu(plain(mean_pool(hidden, 2), params["Conv_1"]), 0.2)
    wanted = (hidden.reshape(3, -1) @ params["Dense_0"]["kernel"])[:, 0]
    np.testing.assert_allclose(scores, wanted, atol=1e-5)


def plain(images, params):
    """A convolution without bias (biases start at zero)."""
    return jax.lax.conv_general_dilated(
        images, params["kernel"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def test_parameter_counts_are_the_sums_of_the_layers():
    """28x28x1, 64 channels: 128 -> 7*7*256, conv 256 -> 128 -> 64 -> 1; conv 1 -> 64 -> 128 -> 256, 12544 -> 1."""
    count = lambda net, *inputs: sum(  # noqa: E731
        leaf.size for leaf in jax.tree.leaves(jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs)))
    )
    conv = lambda i, o: 9 * i * o + o  # noqa: E731
    dense = 128 * 12_544 + 12_544
    assert count(ConvGenerator(), jnp.zeros((1, 128)), (28, 28, 1)) == dense + conv(256, 128) + conv(128, 64) + conv(
        64, 1
    )
    assert count(ConvCritic(), jnp.zeros((1, 28, 28, 1)), ()) == conv(1, 64) + conv(64, 128) + conv(128, 256) + 12_545


def test_norms_reach_the_layers_they_are_said_to_stand_before():
    latents, images = jnp.ones((4, 3)), jnp.ones((4, 8, 8, 1))
    generator = jax.eval_shape(lambda: ConvGenerator(2, norm="batch").init(jax.random.key(0), latents, (8, 8, 1)))
    assert len(generator["batch_stats"]) == 2  # after the dense layer and after the one up-sampling
    critic = jax.eval_shape(lambda: ConvCritic(2, norm="layer").init(jax.random.key(0), images, ()))
    assert [name for name in critic["params"] if "Norm" in name] == ["LayerNorm_0"]


@pytest.mark.parametrize("norm", ["none", "layer"])
def test_penalty_of_an_example_does_not_depend_on_the_others(norm):
    """What makes the critic fit for a gradient penalty."""
    images = jax.random.normal(jax.random.key(1), (3, 8, 8, 1))
    net = ConvCritic(2, norm=norm)
    variables = jax.jit(lambda: net.init(jax.random.key(0), images, ()))()
    penalty = jax.jit(lambda points: gradient_penalty(lambda x: net.apply(variables, x, ()), points))  # pyright: ignore
    together = penalty(images)
    alone = jnp.concatenate([penalty(image[None]) for image in images])
    np.testing.assert_allclose(together, alone, rtol=1e-4)


@pytest.mark.parametrize("shape", [(784,), (28, 28), ()])
def test_data_that_are_no_images_are_refused(shape):
    with pytest.raises(ValueError, match=r"but must be \(height, width, channels\)"):
        ConvGenerator(2).init(jax.random.key(0), jnp.zeros((1, 3)), shape)
