"""SRResNet: its loss by hand, its step, and the contract."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.moving_averages import Exponential
from jaxgen.nets.srresnet import SRResNet
from jaxgen.translation import enlargement, srresnet
from jaxgen.translation.errors import AbsoluteError
from tests import contract

TINY = srresnet.Config((6, 8, 2), input_shape=(3, 4, 1), generator=SRResNet(2, 1), average=Exponential(0.15))
INPUTS = jax.random.uniform(jax.random.key(1), (4, 3, 4, 1), minval=-1.0)
TARGETS = jax.random.uniform(jax.random.key(2), (4, 6, 8, 2), minval=-1.0)
MODE = Mode(keys=jax.random.split(jax.random.key(3), 4), step=jnp.int32(0), train=True)


NORMALISED = tuple(f"['generator']['Conv_{place}']['bias']" for place in (1, 2, 3))
"""Biases of convolutions that a batch norm follows, which takes them away."""


class TestContract(contract.Suite):
    case = contract.Case(
        srresnet,
        TINY,
        without_noise=True,
        unreached=NORMALISED,
        refused=("input_shape", "image_shape"),
    )

    def test_update_is_a_function_of_its_key(self, update):
        """Nothing is drawn, and the key changes nothing."""
        config, step = update
        states = [step(self.init(config), self.batches(1)[0], jax.random.key(number))[0] for number in (0, 1)]
        chex.assert_trees_all_equal(*states)


def test_the_loss_is_the_mean_error_of_the_pixels_before_they_are_clipped():
    state = jax.jit(srresnet.init, static_argnums=0)(TINY, jax.random.key(0))
    outputs, _ = enlargement.enlarge(TINY, state.generator.variables, INPUTS, MODE)
    for config, wanted in (
        (TINY, ((outputs - TARGETS) ** 2).mean()),
        (dataclasses.replace(TINY, error=AbsoluteError()), jnp.abs(outputs - TARGETS).mean()),
    ):
        loss, (metrics, _) = srresnet.generator_loss(config, state.generator.variables, INPUTS, TARGETS, MODE)
        np.testing.assert_allclose(loss, wanted, rtol=1e-5)
        np.testing.assert_allclose(metrics["mse"], ((outputs - TARGETS) ** 2).mean(), rtol=1e-5)


def test_sizes_that_do_not_fit_are_refused_before_anything_is_compiled():
    config = dataclasses.replace(TINY, image_shape=(7, 8, 2))
    with pytest.raises(ValueError, match="image_shape is"):
        srresnet.init(config, jax.random.key(0))
