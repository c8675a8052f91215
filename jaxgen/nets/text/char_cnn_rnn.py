"""The character-level convolutional recurrent encoder of captions (char-CNN-RNN).

Reed, Akata, Lee, Schiele: Learning Deep Representations of Fine-grained Visual Descriptions, 2016, arXiv 1605.05395.
Sizes are those of the authors' code for captions of 201 characters and 1024 features: convolutions without padding and
max pooling take 201 characters to 8 steps of a recurrent network, whose states are averaged. The encoder for COCO of
their code for arXiv 1605.05396 is `CharCNNRNN((384, 512, 512), (3, 3, 0), cell="gru", width=512)`: 18 steps.

The recurrent network is h_t = relu(W x_t + a + U h_(t-1) + c), without U h + c in the first step. The gated one is
Flax's GRU, from h_0 = 0. Its reset gate acts behind the product with U, that of Cho et al. (arXiv 1406.1078) before it.
"""

import functools
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.initializers import Initializer, Uniform, to_flax
from jaxgen.nets.text.characters import one_hot
from jaxgen.typing import Shape


class CharCNNRNN(nn.Module):
    """Convolutions and pooling over characters, a recurrent network over what is left, a dense layer of its mean state.

    For captions of 40 bytes: `CharCNNRNN((64, 64), (3, 0), width=64)`, which leave 9 steps.
    """

    channels: tuple[int, ...] = (384, 512, 256)  # of each convolution
    strides: tuple[int, ...] = (3, 3, 2)  # of the max pooling behind each; 0 is no pooling
    window: int = 3  # of the pooling
    kernel_size: int = 4  # of the convolutions
    cell: Literal["relu", "gru"] = "relu"  # of the recurrent network
    width: int = 256  # of its states
    initializer: Initializer = Uniform(0.08)  # of the weights and the biases; of a GRU's products with its state, too

    @nn.compact
    def __call__(self, captions: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, length) uint8 to (batch, features), float32; `output_shape` is (features,).

        Raises:
            ValueError: captions of another kind, or too short for the convolutions; settings that do not fit.
        """
        require(len(output_shape) == 1, "output_shape", output_shape, "(features,)")
        fits = len(self.channels) == len(self.strides) >= 1 and min(self.channels) >= 1 and min(self.strides) >= 0
        require(fits, "channels, strides", (self.channels, self.strides), "as many of each, channels of at least 1")
        require(self.cell in ("relu", "gru"), "cell", self.cell, "relu or gru")
        hidden = one_hot(captions)[:, :, None]
        self._check_length(captions.shape[1])
        init = to_flax(self.initializer)
        for channels, stride in zip(self.channels, self.strides, strict=True):
            layer = Conv(channels, (self.kernel_size, 1), padding="VALID", kernel_init=init, bias_init=init)
            hidden = _pool(nn.relu(layer(hidden)), self.window, stride)
        states = self._gated(hidden[:, :, 0]) if self.cell == "gru" else self._rectified(hidden[:, :, 0])
        mean = jnp.stack(states).mean(axis=0)
        return nn.Dense(output_shape[0], kernel_init=init, bias_init=init)(mean)

    @nn.nowrap
    def steps(self, length: int) -> int:
        """How many steps of the recurrent network captions of this length leave; 0 or less if they are too short."""
        for stride in self.strides:
            length = length - self.kernel_size + 1
            length = (length - self.window) // stride + 1 if stride else length
        return length

    @nn.nowrap
    def _check_length(self, length: int) -> None:
        shortest = 1  # that leaves one step, from the last layer back
        for stride in self.strides[::-1]:
            shortest = (shortest - 1) * stride + self.window if stride else shortest
            shortest += self.kernel_size - 1
        layers = f"convolutions of {self.kernel_size} with pooling of strides {self.strides}"
        require(length >= shortest, "length of captions", length, f"at least {shortest} bytes for {layers}")

    def _rectified(self, inputs: jax.Array) -> list[jax.Array]:
        """The states of the plain recurrent network for (batch, steps, channels)."""
        init = to_flax(self.initializer)
        taken = nn.Dense(self.width, kernel_init=init, bias_init=init)(inputs)
        again = nn.Dense(self.width, kernel_init=init, bias_init=init)
        states = [nn.relu(taken[:, 0])]
        if inputs.shape[1] == 1:
            again(states[0])  # one step takes no state: the weights are there, and no gradient reaches them
        for step in range(1, inputs.shape[1]):
            states.append(nn.relu(taken[:, step] + again(states[-1])))
        return states

    def _gated(self, inputs: jax.Array) -> list[jax.Array]:
        """The states of the gated recurrent network."""
        init = to_flax(self.initializer)
        cell = nn.GRUCell(self.width, kernel_init=init, recurrent_kernel_init=init, bias_init=init)
        state, states = jnp.zeros((inputs.shape[0], self.width), inputs.dtype), []
        for step in range(inputs.shape[1]):
            state, _ = cell(state, inputs[:, step])
            states.append(state)
        return states


def _pool(hidden: jax.Array, window: int, stride: int) -> jax.Array:
    """The maximum of windows of the steps of (batch, steps, ...); steps that no window reaches are left out."""
    if not stride:
        return hidden
    last = (hidden.shape[1] - window) // stride * stride
    shifts = [hidden[:, place : place + last + 1 : stride] for place in range(window)]
    return functools.reduce(jnp.maximum, shifts)
