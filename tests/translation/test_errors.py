"""Errors as settings."""

import jax.numpy as jnp

from jaxgen.translation.errors import AbsoluteError, SquaredError


def test_errors_are_means_over_all_axes_but_the_first():
    outputs, targets = jnp.array([[[1.0, -3.0]], [[0.0, 0.0]]]), jnp.zeros((2, 1, 2))
    assert SquaredError()(outputs, targets).tolist() == [5.0, 0.0]
    assert AbsoluteError()(outputs, targets).tolist() == [2.0, 0.0]
