"""Small denoisers, each with the settings that make it another network, and what their tests have in common."""

import dataclasses

import jax
import jax.numpy as jnp

from jaxgen.nets.courses.annotated_diffusion import ConvNeXtUNet
from jaxgen.nets.time_mlp import TimeMLP
from jaxgen.nets.unet.classifier import NoisyClassifier
from jaxgen.nets.unet.ddpm import IMPROVED, UNet
from jaxgen.nets.unet.ddpm_plus_plus import DDPMPlusPlus
from tests.nets.parameters import count, zeros

IMAGES = jax.random.normal(jax.random.key(10), (3, 8, 4, 2))
TIMES = jnp.array([0.3, 17.0, 950.0])
CLASSES = jnp.eye(4)[:3]

SMALL = {"channels": 8, "multipliers": (1, 2), "blocks": 1}
DENOISERS = {
    "ddpm": UNet(**SMALL, attention=(4,), dropout=0.5),
    "improved": IMPROVED.clone(**SMALL, attention=(8,), heads=2, dropout=0.5),
    "ddpm++": DDPMPlusPlus(**SMALL, attention=(4,), dropout=0.5),
    "convnext": ConvNeXtUNet(8, (1, 2), heads=2, head_features=4),
    "mlp": TimeMLP(8, 2, num_features=4),
}


def parameters(net, shape, condition=None, output_shape=None):
    """Their number for images of a shape."""
    if isinstance(net, NoisyClassifier):
        return count(net, zeros(*shape), jnp.zeros(1), output_shape)
    return count(net, zeros(*shape), jnp.zeros(1), condition, output_shape or shape)


def init(net, *inputs):
    """Variables that are zero nowhere, compiled."""

    def perturbed():
        variables = net.init(jax.random.key(0), *inputs)
        leaves, treedef = jax.tree.flatten(variables)
        keys = jax.random.split(jax.random.key(1), len(leaves))
        noisy = [leaf + 0.1 * jax.random.normal(key, leaf.shape) for leaf, key in zip(leaves, keys, strict=True)]
        return jax.tree.unflatten(treedef, noisy)

    return jax.jit(perturbed)()


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
