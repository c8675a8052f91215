"""Fourier features of the inputs: their values, what they leave as it is, and the network of VDM."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.nets.unet.ddpm import UNet
from jaxgen.nets.unet.fourier_inputs import VDM, FourierInputs
from tests.diffusion.networks import Tiny
from tests.nets.unet.networks import parameters


def test_the_network_sees_the_inputs_and_their_waves_and_its_outputs_are_added():
    inputs, times = jax.random.uniform(jax.random.key(0), (2, 3, 3, 1), minval=-1.0), jnp.array([0.2, 0.7])
    net, inner = FourierInputs(Tiny(norm="none"), (0, 2)), Tiny(norm="none")
    variables = net.init(jax.random.key(1), inputs, times, None, (3, 3, 1))
    angles = [2 * np.pi * inputs, 8 * np.pi * inputs]
    shown = jnp.concatenate([inputs, *map(jnp.sin, angles), *map(jnp.cos, angles)], axis=-1)
    own = {"params": variables["params"]["network"]}
    wanted = inputs + inner.apply(own, shown, times, None, (3, 3, 1))
    np.testing.assert_allclose(net.apply(variables, inputs, times, None, (3, 3, 1)), wanted, rtol=1e-5, atol=1e-5)


def test_a_wave_of_the_first_exponent_turns_from_each_level_to_the_next():
    """Levels of [-1, 1] are 1/128 apart, half of the length of the wave 2^6; a whole one of the wave 2^7."""
    levels = (2 * np.arange(256) + 1) / 256 - 1
    first, second = (np.cos(2 * np.pi * 2**n * (levels - levels[0])) for n in FourierInputs.exponents)
    np.testing.assert_allclose(first, np.tile([1.0, -1.0], 128), atol=1e-9)
    np.testing.assert_allclose(second, 1.0, atol=1e-9)


def test_without_features_the_network_is_the_inner_one():
    assert parameters(FourierInputs(UNet(32, (1, 2), 1, ()), ()), (8, 8, 1)) == parameters(
        UNet(32, (1, 2), 1, ()), (8, 8, 1)
    )


def test_the_network_of_vdm_keeps_the_size_of_its_maps():
    """65 residual blocks and the two in the middle of 128 channels; the number of parameters is this package's."""
    shapes = jax.eval_shape(
        lambda: VDM.init(jax.random.key(0), jnp.zeros((1, 32, 32, 3)), jnp.zeros(1), None, (32, 32, 3))
    )["params"]["network"]
    assert sum(name.startswith(("down_0_", "up_0_")) for name in shapes) == 65
    assert shapes["inputs"]["kernel"].shape == (3, 3, 15, 128)
    assert not any("attention" in name for name in shapes if not name.startswith("middle"))
