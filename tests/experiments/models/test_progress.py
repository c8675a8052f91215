"""Samples come under a bar that counts images, or the steps of a sampler; they are the same samples."""

from contextlib import contextmanager

import jax
import numpy as np
import pytest

from experiments.models import progress, sampling
from experiments.runs import restore
from experiments.runs.experiment import model_of
from tests.experiments import small_runs


class Bar:
    """Stands in for a bar: what it is asked for, and how far it comes."""

    def __init__(self):
        self.total, self.unit, self.moves, self.started_at = None, None, [], []

    @property
    def n(self):
        return sum(self.moves)

    def update(self, num=1):
        self.moves.append(num)

    def unpause(self):
        self.started_at.append(self.n)

    @contextmanager
    def __call__(self, total, unit):
        self.total, self.unit = total, unit
        yield self


@pytest.fixture
def bar(monkeypatch):
    bar = Bar()
    monkeypatch.setattr(progress, "bar", bar)
    return bar


def drawn(folder, model, num, size):
    run = small_runs.save(model, folder)
    _, _, _, state = restore.newest(run)
    found = np.concatenate(list(progress.batches(model, state, np.arange(num), 3, size=size)))
    return found, np.concatenate(list(sampling.batches(model, state, np.arange(num), 3, size=size)))


def test_steps_of_a_sampler_are_counted_in_each_batch_and_change_no_image(bar, tmp_path):
    found, wanted = drawn(tmp_path / "run", small_runs.DENOISER, 5, 2)
    np.testing.assert_array_equal(found, wanted)
    assert (bar.total, bar.unit, bar.moves) == (3 * 3, "step", [1] * 9)
    assert bar.started_at == [0]  # the time left does not count what came before the first move


def test_images_are_counted_of_a_model_without_steps(bar, tmp_path):
    found, wanted = drawn(tmp_path / "run", small_runs.WIDE, 5, 2)
    np.testing.assert_array_equal(found, wanted)
    assert (bar.total, bar.unit, bar.moves) == (5, "image", [2, 2, 1])


def test_each_drawing_of_a_program_has_a_bar_of_its_own(bar):
    shown = progress.Watched(small_runs.DENOISER)
    model = model_of(shown.config)
    state = model.init(shown.config, jax.random.key(0))
    draw = jax.jit(lambda state: model.sample(shown.config, state, jax.random.key(1), 2))
    for times in (1, 2):
        with shown.drawing():
            found = np.asarray(draw(state))
        assert (bar.total, bar.unit, bar.moves) == (3, "step", [1] * 3 * times)
    wanted = jax.jit(lambda state: model.sample(small_runs.DENOISER, state, jax.random.key(1), 2))(state)
    np.testing.assert_array_equal(found, wanted)


def test_a_model_without_steps_is_drawn_from_without_a_bar(bar):
    shown = progress.Watched(small_runs.WIDE)
    with shown.drawing():
        assert shown.config == small_runs.WIDE and bar.total is None
