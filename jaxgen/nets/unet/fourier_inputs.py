"""The network of VDM: Fourier features of its inputs beside them, and no change of their size.

Kingma, Salimans, Poole, Ho: Variational Diffusion Models, 2021, arXiv 2107.00630, appendices B and C.
"""

import math

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.unet.condition import Classes, Condition
from jaxgen.nets.unet.ddpm import UNet
from jaxgen.typing import PerExample, Points, Shape


class FourierInputs(nn.Module):
    """A denoiser of inputs z and of sin(2^n 2 pi z), cos(2^n 2 pi z), to whose outputs z is added.

    Fine details of images are in the last bits of their numbers, which the features with large n show.
    """

    network: nn.Module  # of images, or of points
    exponents: tuple[int, ...] = (6, 7)  # n; none leaves the features out

    @nn.compact
    def __call__(
        self,
        inputs: Points,
        times: PerExample,
        condition: Condition | Classes | None,
        output_shape: Shape,
        *,
        mode: Mode = EVALUATION,
    ) -> Float[Array, "batch ..."]:
        """(batch, ..., channels), (batch,), classes or None to the same shape as the inputs, float32."""
        angles = [2.0 * math.pi * 2**exponent * inputs for exponent in self.exponents]
        waves = [wave(angle) for wave in (jnp.sin, jnp.cos) for angle in angles]
        shown = jnp.concatenate([inputs, *waves], axis=-1)
        return inputs + self.network(shown, times, condition, output_shape, mode=mode)


VDM = FourierInputs(UNet(multipliers=(1,), blocks=32, attention=(), dropout=0.1))
"""For CIFAR-10: 32 residual blocks on the way down, 33 on the way up, 128 channels; attention in the middle alone."""
