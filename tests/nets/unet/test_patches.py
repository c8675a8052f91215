import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.time_mlp import TimeMLP
from jaxgen.nets.unet.ddpm import UNet
from jaxgen.nets.unet.patches import Patched, from_patches, to_patches


def test_a_patch_is_one_place_and_patches_are_put_together_again():
    images = jnp.arange(2 * 4 * 6 * 3, dtype=jnp.float32).reshape(2, 4, 6, 3)
    patches = to_patches(images, 2)
    assert patches.shape == (2, 2, 3, 12)
    np.testing.assert_array_equal(patches[1, 0, 2], images[1, 0:2, 4:6].reshape(-1))
    np.testing.assert_array_equal(from_patches(patches, 2), images)


def test_patches_of_one_pixel_change_nothing():
    images, times = jax.random.normal(jax.random.key(0), (2, 4, 4, 1)), jnp.array([1.0, 5.0])
    net = TimeMLP(8, 1, num_features=4)
    variables = net.init(jax.random.key(1), images, times, None, (4, 4, 1))
    wrapped = {"params": {"net": variables["params"]}}
    np.testing.assert_allclose(
        Patched(net, 1).apply(wrapped, images, times, None, (4, 4, 1)),
        net.apply(variables, images, times, None, (4, 4, 1)),
        atol=1e-6,
    )


def test_the_network_is_asked_for_patches():
    net = Patched(UNet(8, (1, 2), 1, attention=(), dropout=0.0), 2)
    shapes = jax.eval_shape(
        lambda: net.init(jax.random.key(0), jnp.zeros((1, 28, 28, 1)), jnp.zeros(1), None, (28, 28, 2))
    )
    assert shapes["params"]["net"]["inputs"]["kernel"].shape == (3, 3, 4, 8)
    assert shapes["params"]["net"]["outputs"]["kernel"].shape == (3, 3, 8, 8)


@pytest.mark.parametrize(
    ("shape", "wanted", "size", "named"),
    [
        ((7, 8, 1), (7, 8, 1), 2, "7, 8"),
        ((8, 8, 1), (4, 4, 1), 2, "output_shape"),
        ((8, 8, 1), (8, 8, 1), 0, "size is 0"),
    ],
)
def test_what_does_not_divide_is_refused(shape, wanted, size, named):
    net = Patched(TimeMLP(4, 1, num_features=4), size)
    with pytest.raises(ValueError, match=named):
        jax.eval_shape(lambda: net.init(jax.random.key(0), jnp.zeros((1, *shape)), jnp.zeros(1), None, wanted))
