import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.cogan import CoGANDiscriminator, CoGANGenerator, CoGANImageLayer, CoGANStem

LATENTS, IMAGES = jnp.ones((2, 100)), jnp.ones((2, 28, 28, 1))


def made(net, *inputs):
    """The shape of outputs, and how many parameters there are."""
    outputs, variables = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), *inputs))
    return outputs.shape, sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def test_parameter_counts_are_those_of_the_reference():
    """Of the generators 7,842,694 and of the discriminators 427,593, with two layers of each domain's own."""
    shape, shared = made(CoGANGenerator(), LATENTS)
    assert shape == (2, 25, 25, 128)
    image, own = made(CoGANImageLayer(), jnp.ones(shape), (28, 28, 1))
    assert (image, shared + 2 * own) == ((2, 28, 28, 1), 7_842_694)
    shape, own = made(CoGANStem(), IMAGES)
    assert shape == (2, 12, 12, 20)
    scores, shared = made(CoGANDiscriminator(), jnp.ones(shape))
    assert (scores, shared + 2 * own) == ((2,), 427_593)


def test_the_score_is_the_logit_of_a_softmax_of_two():
    net, maps = CoGANDiscriminator(2, 3), jax.random.normal(jax.random.key(0), (4, 8, 8, 2))
    variables = net.init(jax.random.key(1), maps)
    scores = net.apply(variables, maps)
    params = {**variables["params"]}
    params["Dense_1"] = {**params["Dense_1"], "bias": params["Dense_1"]["bias"] + jnp.array([0.5, 2.0])}
    np.testing.assert_allclose(net.apply({"params": params}, maps), scores + 1.5, rtol=1e-5)


def test_batch_norm_of_the_generator_has_neither_scale_nor_offset():
    net = CoGANGenerator(8)
    variables = net.init(jax.random.key(0), LATENTS)
    assert not any("BatchNorm" in name for name in variables["params"]) and variables["batch_stats"]
    latents = jax.random.normal(jax.random.key(1), (8, 3))
    variables = net.init(jax.random.key(0), latents)
    maps, _ = net.apply(variables, latents, mode=Mode(train=True), mutable=["batch_stats"])
    before = jnp.where(maps < 0, maps / 0.25, maps)  # before the PReLU
    np.testing.assert_allclose(before.mean((0, 1, 2)), np.zeros(1), atol=1e-4)


@pytest.mark.parametrize(
    ("net", "inputs", "message"),
    [
        (CoGANGenerator(12), (LATENTS,), "channels is 12, but must be a multiple of 8"),
        (CoGANImageLayer(), (jnp.ones((2, 25, 25, 2)), (32, 32, 1)), "of 28x28 pixels"),
        (CoGANStem(0), (IMAGES,), "channels is 0, but must be at least 1"),
        (CoGANDiscriminator(2, 0), (IMAGES,), "but must be at least 1"),
        (CoGANDiscriminator(2, 2), (IMAGES, (3,)), "one score of each example"),
    ],
)
def test_what_does_not_fit_is_refused(net, inputs, message):
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs))
