"""Models whose batches hold more than images train on sets that have it, and say so where one has not."""

import dataclasses
import json

import numpy as np
import pytest

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data import card
from experiments.data.images import ImageSet
from experiments.data.options import ImageOptions, StorageOptions
from experiments.runs import experiment, restore
from experiments.runs import settings as restorable
from experiments.training import checks, runner
from tests.experiments import conditional
from tests.experiments.pictures_on_disk import encoded, npy, npz, pixels, write_all


@pytest.fixture
def folder(tmp_path):
    """One folder of data for each type of batch."""
    names = [f"{index}.png" for index in range(24)]
    images = {name: encoded(pixels(8, 8, 3, seed)) for seed, name in enumerate(names)}
    wide = {name: encoded(pixels(8, 16, 3, seed)) for seed, name in enumerate(names)}
    write_all(tmp_path / "labelled", {f"{'ab'[i % 2]}/{name}": file for i, (name, file) in enumerate(images.items())})
    write_all(tmp_path / "paired", wide)
    write_all(
        tmp_path / "unpaired", {f"train{domain}/{name}": file for domain in "AB" for name, file in images.items()}
    )
    write_all(tmp_path / "captioned", images | {"captions.json": json.dumps({name: ["one", "two"] for name in names})})
    return tmp_path


SCHEMES = {"labelled": "folder", "paired": "pairs", "unpaired": "unpaired", "captioned": "captions"}


def settings(folder, kind, **changes):
    return experiment.Experiment(
        model=conditional.Config(kind=kind),  # pyright: ignore
        data=f"{SCHEMES[kind]}:{folder / kind}",
        **({"steps": 4, "batch_size": 8, "steps_per_call": 2, "log_every": 2, "sample_every": 4} | changes),
    )


@pytest.fixture
def train(monkeypatch):
    monkeypatch.setattr(restorable, "PACKAGES", (*restorable.PACKAGES, "tests"))

    def train(chosen, out):
        monkeypatch.setattr(experiment, "load", lambda name: dataclasses.replace(chosen, model=conditional.Config()))
        return runner.train("conditional", chosen, out)

    return train


def total_of(out):
    _, _, _, state = restore.newest(out)
    return np.asarray(state.total)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", conditional.TYPES)
def test_every_type_of_batch_trains_the_same_from_memory_from_disk_and_from_the_devices(kind, folder, train, tmp_path):
    """With random windows and mirrors, stopped half way and gone on with from another place."""
    places = [StorageOptions(), StorageOptions(host_bytes=0), StorageOptions(device_bytes=2**20)]
    images = ImageOptions(pad=2, crop="random", flip=True)
    totals = []
    for number, storage in enumerate(places):
        out = tmp_path / f"run{number}"
        assert train(settings(folder, kind, storage=storage, images=images, steps=2), out) == 0
        other = places[(number + 1) % 3]
        assert train(settings(folder, kind, storage=other, images=images), out) == 0
        totals.append(total_of(out))
    assert totals[0][0] > 50  # pixels of half brightness
    np.testing.assert_allclose(totals[1], totals[0], rtol=1e-6)
    np.testing.assert_allclose(totals[2], totals[0], rtol=1e-6)


def test_the_number_of_classes_follows_the_data(folder):
    chosen = settings(folder, "labelled")
    image_set = data.load_for(chosen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "load", lambda name: chosen)
        assert checks.fit_to_data(chosen, image_set, "conditional").model.num_classes == 2
        asked = dataclasses.replace(chosen, model=dataclasses.replace(chosen.model, num_classes=7))
        with pytest.raises(UserError, match=r"--model\.num-classes is 7, but folder:.* has 2; leave it out"):
            checks.fit_to_data(asked, image_set, "conditional")


def test_other_images_are_another_run(folder, train, tmp_path):
    train(settings(folder, "labelled", steps=2), tmp_path / "run")
    with pytest.raises(UserError, match=r"images\.flip: False -> True"):
        train(settings(folder, "labelled", images=ImageOptions(flip=True)), tmp_path / "run")


