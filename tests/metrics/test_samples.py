"""What all metrics ask of their samples: float types, axes, blocks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.metrics import _samples


def test_samples_are_widened_to_one_type():
    half, whole = jnp.ones((2, 3), jnp.bfloat16), jnp.ones((4, 3))
    assert [array.dtype for array in _samples.samples(a=half, b=whole)] == [jnp.float32] * 2


@pytest.mark.usefixtures("unchecked_annotations")
def test_integers_are_refused_by_name():
    with pytest.raises(ValueError, match="b is uint8, but must be floating"):
        _samples.samples(a=jnp.ones((2, 3)), b=jnp.ones((2, 3), jnp.uint8))


def test_axes_lengths_and_numbers_are_named():
    with pytest.raises(ValueError, match=r"a has shape \(3,\), but must have the axes \(N, d\)"):
        _samples.samples(a=jnp.ones(3))
    with pytest.raises(ValueError, match=r"a \(2, 3\) and b \(2, 4\) differ in their second axis"):
        _samples.samples(a=jnp.ones((2, 3)), b=jnp.ones((2, 4)))
    with pytest.raises(ValueError, match=r"b has shape \(2, 3\), but must hold at least 3 examples"):
        _samples.samples(3, a=jnp.ones((3, 3)), b=jnp.ones((2, 3)))
    with pytest.raises(ValueError, match=r"a has shape \(2, 0\), but must hold features of length 1 at least"):
        _samples.samples(a=jnp.ones((2, 0)))
    assert _samples.samples(3, a=jnp.ones((3, 1)))[0].shape == (3, 1)
    with pytest.raises(ValueError, match=r"a \(2, 3\) and b \(3, 3\) differ in their number"):
        _samples.paired(a=jnp.ones((2, 3)), b=jnp.ones((3, 3)))


@pytest.mark.parametrize("block_size", [1, 3, 7, 100])
def test_blocks_of_any_size_cover_all_examples(block_size):
    found = jax.jit(lambda x: _samples.in_blocks(lambda pair: pair[0] + pair[1], (x, x), block_size))(jnp.arange(7.0))
    np.testing.assert_array_equal(found, 2 * np.arange(7.0))


def test_blocks_hold_an_example_at_least():
    with pytest.raises(ValueError, match="block_size is 0, but must be at least 1"):
        _samples.in_blocks(jnp.sin, jnp.arange(7.0), 0)
