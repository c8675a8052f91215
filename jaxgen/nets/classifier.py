"""Convolutional classifier of images of any size, whose last hidden layer is a feature extractor."""

from typing import Literal

import flax.linen as nn
import jax

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.conv import ConvCritic
from jaxgen.typing import Shape


class ConvClassifier(nn.Module):
    """`ConvCritic`'s convolutions to one hidden layer, and a dense layer from there to the classes."""

    channels: int = 16  # at full size; doubled at each halving
    width: int = 64  # features
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the convolutions; params are float32

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> dict[str, jax.Array]:
        """(batch, height, width, channels) to "features", (batch, width) and not negative, and "logits".

        Logits are (batch, *output_shape), and `output_shape` is (classes,).
        """
        fits = len(output_shape) == 1 and output_shape[0] >= 2
        require(fits, "output_shape", output_shape, "(classes,), at least 2")
        require(self.width >= 1, "width", self.width, "at least 1")
        body = ConvCritic(self.channels, dtype=self.dtype)
        features = nn.relu(body(images, (self.width,), mode=mode))
        return {"features": features, "logits": nn.Dense(output_shape[0])(features)}