@pytest.mark.parametrize(
    ("kind", "lacks"),
    [("labelled", "labels"), ("paired", "pairs of images"), ("unpaired", "a second domain"), ("captioned", "captions")],
)
def test_a_model_on_a_set_that_lacks_what_it_needs_is_refused(kind, lacks, train, tmp_path):
    write_all(tmp_path, {"a.npy": npy(np.zeros((20, 8, 8), np.uint8))})
    chosen = dataclasses.replace(settings(tmp_path, kind), data=f"npy:{tmp_path / 'a.npy'}")
    with pytest.raises(UserError, match=f"conditional needs {lacks}, but npy:.* has none; choose another --data"):
        train(chosen, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_card_and_warnings_come_before_the_first_step(train, tmp_path, capsys):
    write_all(
        tmp_path,
        {
            "a.npz": npz(
                x_train=np.zeros((6, 8, 8), np.uint8),
                y_train=np.full(6, 3),
                x_test=np.zeros((2, 8, 8), np.uint8),
                y_test=[0, 1],
            )
        },
    )
    chosen = dataclasses.replace(settings(tmp_path, "labelled", steps=2), data=f"npz:{tmp_path / 'a.npz'}")
    train(chosen, tmp_path / "run")
    printed = capsys.readouterr().out
    lines = printed[: printed.index("training conditional")].splitlines()
    assert "6 images of 8x8x1, 4 classes of 0 to 6" in lines[0]
    assert lines[1] == "classes: 3 6"
    assert lines[2] == "values: 0 to 0, mean 0, std 0"
    warned = [line for line in lines if line.startswith("warning: ")]
    for said in ("all labels are equal (3)", "pixels reach only 0 of 255", "so it sees some of them twice"):
        assert any(said in line for line in warned), said
    for said in ("6 of 6 images are of one colour", "5 of 6 images are copies"):
        assert any(said in line for line in warned), said


def warned(image_set, batch_type=None, value_range=(-1.0, 1.0), images_per_step=1):
    return " | ".join(card.warnings(image_set, batch_type, value_range, images_per_step))


def test_a_healthy_set_has_no_warnings():
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 1), np.uint8)
    labels = np.arange(20, dtype=np.int32) % 2
    assert not warned(ImageSet("some", images, labels, ("a", "b")), conditional.Labelled)


def test_points_out_of_the_models_range_are_warned_of():
    points = ImageSet("points", np.array([[-2.0, 0.5], [1.0, 3.0]], np.float32))
    assert "values go from -2 to 3, but the model's only from -1 to 1; give --model.value-range None" in warned(points)
    assert not warned(points, value_range=None)


def test_classes_without_images_are_warned_of():
    images = np.random.default_rng(0).integers(0, 256, (4, 4, 4, 1), np.uint8)
    labelled = ImageSet("some", images, np.array([0, 0, 2, 2], np.int32), ("a", "b", "c"))
    assert "1 of 3 classes have no images (b)" in warned(labelled, conditional.Labelled)
    assert not warned(labelled)


def test_the_histogram_of_many_classes_is_short():
    labels = np.repeat(np.arange(50), np.arange(50) + 1).astype(np.int32)
    images = np.zeros((len(labels), 2, 2, 1), np.uint8)
    line = card.card(ImageSet("some", images, labels, tuple(f"class{i}" for i in range(50))), ImageOptions())[1]
    assert line.startswith("classes: class49 50, class48 49, ")
    assert line.endswith("and 39 more")


def test_the_card_says_what_is_done_to_the_pictures():
    image_set = ImageSet("some", np.zeros((2, 72, 72, 3), np.uint8))
    said = card.card(image_set, ImageOptions(size=64, crop="random", flip=True, channels=3))[-1]
    assert said == (
        "pictures are cut to the middle square and resized to 72x72 (lanczos), cut to a window that moves at random, "
        "half of them mirrored at random, made RGB"
    )
