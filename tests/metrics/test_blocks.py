"""Metrics that compare all examples with all do so block by block: what is in memory at a time is bounded."""

import functools
import inspect
import math

import jax
import jax.numpy as jnp
import pytest

from jaxgen import metrics
from tests.programs import operations

NUM, BLOCK = 40, 4
POINTS = jax.ShapeDtypeStruct((NUM, 2), jnp.float32)
RADII = jax.ShapeDtypeStruct((NUM,), jnp.float32)
IMAGES = jax.ShapeDtypeStruct((2, 16, 16, 1), jnp.float32)


def of_pairs(images, **options):
    return metrics.ms_ssim_diversity(images, jax.random.key(0), data_range=1.0, num_pairs=NUM, **options)


METRICS = {  # a function, its arguments, and how large an array of all of it at once would be
    "density_coverage": (metrics.density_coverage, (POINTS, POINTS), NUM**2),
    "holding_balls": (metrics.holding_balls, (POINTS, POINTS, RADII), NUM**2),
    "kernel_distance": (metrics.kernel_distance, (POINTS, POINTS), NUM**2),
    "ms_ssim_diversity": (of_pairs, (IMAGES,), NUM * 16**2),
    "nearest_neighbor_accuracy": (metrics.nearest_neighbor_accuracy, (POINTS, POINTS), NUM**2),
    "nearest_neighbors": (metrics.nearest_neighbors, (POINTS, POINTS), NUM**2),
    "neighbor_distances": (functools.partial(metrics.neighbor_distances, k=2), (POINTS,), NUM**2),
    "precision_recall": (metrics.precision_recall, (POINTS, POINTS), NUM**2),
}


def test_every_metric_of_blocks_has_a_row():
    functions = {name: value for name, value in vars(metrics).items() if inspect.isfunction(value)}
    wanted = {name for name, value in functions.items() if "block_size" in inspect.signature(value).parameters}
    assert METRICS.keys() == wanted


@pytest.mark.parametrize("name", METRICS)
def test_no_array_holds_all_pairs(name):
    metric, arguments, together = METRICS[name]

    program = jax.make_jaxpr(functools.partial(metric, block_size=BLOCK))(*arguments)
    sizes = [math.prod(value.aval.shape) for operation in operations(program.jaxpr) for value in operation.outvars]
    assert max(sizes) < together
