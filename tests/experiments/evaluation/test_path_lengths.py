"""Path lengths of a style-based model, in z and in w."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.evaluation import path_lengths, sets
from experiments.evaluation.extractors import Extractor
from experiments.evaluation.outputs import Outputs
from jaxgen.gans import stylegan2
from jaxgen.latents.interpolation import spherical
from tests.experiments import small_runs


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return sets.run(small_runs.save(small_runs.STYLED, tmp_path_factory.mktemp("runs") / "styled"), "newest")


def squared(images, others):
    return ((images - others) ** 2).sum((1, 2, 3))


def test_the_length_at_an_end_is_that_of_the_derivative_along_the_path(run):
    found = path_lengths.lengths(run, squared, 5, seed=3)
    assert found.keys() == {(space, place) for space in "zw" for place in ("full", "end")}
    keys = jax.random.split(jax.random.fold_in(jax.random.key(3), 0), 3)
    config: Any = small_runs.STYLED
    starts, ends = (config.prior.draw(key, path_lengths.CHUNK)[:5] for key in keys[:2])
    to_w, from_z = (jax.jit(partial(f, config, run.state)) for f in (stylegan2.to_w_plus, stylegan2.from_latents))
    from_w = jax.jit(partial(stylegan2.from_w_plus, config, run.state))
    ws, others = to_w(starts), to_w(ends)
    circle = jax.jit(spherical)
    paths = {"w": lambda t: from_w(ws + t * (others - ws)), "z": lambda t: from_z(circle(starts, ends, jnp.full(5, t)))}
    for space, images in paths.items():
        slope = (np.asarray(images(1e-3)) - np.asarray(images(-1e-3))) / 2e-3
        np.testing.assert_allclose(found[space, "end"], (slope**2).sum((1, 2, 3)), rtol=0.05, atol=1e-3)
    assert not np.allclose(found["w", "full"], found["w", "end"], rtol=0.05)


def test_rows_are_trimmed_means_of_distances_of_unit_features(run):
    extractor = Extractor("classifier", lambda images: Outputs(1 + images[:, 0, :2, 0], None), classes=True)
    assert path_lengths.distance(extractor)(*np.float32([[[[[0]] * 2]], [[[[0], [-1]]]]])) == pytest.approx(
        (1 - 0.5**0.5) ** 2 + 0.5
    )
    rows = path_lengths.judge({"samples": run}, [extractor], 70, 0)
    names = [f"path length in {space}, {place}" for space in "zw" for place in ("full", "end")]
    assert [row.name for row in rows] == names and all(row.cells["samples"].num == 70 for row in rows)
    values = np.arange(101.0)
    values[100] = 1e9
    assert path_lengths._cell(values, 0).value == pytest.approx(50.0)


def test_they_need_styles_and_the_classifier():
    assert path_lengths.is_there(small_runs.STYLED) and not path_lengths.is_there(small_runs.GAN)
    (row,) = path_lengths.judge({}, [], 8, 0)
    assert row.reason and "needs --extractor classifier" in row.reason
