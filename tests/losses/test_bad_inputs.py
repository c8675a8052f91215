"""Every public function of losses and metrics, one array spoilt at a time: NaN in, NaN out, and sentences."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen import losses, metrics
from tests.losses import arguments as of_losses
from tests.metrics import arguments as of_metrics

ROWS = {**of_losses.ROWS, **of_metrics.ROWS}
EACH = [(name, position) for name, row in ROWS.items() for position in range(len(row.shapes))]
each_array = pytest.mark.parametrize(("name", "position"), EACH, ids=[f"{name}-{i}" for name, i in EACH])
NO_FLOAT_OUT = {"holding_balls": "counts are integers, and no ball holds a NaN; what is made of the counts is NaN"}


def public(package):
    return {name for name in package.__all__ if inspect.isfunction(getattr(package, name))}


def test_every_public_function_has_a_row_or_a_reason():
    covered = {name.split()[0] for name in ROWS} | set(of_metrics.WITHOUT_ARRAYS)
    assert covered == public(losses) | public(metrics)


def called(name, arrays):
    return ROWS[name].function(*(jnp.asarray(array) for array in arrays))


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_sound_while_nothing_is_spoilt(name):
    for leaf in jax.tree.leaves(called(name, ROWS[name].arrays())):
        assert jnp.isfinite(leaf).all() or not jnp.issubdtype(leaf.dtype, jnp.floating)


@pytest.mark.parametrize("narrow", [jnp.bfloat16, jnp.float32])
@each_array
def test_arrays_of_different_types_are_computed_in_the_widest_under_strict_promotion(name, position, narrow):
    wide = {jnp.bfloat16: jnp.float32, jnp.float32: jnp.float64}[narrow]
    with jax.enable_x64(True):
        arrays = [jnp.asarray(array, wide) for array in ROWS[name].arrays()]
        arrays[position] = arrays[position].astype(narrow)
        ROWS[name].function(*arrays)


@pytest.mark.parametrize("place", [0, -1], ids=["first", "last"])
@each_array
def test_nan_in_is_nan_out(name, position, place):
    arrays = ROWS[name].arrays()
    arrays[position].flat[place] = np.nan
    floating = [leaf for leaf in jax.tree.leaves(called(name, arrays)) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    if name in NO_FLOAT_OUT:
        assert not floating
        return
    assert floating
    hidden = [leaf for leaf in floating if not jnp.isnan(leaf).any()]
    assert not hidden, hidden
