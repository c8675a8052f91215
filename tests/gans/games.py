"""What the tests of several GANs share: one program for a function, and steps of descent that are written out."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen import parallel
from jaxgen.gans.discrimination import Discrimination
from jaxgen.mode import Mode
from tests import contract

UNTRICKED = Discrimination()

UNREGULARIZED = tuple(  # what says how a term is made that has no weight
    f"regularization.{name}"
    for name in (
        *("consistency.shift", "consistency.flip", "lecam.decay", "lecam.begin", "lecam.one_sided"),
        *("r1.every", "r2.every", "top_k.least", "top_k.every", "latent.std"),
        *("perturbed.scale", "divergence.power"),
    )
)
WITH_BATCH_STATISTICS = tuple(f"regularization.{name}.weight" for name in ("r1", "r2", "perturbed", "divergence"))
"""Refused where the opponent has batch statistics."""


@functools.cache
def compiled(function, config):
    """One program in place of one for each operation."""
    return jax.jit(functools.partial(function, config))


def training(key, num, step=0):
    """A pass in training whose examples have keys, as an update makes it."""
    return Mode(parallel.example_keys(key, num), jnp.int32(step), train=True)


def stepped(variables, loss, rate, *inputs):
    """`param - rate gradient` of `loss(variables, *inputs)`, collections as the pass leaves them; loss; |gradient|."""

    def value(params):
        found, (_, after) = loss({**variables, "params": params}, *inputs)
        return found, after

    (found, after), grads = jax.value_and_grad(value, has_aux=True)(variables["params"])
    params = jax.tree.map(lambda param, grad: param - rate * grad, variables["params"], grads)
    length = jnp.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(grads)))
    return {**after, "params": params}, found, length


def assert_close(found, wanted, atol=1e-6):
    """Variables leaf by leaf, the first that differs named."""
    found, wanted = contract.leaves(found), contract.leaves(wanted)
    assert found.keys() == wanted.keys()
    for path, leaf in wanted.items():
        np.testing.assert_allclose(found[path], leaf, atol=atol, err_msg=path)


def count(tree):
    """The numbers in a tree of arrays."""
    return sum(leaf.size for leaf in jax.tree.leaves(tree))
