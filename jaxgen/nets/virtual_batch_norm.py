"""Virtual batch normalisation: by the statistics of a fixed reference batch and of the example itself.

Salimans et al.: Improved Techniques for Training GANs, 2016, arXiv 1606.03498, section 3.4, in the authors' form.

With (m_1, m_2) the means of x and x^2 over a reference batch of n examples and all places, and (mu_1, mu_2) those over
the places of one example, the example is normalised by

    M_k = w mu_k + (1 - w) m_k,    w = 1 / (n + 1),    y = gamma (x - M_1) / sqrt(M_2 - M_1^2 + eps) + beta,

and the reference batch by (m_1, m_2). So the outputs for an example do not depend on the rest of its batch. The
reference batch passes through the network with each batch, in front of it: `with_reference`, `without_reference`.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require

REFERENCE = "reference"
"""The collection of the reference inputs."""


def with_reference(net: nn.Module, inputs: jax.Array, num: int) -> jax.Array:
    """The reference inputs of a network, drawn from U[-1, 1) when it is made, and its inputs behind them.

    Args:
        net: the network, in whose compact call this stands; it keeps the reference inputs.
        inputs: (batch, ...).
        num: n, examples of the reference batch.

    Returns:
        (num + batch, ...).
    """
    require(num >= 1, "num_reference", num, "at least 1")

    def drawn() -> jax.Array:
        return jax.random.uniform(net.make_rng("params"), (num, *inputs.shape[1:]), inputs.dtype, minval=-1.0)

    return jnp.concatenate([net.variable(REFERENCE, "inputs", drawn).value, inputs])


def without_reference(outputs: jax.Array, num: int) -> jax.Array:
    """The outputs for the batch behind the reference batch of `num` examples."""
    return outputs[num:]


class VirtualBatchNorm(nn.Module):
    """The normalisation of a reference batch and of what follows it."""

    num_reference: int  # n
    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, inputs: jax.Array) -> jax.Array:
        """(n + batch, ..., channels), the reference batch first, to the same shape; computed in float32."""
        num, hidden = self.num_reference, inputs.astype(jnp.float32)
        reference, examples = hidden[:num], hidden[num:]
        places = tuple(range(1, hidden.ndim - 1))
        mean, variance = _moments(reference, (0, *places))
        own_mean, own_variance = _moments(examples, places)
        weight = 1.0 / (num + 1)
        mixed = weight * own_mean + (1.0 - weight) * mean
        apart = weight * (1.0 - weight) * (own_mean - mean) ** 2
        mixed_variance = weight * own_variance + (1.0 - weight) * variance + apart  # M_2 - M_1^2, digits kept
        normalized = [
            (each - center) * jax.lax.rsqrt(spread + self.epsilon)
            for each, center, spread in ((reference, mean, variance), (examples, mixed, mixed_variance))
        ]
        shape = (1,) * (hidden.ndim - 1) + inputs.shape[-1:]
        scale = self.param("scale", nn.initializers.ones, inputs.shape[-1:]).reshape(shape)
        offset = self.param("bias", nn.initializers.zeros, inputs.shape[-1:]).reshape(shape)
        return (jnp.concatenate(normalized) * scale + offset).astype(inputs.dtype)


def _moments(values: jax.Array, axes: tuple[int, ...]) -> tuple[jax.Array, jax.Array]:
    """Mean and variance over the axes, which stay with length 1."""
    mean = values.mean(axis=axes, keepdims=True)
    return mean, ((values - mean) ** 2).mean(axis=axes, keepdims=True)
