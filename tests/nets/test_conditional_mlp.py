import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.conditional_mlp import ConditionalMLPDiscriminator, ConditionalMLPGenerator
from tests.nets.parameters import count, zeros

CLASSES = jax.nn.one_hot(jnp.arange(5) % 3, 3)


def test_networks_have_the_papers_parameter_counts():
    assert count(ConditionalMLPGenerator(), zeros(100), zeros(10), (28, 28, 1)) == 2_413_984
    assert count(ConditionalMLPDiscriminator(), zeros(28, 28, 1), zeros(10)) == 1_224_351


def drawn(net, *inputs):
    generator = np.random.default_rng(1)
    shapes = jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs))["params"]
    return jax.tree.map(lambda leaf: generator.normal(size=leaf.shape).astype(np.float32), shapes)


def test_both_are_written_out_in_numpy():
    latents = jax.random.normal(jax.random.key(1), (5, 4))
    net = ConditionalMLPGenerator(3, 6, 7)
    params = drawn(net, latents, CLASSES, (2, 2, 1))
    layer = lambda x, name: np.asarray(x) @ params[name]["kernel"] + params[name]["bias"]  # noqa: E731
    hidden = np.maximum(np.concatenate([layer(latents, "Dense_0"), layer(CLASSES, "Dense_1")], axis=1), 0)
    wanted = layer(np.maximum(layer(hidden, "Dense_2"), 0), "Dense_3").reshape(5, 2, 2, 1)
    images = net.apply({"params": params}, latents, CLASSES, (2, 2, 1))
    np.testing.assert_allclose(images, wanted, rtol=1e-4, atol=1e-4)

    net = ConditionalMLPDiscriminator(3, 2, 4, 5, 3)
    params = drawn(net, images, CLASSES)
    parts = [layer(wanted.reshape(5, 4), "Dense_0"), layer(CLASSES, "Dense_1")]
    pieces = np.concatenate([part.reshape(5, -1, 5).max(axis=2) for part in parts], axis=1)
    scores = layer(layer(pieces, "Dense_2").reshape(5, 4, 3).max(axis=2), "Dense_3")[:, 0]
    np.testing.assert_allclose(net.apply({"params": params}, images, CLASSES), scores, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(
    ("net", "low", "high"),
    [(ConditionalMLPGenerator(40, 40, 80), 0.6, 0.9), (ConditionalMLPDiscriminator(40, 40, 80), 0.3, 0.7)],
)
def test_half_of_the_units_of_both_hidden_layers_are_dropped(net, low, high):
    """What comes from a dropped unit has no slope; behind a ReLU that is so of every other unit anyhow."""
    inputs = jnp.ones((1, 4)), CLASSES[:1], (2,)
    params = drawn(net, *inputs)

    def total(params, mode):
        return net.apply({"params": params}, *inputs, mode=mode).sum()

    mode = Mode(jax.random.split(jax.random.key(0), 1), train=True)
    grads = jax.jit(jax.grad(total))(params, mode)
    for layer in ("Dense_2", "Dense_3"):
        assert low < (np.abs(grads[layer]["kernel"]).max(axis=1) == 0).mean() < high, layer
