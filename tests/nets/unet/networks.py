"""Small denoisers, each with the settings that make it another network, and what their tests have in common."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.nets.courses.annotated_diffusion import ConvNeXtUNet
from jaxgen.nets.dit import DiT
from jaxgen.nets.time_mlp import TimeMLP
from jaxgen.nets.unet.classifier import NoisyClassifier
from jaxgen.nets.unet.ddpm import IMPROVED, UNet
from jaxgen.nets.unet.ddpm_plus_plus import DDPMPlusPlus
from jaxgen.nets.unet.edm2 import EDM2UNet
from tests.nets.parameters import count, zeros

IMAGES = jax.random.normal(jax.random.key(10), (3, 8, 4, 2))
TIMES = jnp.array([0.3, 17.0, 950.0])
CLASSES = jnp.eye(4)[:3]

SMALL = {"channels": 8, "multipliers": (1, 2), "blocks": 1}
DENOISERS = {
    "ddpm": UNet(**SMALL, attention=(4,), dropout=0.5),
    "improved": IMPROVED.clone(**SMALL, attention=(8,), heads=2, dropout=0.5),
    "ddpm++": DDPMPlusPlus(**SMALL, attention=(4,), dropout=0.5),
    "edm2": EDM2UNet(**SMALL, attention=(4,), head_features=8, dropout=0.5),
    "convnext": ConvNeXtUNet(8, (1, 2), heads=2, head_features=4),
    "mlp": TimeMLP(8, 2, num_features=4),
    "dit": DiT(8, 1, 2),
}


def parameters(net, shape, condition=None, output_shape=None):
    """Their number for images of a shape."""
    if isinstance(net, NoisyClassifier):
        return count(net, zeros(*shape), jnp.zeros(1), output_shape)
    return count(net, zeros(*shape), jnp.zeros(1), condition, output_shape or shape)


def init(net, *inputs):
    """Variables that are zero nowhere, drawn by NumPy: initialisers take seconds to compile.

    Layers that keep magnitudes have no common sign: sums of like signs grow until activations are at their limit.
    """
    generator = np.random.default_rng(0)
    mean = 0.0 if isinstance(net, EDM2UNet) else 0.1

    def draw(leaf):
        fan_in = math.prod(leaf.shape[:-1])  # 1 for scales and biases
        return jnp.asarray(generator.normal(mean, 0.7 / np.sqrt(fan_in), leaf.shape), leaf.dtype)

    return jax.tree.map(draw, jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs)))


def names(net, *inputs):
    """Of all parts of the network, as a set."""
    return set(jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs))["params"])


def fields(net):
    """Settings of a network by name."""
    return {
        field.name: getattr(net, field.name)
        for field in dataclasses.fields(net)
        if field.name not in ("parent", "name")
    }
