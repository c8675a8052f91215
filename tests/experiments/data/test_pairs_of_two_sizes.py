"""Pairs whose target is larger than its input: loaded, fed, trained on and drawn."""

import dataclasses

import jax
import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data import feeds
from experiments.data.images import ImageSet, Window
from experiments.data.options import ImageOptions, StorageOptions
from experiments.data.order import Position
from experiments.models import conditions, sampling
from experiments.pictures import figures, kinds
from experiments.runs.experiment import Experiment
from experiments.training import checks, runner
from jaxgen.batches import Paired
from tests.experiments import enlarging
from tests.experiments.models_of_tests import named, own_models  # noqa: F401
from tests.experiments.pictures_on_disk import encoded, pixels, write_all


def squares(small, factor=2):
    return small.repeat(factor, axis=-3).repeat(factor, axis=-2)


def folder_of(path, sizes=(4, 8), num=16):
    small = [pixels(4, 4, 1, seed) for seed in range(num)]
    for name, size in zip(("a_small", "b_large"), sizes, strict=True):
        made = [squares(one, size // 4) if size % 4 == 0 else pixels(size, size, 1, 0) for one in small]
        write_all(path / name, {f"{index:02}.png": encoded(one) for index, one in enumerate(made)})
    return path


def test_both_sizes_are_kept(tmp_path):
    found = data.load(f"pairs:{folder_of(tmp_path)}", "all")
    assert found.image_shape == (4, 4, 1) and found.shape_of("targets") == (8, 8, 1)
    inputs, targets = found.batch(np.arange(5), Paired)
    np.testing.assert_array_equal(targets, squares(inputs))


def test_sizes_that_are_asked_for_keep_the_factor(tmp_path):
    images = ImageOptions(size=2, target_factor=4, resample="box")
    found = data.load(f"pairs:{folder_of(tmp_path)}", "all", images=images)
    assert found.image_shape == (2, 2, 1) and found.shape_of("targets") == (8, 8, 1)


def test_sizes_that_do_not_fit_get_one_sentence(tmp_path):
    message = "targets of 6x6 do not fit images of 4x4: they must be as large, or a whole number of times as large"
    with pytest.raises(UserError, match=message):
        data.load(f"pairs:{folder_of(tmp_path, sizes=(4, 6))}", "all")


@pytest.mark.parametrize("device_bytes", [0, 2**20])
def test_windows_cut_both_at_the_same_place(device_bytes):
    small = np.random.default_rng(0).integers(0, 256, (9, 6, 6, 3), np.uint8)
    window = Window(4, 4, pad=1, moves=True, flips=True)
    chosen = ImageSet("some", small, targets=squares(small), window=window)
    assert chosen.shape_of("targets") == (8, 8, 3)
    with feeds.opened(chosen, Paired, 0, Position(0, 0, 8), StorageOptions(device_bytes=device_bytes)) as feed:
        inputs, targets = feed(0, 3)
    np.testing.assert_array_equal(targets, squares(np.asarray(inputs)))


def experiment_of(path, **changes):
    model = enlarging.Config(input_shape=(1, 1, 1), image_shape=(2, 2, 1))
    short = {"steps": 2, "batch_size": 4, "steps_per_call": 2, "num_samples": 12}
    return Experiment(model=model, data=f"pairs:{path}", **(short | changes))  # pyright: ignore


def test_the_shapes_follow_the_data(tmp_path, named):  # noqa: F811
    chosen = experiment_of(folder_of(tmp_path))
    named(chosen)
    fitted = checks.fit_to_data(chosen, data.load_for(chosen), "enlarging").model
    assert fitted == enlarging.Config(input_shape=(4, 4, 1), image_shape=(8, 8, 1))


def test_a_model_of_one_size_says_so(tmp_path, named):  # noqa: F811
    from tests.experiments import conditional

    chosen = dataclasses.replace(experiment_of(folder_of(tmp_path)), model=conditional.Config(kind="paired"))  # pyright: ignore
    named(chosen)
    with pytest.raises(UserError, match="inputs of 4x4x1 and targets of 8x8x1, but conditional takes pairs of one"):
        checks.fit_to_data(chosen, data.load_for(chosen), "conditional")


def test_a_run_trains_and_draws_condition_sample_and_target(tmp_path, named):  # noqa: F811
    chosen = experiment_of(folder_of(tmp_path / "pairs"))
    named(chosen)
    assert runner.train("enlarging", chosen, tmp_path / "run") == 0
    assert list((tmp_path / "run" / "samples").glob("*.png"))
    _, drawn = sampling.draw(tmp_path / "run", 5, seed=0)
    assert drawn.shape == (5, 8, 8, 1)


def test_the_picture_has_the_condition_the_sample_and_the_target_in_a_row(tmp_path, named):  # noqa: F811
    chosen = experiment_of(folder_of(tmp_path))
    image_set = data.load_for(chosen)
    chosen = dataclasses.replace(chosen, model=enlarging.Config())
    (draw,) = kinds.drawings(chosen, image_set, jax.random.key(0)).values()
    picture = draw(enlarging.State(jax.numpy.zeros(())))
    held = data.load_for(chosen, "test")
    num = min(4, len(held))
    inputs, targets = held.batch(np.linspace(0, len(held) - 1, num).astype(int), Paired)
    wanted = figures.side_by_side({"condition": inputs, "sample": squares(inputs), "target": targets})
    np.testing.assert_array_equal(picture, wanted)
    assert conditions.is_image(chosen.model)


def test_small_columns_are_enlarged_by_whole_factors():
    small, large = np.full((2, 2, 2, 1), 7, np.uint8), np.full((2, 5, 5, 3), 9, np.uint8)
    picture = figures.side_by_side({"a": small, "b": large})
    assert {7, 9, 255} <= set(np.unique(picture))
