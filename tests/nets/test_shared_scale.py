import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.mlp import MLP
from jaxgen.nets.shared_scale import SharedScale

LATENTS = jax.random.normal(jax.random.key(2), (5, 3))


def test_a_shared_scale_is_one_parameter_beside_the_means():
    net = SharedScale(MLP(()))
    variables = jax.jit(lambda: net.init(jax.random.key(0), LATENTS, (4, 4, 6)))()
    variables = {"params": {**variables["params"], "log_scale": jnp.float32(-1.5)}}
    outputs = net.apply(variables, LATENTS, (4, 4, 6))
    means = MLP(()).apply({"params": variables["params"]["decoder"]}, LATENTS, (4, 4, 3))
    np.testing.assert_array_equal(outputs[..., :3], means)
    np.testing.assert_array_equal(outputs[..., 3:], np.full((5, 4, 4, 3), -1.5))


def test_a_shared_scale_refuses_an_odd_number_of_channels():
    with pytest.raises(ValueError, match="must hold means and log-scales"):
        SharedScale(MLP(())).init(jax.random.key(0), LATENTS, (4, 4, 3))
