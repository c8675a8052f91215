"""SRResNet: its size in the paper, any size of images, its long shortcut."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.nets.srresnet import SRResNet
from tests.nets.parameters import count, zeros

TINY = SRResNet(2, 1)


def test_parameter_counts_are_those_of_the_papers_network():
    assert count(SRResNet(), zeros(24, 24, 3), (96, 96, 3)) == 1_549_462
    assert count(SRResNet(), zeros(24, 24, 3), (48, 48, 3)) == 1_549_462 - (64 * 9 * 256 + 256 + 1)


def test_one_network_enlarges_images_of_every_size():
    variables = jax.eval_shape(lambda: TINY.init(jax.random.key(0), zeros(4, 4, 3), (16, 16, 3)))
    for height, width in ((4, 4), (5, 7), (1, 3)):
        shape = 4 * height, 4 * width, 3
        made = jax.eval_shape(lambda v, s=shape, h=height, w=width: TINY.apply(v, zeros(h, w, 3), s), variables)
        assert made.shape == (1, *shape) and made.dtype == jnp.float32


def test_without_its_blocks_the_shortcut_gives_the_first_layers_maps():
    """With scales of 0 in all norms, what is shuffled to pixels are the maps behind the first PReLU."""
    images = jax.random.normal(jax.random.key(1), (1, 3, 5, 3))
    variables = TINY.init(jax.random.key(0), images, (3, 5, 3))
    params = {
        name: jax.tree.map(jnp.zeros_like, leaf) if "BatchNorm" in name else leaf
        for name, leaf in variables["params"].items()
    }
    found = TINY.apply({**variables, "params": params}, images, (3, 5, 3))
    kernels = [params[f"Conv_{number}"] for number in (0, max(int(name[5:]) for name in params if "Conv" in name))]

    def conv(inputs, layer):
        dimensions = ("NHWC", "HWIO", "NHWC")
        return (
            jax.lax.conv_general_dilated(inputs, layer["kernel"], (1, 1), "SAME", dimension_numbers=dimensions)
            + layer["bias"][None, None, None]
        )

    first = conv(images, kernels[0])
    np.testing.assert_allclose(found, conv(jnp.where(first > 0, first, 0.25 * first), kernels[1]), atol=1e-5)


def test_settings_and_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="output_shape is"):
        TINY.init(jax.random.key(0), zeros(4, 4, 3), (12, 12, 3))
    with pytest.raises(ValueError, match=r"channels, blocks is \(0, 16\)"):
        SRResNet(0).init(jax.random.key(0), zeros(4, 4, 3), (8, 8, 3))
