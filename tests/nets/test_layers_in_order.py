"""What stands before and behind a layer, where counts of parameters do not show it."""

import jax
import jax.numpy as jnp
import pytest

from jaxgen.nets.acgan import ACGANDiscriminator
from jaxgen.nets.courses.atienza import AtienzaDiscriminator
from jaxgen.nets.resnet import ResNetCritic


@pytest.mark.parametrize("pool", ["mean", "sum"])
def test_a_residual_critic_pools_rectified_maps(pool):
    """A dense layer of ones without a bias adds up what it gets: no number below 0."""
    net, images = ResNetCritic(4, blocks=1, pool=pool), jax.random.normal(jax.random.key(0), (16, 8, 8, 3))
    params = jax.jit(lambda: net.init(jax.random.key(1), images))()["params"]
    params["Dense_0"] = jax.tree.map(jnp.zeros_like, params["Dense_0"]) | {"kernel": jnp.ones((4, 1))}
    scores = net.apply({"params": params}, images)
    assert scores.min() >= 0 and scores.max() > 0


def test_atienzas_discriminator_normalises_all_but_the_images():
    net = AtienzaDiscriminator(2, norm="batch")
    shapes = jax.eval_shape(net.init, jax.random.key(0), jnp.zeros((1, 8, 8, 1)))["params"]
    assert [shapes[f"BatchNorm_{i}"]["scale"].shape for i in range(3)] == [(2,), (4,), (8,)]
    assert "BatchNorm_3" not in shapes


@pytest.mark.parametrize("size", [(32, 32), (7, 5), (1, 1)])
def test_acgans_discriminator_takes_images_of_any_size(size):
    net, images = ACGANDiscriminator((2, 2, 2)), jnp.ones((3, *size, 1))
    scores = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), images, (5,))[0])
    assert scores.shape == (3, 5)
