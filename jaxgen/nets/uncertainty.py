"""How uncertain a network is of a task, learned beside it: one number for each level of noise.

Karras et al.: Analyzing and Improving the Training Dynamics of Diffusion Models (EDM2), 2023, arXiv 2312.02696,
section 2.2 and figure 21, after Kendall, Gal, Cipolla, 2018, arXiv 1705.07115.
"""

import flax.linen as nn
from jaxtyping import Array, Float

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.magnitude_preserving import MagnitudePreservingDense
from jaxgen.nets.unet.embeddings import PhasedFourier
from jaxgen.typing import PerExample, Shape


class LevelUncertainty(nn.Module):
    """u of each level: Fourier features, and one linear layer whose weights have the length 1."""

    features: int = 128

    @nn.compact
    def __call__(
        self, inputs: PerExample, output_shape: Shape = (), *, mode: Mode = EVALUATION
    ) -> Float[Array, "batch ..."]:
        """log(sigma) / 4, (batch,), to (batch, *output_shape), whose sizes are 1, float32; at most sqrt(2 features)."""
        found = MagnitudePreservingDense(1, name="outputs")(PhasedFourier()(inputs, self.features))
        return found.reshape(len(inputs), *output_shape)
