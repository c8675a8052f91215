"""The machine's peaks, and the bound of an update."""

import jax
import jax.numpy as jnp
import pytest

from experiments.benchmarks import roofline, updates
from experiments.benchmarks.arithmetic import Counts, counts
from experiments.benchmarks.roofline import Peaks


def test_products_and_convolutions_are_counted_apart():
    images, kernel = jnp.zeros((2, 8, 8, 3)), jnp.zeros((3, 3, 3, 4))

    def both(images, kernel):
        layout = ("NHWC", "HWIO", "NHWC")
        maps = jax.lax.conv_general_dilated(images, kernel, (1, 1), "SAME", dimension_numbers=layout)
        return jax.lax.scan(lambda x, _: (x @ x.T @ x, None), maps.reshape(32, 16), length=5)[0]

    found = counts(both, images, kernel)
    assert found == Counts(5 * 2 * (2 * 32 * 32 * 16), 2 * (2 * 8 * 8 * 4) * 27)
    assert found.total == sum(found)


def test_a_bound_is_the_longer_of_arithmetic_and_memory():
    cases = updates.cases()
    perceptrons, convolutions = cases["vae_mnist"], cases["dcgan_28"]
    arithmetic = updates.arithmetic(perceptrons)
    assert roofline.bound(perceptrons, Peaks(1e9, 1.0, 1e30)) == pytest.approx(arithmetic / 1e9)
    state, _, _ = updates.shapes(perceptrons)
    values = sum(leaf.size for leaf in jax.tree.leaves(state))  # of four bytes: weights, two moments, the step
    assert 3 * updates.parameters(perceptrons.config) < values
    assert roofline.bound(perceptrons, Peaks(1e30, 1e30, 1e9)) == pytest.approx(2 * 4 * values / 1e9, rel=1e-3)
    one, other = (roofline.bound(convolutions, Peaks(*rates, 1e30)) for rates in ((1e9, 1e30), (1e30, 1e9)))
    assert one + other == pytest.approx(updates.arithmetic(convolutions) / 1e9)
    assert other > one > 0


def test_peaks_are_measured_and_said():
    found = roofline.measure("processor", seconds=0.01, sides=(32, 64), maps=((1, 8, 4),), values=1_000)
    assert all(value > 0 for value in found)
    words = roofline.line(Peaks(2e11, 1e11, 1.5e10))
    assert words == "peaks: matrix products 200, convolutions 100 GFLOP/s, memory 15.0 GB/s"


def test_the_best_of_several_sizes_counts(monkeypatch):
    seconds = iter([1.0, 0.5, 2.0, 1.0, 4.0])  # two products, two convolutions, memory
    monkeypatch.setattr(roofline.clock, "seconds_per_update", lambda *_: next(seconds))
    found = roofline.measure(sides=(8, 16), maps=((1, 4, 2), (1, 4, 3)), values=100)
    assert found == Peaks(2 * 16**3 / 0.5, 2 * 16 * 27 * 3 / 1.0, 2 * 400 / 4.0)
