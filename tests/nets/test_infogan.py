import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.infogan import InfoGANDiscriminator, InfoGANGenerator
from tests.nets.parameters import count, zeros


def test_networks_have_the_papers_parameter_counts():
    """74 inputs; a trunk of 6,558,144, D's head of 1,025 and Q's of 133,262 for 10 + 2 x 2 outputs."""
    assert count(InfoGANGenerator(), zeros(74), (28, 28, 1)) == 6_652_481
    assert count(InfoGANDiscriminator(), zeros(28, 28, 1), (1 + 14,)) == 6_558_144 + 1_025 + 133_262


def test_the_score_does_not_pass_qs_own_layer_and_q_does_not_pass_the_scores():
    net = InfoGANDiscriminator(2, 8, 4)
    images = jax.random.normal(jax.random.key(1), (5, 8, 8, 1))
    variables = jax.jit(lambda: net.init(jax.random.key(0), images, (4,)))()

    @jax.jit
    def outputs(params):
        return net.apply({**variables, "params": params}, images, (4,), mode=Mode(train=True), mutable=["batch_stats"])[
            0
        ]

    def changed(name):
        params = dict(variables["params"])
        params[name] = jax.tree.map(lambda leaf: leaf + jax.random.normal(jax.random.key(2), leaf.shape), params[name])
        return np.abs(outputs(params) - outputs(variables["params"])).max(axis=0) > 1e-6

    np.testing.assert_array_equal(changed("score"), [True, False, False, False])
    np.testing.assert_array_equal(changed("q_hidden"), [False, True, True, True])
    assert changed("Dense_0").all()


def test_weights_begin_at_the_standard_deviation_of_the_paper():
    params = jax.jit(lambda: InfoGANGenerator(8, 8).init(jax.random.key(0), zeros(74), (8, 8, 1)))()["params"]
    for name, layer in params.items():
        if "kernel" in layer:
            assert layer["kernel"].std() == pytest.approx(0.02, rel=0.15), name


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"image shape is \(30, 28, 1\), but must be of sides that divide by 4"):
        count(InfoGANGenerator(), zeros(3), (30, 28, 1))
    with pytest.raises(ValueError, match=r"output_shape is \(1,\), but must be \(1 \+ outputs of Q,\)"):
        count(InfoGANDiscriminator(), jnp.zeros((1, 8, 8, 1)), (1,))
