import json
import os
import pathlib
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import make_moons, make_swiss_roll

from experiments import data, sample
from experiments import train as train_command
from experiments.command_line.errors import UserError
from experiments.data import captions, toys
from experiments.data.images import ImageSet
from experiments.data.options import ImageOptions, StorageOptions
from experiments.data.rows import LazyRows
from jaxgen.batches import Captioned, LabelledUnpaired, Paired, Unpaired
from tests.experiments.pictures_on_disk import encoded, npy, npz, pixels, write_all

SHARED = pathlib.Path(__file__).parents[4] / "shared" / "data"
PREPARED = SHARED / "tfds"


def test_digits_are_1797_real_scans_in_two_parts_that_share_none():
    train, test, every = (data.load("digits", split) for split in ("train", "test", "all"))
    assert (len(train), len(test), len(every)) == (1500, 297, 1797)
    assert train.image_shape == (8, 8, 1)
    assert train.images.dtype == np.uint8
    assert (every.images.min(), every.images.max()) == (0, 255)
    assert sorted(np.bincount(every.labels))[0] == 174  # the rarest digit of the UCI test set, the eight
    parts = np.concatenate([test.images, train.images])
    np.testing.assert_array_equal(parts, every.images)
    assert "1,500 images of 8x8x1, 10 classes of" in train.describe()


def test_a_set_without_labels_describes_itself():
    assert ImageSet("mine", np.zeros((3, 2, 4, 1), np.uint8)).describe() == "mine: 3 images of 2x4x1"


@pytest.mark.parametrize(
    ("name", "split", "message"),
    [
        ("digits", "validation", "digits has no split 'validation'; there are: train, test, all"),
        ("", "train", "--data is empty"),
        ("minst", "train", "no data set 'minst' is prepared in .*; point --data-dir"),
        ("ring8", "validation", "ring8 has no split 'validation'; there are: train, test, all"),
    ],
)
def test_unknown_data_get_one_sentence(name, split, message, tmp_path):
    with pytest.raises(UserError, match=message):
        data.load(name, split, tmp_path)


def test_one_class_of_digits():
    nines = data.load("digits:9", "all")
    assert len(nines) == 180 and nines.classes == ("9",) and not nines.labels.any()
    every = data.load("digits", "all")
    np.testing.assert_array_equal(nines.images, every.images[every.labels == 9])


class TestToys:
    """Moments of the published definitions."""

    def test_ring8_is_eight_gaussians_on_a_circle(self):
        points = data.load("ring8")
        assert points.images.shape == (50_000, 2) and points.images.dtype == np.float32
        centres = toys.ring8_centres()
        assert len(np.unique(centres.round(4), axis=0)) == 8
        np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 2 / 1.414)
        for mode, centre in enumerate(centres):
            mine = points.images[points.labels == mode]
            assert len(mine) == pytest.approx(50_000 / 8, abs=5 * np.sqrt(50_000 / 8))
            np.testing.assert_allclose(mine.mean(axis=0), centre, atol=1e-3)
            np.testing.assert_allclose(mine.std(axis=0), 0.02 / 1.414, rtol=0.05)

    def test_grid25_is_a_grid_of_25_gaussians(self):
        points, centres = data.load("grid25"), toys.grid25_centres()
        assert {tuple(centre) for centre in (centres * 2.828).round()} == {
            (x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)
        }
        deviations = points.images - centres[points.labels]
        np.testing.assert_allclose(deviations.std(axis=0), 0.05 / 2.828, rtol=0.02)

    def test_the_swiss_roll_is_scikit_learns_seen_from_above(self):
        points = data.load("swiss_roll").images
        wanted = make_swiss_roll(50_000, noise=0.25, random_state=0)[0][:, [0, 2]] / 7.5
        assert data.load("swiss_roll").labels is None
        for power in (1, 2):
            np.testing.assert_allclose((points**power).mean(axis=0), (wanted**power).mean(axis=0), atol=0.02)
        radii, wanted_radii = (
            np.quantile(np.linalg.norm(x, axis=1), np.linspace(0.05, 0.95, 19)) for x in (points, wanted)
        )
        np.testing.assert_allclose(radii, wanted_radii, atol=0.02)

    def test_the_two_moons_are_scikit_learns(self):
        points = data.load("two_moons")
        wanted, labels = make_moons(50_000, noise=0.05, random_state=0)
        for mode in (0, 1):
            mine, theirs = points.images[points.labels == mode], wanted[labels == mode]
            np.testing.assert_allclose(mine.mean(axis=0), theirs.mean(axis=0), atol=0.02)
            np.testing.assert_allclose(np.cov(mine.T), np.cov(theirs.T), atol=0.02)

    def test_rings_have_four_radii(self):
        points = data.load("rings")
        for mode in range(4):
            radii = np.linalg.norm(points.images[points.labels == mode], axis=1)
            assert radii.mean() == pytest.approx((mode + 1) / 4, abs=2e-3)
            assert radii.std() == pytest.approx(0.02, rel=0.05)

    def test_points_to_test_are_others_than_those_to_train(self):
        train, test, every = (data.load("ring8", split).images for split in ("train", "test", "all"))
        np.testing.assert_array_equal(np.concatenate([train, test]), every)
        assert len(np.unique(every, axis=0)) == len(every)


class TestFolders:
    def test_sub_folders_are_labels_and_hidden_files_and_others_are_left_out(self, tmp_path):
        files = {f"{name}/deep/{index}.png": encoded(pixels(seed=index)) for name in "ab" for index in range(3)}
        write_all(tmp_path, files | {".hidden.png": b"", "a/._x.png": b"", "notes.txt": "x", "empty/readme": "x"})
        found = data.load(f"folder:{tmp_path}", "all")
        assert (len(found), found.classes, found.labels.tolist()) == (6, ("a", "b"), [0, 0, 0, 1, 1, 1])
        np.testing.assert_array_equal(found.images[4], pixels(seed=1))

    def test_as_many_pictures_beside_sub_folders_as_in_them_have_no_labels(self, tmp_path):
        write_all(tmp_path, dict.fromkeys(("w.png", "x.png", "a/y.png", "b/z.png"), encoded()))
        found = data.load(f"folder:{tmp_path}", "all")
        assert (len(found), found.labels, found.classes) == (4, None, ())
        assert found.notes == ("no labels: 2 pictures lie beside the folders a, b",)

    def test_a_single_sub_folder_is_no_label(self, tmp_path):
        write_all(tmp_path, {"images/x.png": encoded(), "images/y.png": encoded()})
        assert data.load(f"folder:{tmp_path}", "all").labels is None

    def test_folders_train_and_val_are_splits_with_the_same_classes(self, tmp_path):
        names = ("train/a/1", "train/b/2", "train/c/3", "val/c/4")
        write_all(tmp_path, {f"{name}.png": encoded(pixels(seed=int(name[-1]))) for name in names})
        train, test, every = (data.load(f"folder:{tmp_path}", split) for split in ("train", "test", "all"))
        assert (len(train), len(test), len(every)) == (3, 1, 4)
        assert train.classes == test.classes == every.classes == ("a", "b", "c")
        assert (test.labels.tolist(), every.labels.tolist()) == ([2], [0, 1, 2, 2])
        np.testing.assert_array_equal(test.images[0], pixels(seed=4))

    def test_a_tenth_is_held_out_where_there_is_no_split(self, tmp_path):
        write_all(tmp_path, {f"{index:02}.png": encoded(pixels(seed=index)) for index in range(21)})
        train, test, every = (data.load(f"folder:{tmp_path}", split).images for split in ("train", "test", "all"))
        assert (len(train), len(test), len(every)) == (18, 3, 21)
        both = np.concatenate([train, test]).reshape(21, -1)
        np.testing.assert_array_equal(np.unique(both, axis=0), np.unique(every.reshape(21, -1), axis=0))

    def test_paths_may_hold_any_letters_and_spaces(self, tmp_path):
        folder = tmp_path / "Bilder für Åsa, 写真 (1)"
        write_all(folder, {"ein Bild #1 %20.png": encoded(), "другое.png": encoded(), "a:b.png": encoded()})
        assert len(data.load(f"folder:{folder}", "all")) == 3

    def test_a_file_name_that_is_no_unicode_can_be_read_and_named(self, tmp_path):
        (pathlib.Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))).write_bytes(encoded())
        assert len(data.load(f"folder:{tmp_path}", "all")) == 1

    def test_large_pictures_are_reduced_alike_from_jpeg_and_png(self, tmp_path):
        smooth = np.add.outer(np.arange(640), np.arange(800))[..., None] * np.array([0.1, 0.15, 0.05]) + 10
        options = ImageOptions(size=16)
        images = []
        for kind in ("JPEG", "PNG"):
            write_all(tmp_path / kind, {"a.x.png": encoded(smooth.astype(np.uint8), kind)})
            images.append(data.load(f"folder:{tmp_path / kind}", "all", images=options).images.astype(int))
        assert images[0].shape == (1, 16, 16, 3)
        assert np.abs(images[0] - images[1]).max() <= 2


class TestPairs:
    @pytest.fixture
    def sides(self):
        return [{f"{i}.png": pixels(8, 8, 3, 10 * side + i) for i in range(12)} for side in range(2)]

    def check(self, found, sides, names):
        for side, rows in zip(sides, (found.images, found.targets), strict=True):
            np.testing.assert_array_equal(rows[np.arange(len(rows))], [side[name] for name in names])

    @pytest.mark.parametrize("swap", [False, True])
    def test_side_by_side_in_one_picture(self, sides, swap, tmp_path):
        joined = {name: encoded(np.concatenate([sides[0][name], sides[1][name]], axis=1)) for name in sides[0]}
        write_all(tmp_path, joined)
        found = data.load(f"pairs:{tmp_path}", "all", images=ImageOptions(swap=swap))
        self.check(found, sides[::-1] if swap else sides, sorted(joined))
        assert "12 pairs of images of 8x8x3" in found.describe()

    @pytest.mark.parametrize(
        ("a", "b"),
        [("A", "B"), ("input", "target"), ("trainA", "trainB"), ("train/a", "train/b"), ("a/train", "b/train")],
    )
    def test_in_two_folders_by_name(self, sides, a, b, tmp_path):
        for folder, side in zip((a, b), sides, strict=True):
            write_all(tmp_path / folder, {name: encoded(image) for name, image in side.items()})
        if "/" in a:
            test_a, test_b = (folder.replace("train", "test") for folder in (a, b))
            for folder, side in zip((test_a, test_b), sides, strict=True):
                write_all(tmp_path / folder, {"3.png": encoded(side["3.png"])})
            self.check(data.load(f"pairs:{tmp_path}", "test"), sides, ["3.png"])
        if "train" in a:
            self.check(data.load(f"pairs:{tmp_path}", "train"), sides, sorted(sides[0]))
        else:
            self.check(data.load(f"pairs:{tmp_path}", "all"), sides, sorted(sides[0]))
            train, test = (data.load(f"pairs:{tmp_path}", split) for split in ("train", "test"))
            assert (len(train), len(test)) == (10, 2)


class TestUnpaired:
    def test_two_folders_of_different_lengths(self, tmp_path):
        for name, num in (("A", 4), ("B", 7)):
            write_all(tmp_path / name, {f"{i}.png": encoded(pixels(seed=i)) for i in range(num)})
        found = data.load(f"unpaired:{tmp_path / 'A'},{tmp_path / 'B'}", "all")
        assert (len(found), len(found.others)) == (4, 7)
        a, b = found.batch([3, 0], Unpaired)
        np.testing.assert_array_equal(a[0], b[0])
        assert "4 images of 8x8x3, and 7 of a second domain" in found.describe()

    def test_a_folder_with_a_comma_in_its_name(self, tmp_path):
        for name in ("A, too", "B"):
            write_all(tmp_path / name, {"a.png": encoded(), "b.png": encoded()})
        assert len(data.load(f"unpaired:{tmp_path / 'A, too'},{tmp_path / 'B'}", "all")) == 2

    def test_two_sets_by_name(self):
        found = data.load("unpaired:digits:1,digits:2")
        assert found.image_shape == (8, 8, 1) and found.others is not None

    def test_labels_are_those_of_the_first_domain(self):
        found, digits = data.load("unpaired:digits,digits:2"), data.load("digits")
        a, labels, b = found.batch([5, 9], LabelledUnpaired)
        np.testing.assert_array_equal(a, digits.batch([5, 9]))
        np.testing.assert_array_equal(labels, digits.labels[[5, 9]])
        assert found.classes == digits.classes and b.shape == a.shape


CAPTION_FORMS = {
    "captions.txt": lambda rows: "image,caption\n" + "".join(f'{name},"{text}"\n' for name, text in rows),
    "captions.csv": lambda rows: "".join(f"{name},{text}\n" for name, text in rows),
    "Flickr8k.token.txt": lambda rows: "".join(f"{name}#{i % 2}\t{text}\n" for i, (name, text) in enumerate(rows)),
    "results.csv": lambda rows: (
        "image_name| comment_number| comment\n"
        + "".join(f"{name}| {i % 2}| {text}\n" for i, (name, text) in enumerate(rows))
    ),
    "captions.json": lambda rows: json.dumps({name: [text for one, text in rows if one == name] for name, _ in rows}),
    "metadata.jsonl": lambda rows: "\n".join(json.dumps({"file_name": name, "text": text}) for name, text in rows),
    "list/captions.json": lambda rows: json.dumps([{"file": name, "caption": text} for name, text in rows]),
    "coco/captions.json": lambda rows: json.dumps(
        {
            "images": [{"id": name, "file_name": name} for name, _ in rows],
            "annotations": [{"image_id": name, "caption": text} for name, text in rows],
        }
    ),
}


class TestCaptions:
    NAMES = ("a.png", "b.png", "c.png")
    WANTED = (["a dog, brown", "it runs"], ["two cats", "über uns"], ["a hat", "it is red"])

    def rows(self):
        return [(name, text) for name, texts in zip(self.NAMES, self.WANTED, strict=True) for text in texts]

    def check(self, folder):
        found = data.load(f"captions:{folder}", "all")
        assert found.num_captions.tolist() == [2, 2, 2]
        texts = [[captions.decoded(caption) for caption in some] for some in found.captions]
        assert texts == list(self.WANTED)
        assert "3 images of 8x8x3, 6 captions" in found.describe()
        assert found.batch([2], Captioned).captions.shape == (1, 128)

    @pytest.mark.parametrize("form", CAPTION_FORMS)
    def test_every_form_of_a_table_is_read(self, form, tmp_path):
        folder = tmp_path / pathlib.PurePath(form).parent
        write_all(folder, dict.fromkeys(self.NAMES, encoded()))
        write_all(tmp_path, {form: CAPTION_FORMS[form](self.rows())})
        self.check(folder)

    def test_text_files_beside_the_pictures(self, tmp_path):
        texts = {
            name.replace("png", "txt"): "\n".join(some) for name, some in zip(self.NAMES, self.WANTED, strict=True)
        }
        write_all(tmp_path, dict.fromkeys(self.NAMES, encoded()) | texts)
        self.check(tmp_path)

    def test_long_captions_are_cut_between_characters(self):
        cut, counts = captions.encoded([["ää", "abc"], ["x"]], 3)
        assert captions.decoded(cut[0, 0]) == "ä" and captions.decoded(cut[0, 1]) == "abc"
        assert (cut.shape, counts.tolist()) == ((2, 2, 3), [2, 1])


class TestArrays:
    IMAGES = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), np.uint8)

    @pytest.mark.parametrize(
        "given",
        [
            IMAGES,
            IMAGES[..., 0],
            IMAGES.reshape(20, 64),
            IMAGES.astype(np.int64),
            IMAGES.astype(np.float64),
            (IMAGES / 255).astype(np.float32),
            (IMAGES / 127.5 - 1).astype(np.float32),
            np.asfortranarray(IMAGES),
        ],
    )
    def test_every_form_of_an_array_gives_the_same_images(self, given, tmp_path):
        write_all(tmp_path, {"a.npy": npy(given)})
        found = data.load(f"npy:{tmp_path}/a.npy", "all").images
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, self.IMAGES)

    def test_true_and_false_are_white_and_black(self, tmp_path):
        write_all(tmp_path, {"a.npy": npy(self.IMAGES > 100)})
        np.testing.assert_array_equal(data.load(f"npy:{tmp_path}/a.npy", "all").images, (self.IMAGES > 100) * 255)

    def test_rows_of_few_floats_are_points(self, tmp_path):
        points = np.random.default_rng(0).normal(size=(20, 3))
        write_all(tmp_path, {"a.npy": npy(points)})
        found = data.load(f"npy:{tmp_path}/a.npy", "all")
        assert found.image_shape == (3,) and found.images.dtype == np.float32
        np.testing.assert_allclose(found.images, points, rtol=1e-6)

    @pytest.mark.parametrize(
        "names",
        [
            ("x_train", "y_train", "x_test", "y_test"),
            ("train", "train_labels", "test", "test_labels"),
            ("train", "train_labels", "valid", "valid_labels"),
        ],
    )
    def test_splits_and_labels_of_an_npz(self, names, tmp_path):
        labels = np.arange(20) % 3
        arrays = dict(zip(names, (self.IMAGES[:15], labels[:15], self.IMAGES[15:], labels[15:]), strict=True))
        write_all(tmp_path, {"a.npz": npz(**arrays)})
        train, test, every = (data.load(f"npz:{tmp_path}/a.npz", split) for split in ("train", "test", "all"))
        assert (len(train), len(test), len(every)) == (15, 5, 20)
        assert test.labels.tolist() == labels[15:].tolist() and test.classes == ("0", "1", "2")
        np.testing.assert_array_equal(every.images, self.IMAGES)

    def test_an_npz_of_x_and_y_holds_a_tenth_out(self, tmp_path):
        write_all(tmp_path, {"a.npz": npz(x=self.IMAGES, y=np.array(["cat", "dog"] * 10))})
        train, test = (data.load(f"npz:{tmp_path}/a.npz", split) for split in ("train", "test"))
        assert (len(train), len(test), train.classes) == (18, 2, ("cat", "dog"))

    def test_a_category_of_quick_draw_is_found_in_the_data_folder(self, tmp_path):
        write_all(
            tmp_path,
            {"full_numpy_bitmap_sheep.npy": npy(self.IMAGES.reshape(20, 64)), "quickdraw/cat.npy": npy(self.IMAGES)},
        )
        for name in ("quickdraw:sheep", "quickdraw:cat"):
            found = data.load(name, "all", tmp_path)
            assert found.name == name
            np.testing.assert_array_equal(found.images, self.IMAGES)


@pytest.mark.parametrize("size", [8, 12])
def test_images_are_the_same_in_memory_and_read_as_needed(size, tmp_path):
    write_all(tmp_path, {f"{index:02}.png": encoded(pixels(9, 12, 3, index)) for index in range(30)})
    kept, lazy = (
        data.load(f"folder:{tmp_path}", images=ImageOptions(size=size), storage=StorageOptions(host_bytes=host_bytes))
        for host_bytes in (2**30, 0)
    )
    assert isinstance(kept.images, np.ndarray) and isinstance(lazy.images, LazyRows)
    np.testing.assert_array_equal(lazy.images[np.arange(27)], kept.images)
    assert lazy.describe() == kept.describe()


@pytest.mark.skipif(not PREPARED.exists(), reason="no prepared data sets lie beside the project")
class TestPrepared:
    @pytest.mark.parametrize(
        ("name", "split", "num", "shape", "classes"),
        [
            ("mnist", "test", 10_000, (28, 28, 1), 10),
            ("fashion_mnist", "test", 10_000, (28, 28, 1), 10),
            ("cifar10:cat", "test", 1_000, (32, 32, 3), 1),
            ("cifar10_exact4k", "all", 4_000, (32, 32, 3), 10),
            ("cifar100", "test", 100, (32, 32, 3), 100),
            ("cifar100:bicycle", "train", 500, (32, 32, 3), 1),
            ("cifar100:bicycle:40", "train", 40, (32, 32, 3), 1),
            ("cifar100:bicycle:40", "test", 100, (32, 32, 3), 1),
            ("mnist:3", "test", 1_010, (28, 28, 1), 1),
            ("quickdraw:cat", "all", 1_000, (28, 28, 1), 1),
            ("quickdraw_bitmap", "test", 200, (28, 28, 1), 345),
            ("tiny_imagenet_subset", "test", 800, (64, 64, 3), 16),
            ("tiny_imagenet_subset:School Bus", "validation", 50, (64, 64, 3), 1),
        ],
    )
    def test_sets_of_tensorflow_datasets_load_without_tensorflow(self, name, split, num, shape, classes):
        image_set = data.load(name, split, PREPARED)
        assert image_set.images.shape == (num, *shape)
        assert len(image_set.classes) == classes
        assert "tensorflow" not in sys.modules

    @pytest.mark.parametrize(
        ("ending", "message"),
        [("501", "500 training images of 'bicycle', fewer than 501"), ("few", "must end in a number of training")],
    )
    def test_a_number_of_training_images_that_cannot_be_is_refused(self, ending, message):
        with pytest.raises(UserError, match=message):
            data.load(f"cifar100:bicycle:{ending}", "train", PREPARED)

    @pytest.mark.parametrize("name", ["mnist", "tiny_imagenet_subset"])
    def test_images_are_those_that_tensorflow_datasets_gives(self, name):
        import tensorflow_datasets as tfds

        (folder,) = (PREPARED / name).iterdir()
        split = "test" if name == "mnist" else "validation"
        source = tfds.builder_from_directory(str(folder)).as_data_source(split)
        found = data.load(name, split, PREPARED)
        for index in range(0, len(found), 97):
            example = source[index]
            np.testing.assert_array_equal(found.images[index], example["image"])
            assert found.labels[index] == example["label"]

    def test_mnist_has_the_label_counts_of_the_official_files(self):
        labels = data.load("mnist", "test", PREPARED).labels
        assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]

    @pytest.mark.parametrize("host_bytes", [2**30, 0])
    def test_orange2lemon_is_two_domains(self, host_bytes):
        storage = StorageOptions(host_bytes=host_bytes)
        train, test = (data.load("orange2lemon", split, PREPARED, storage=storage) for split in ("train", "test"))
        assert (len(train), len(train.others), len(test), len(test.others)) == (500, 500, 50, 50)
        assert train.image_shape == (64, 64, 3) and train.labels is None
        oranges, lemons = train.batch(np.arange(100), Unpaired)
        green = [domain[:, 24:40, 24:40, 1].mean() for domain in (oranges, lemons)]  # what is yellow has more of it
        assert green[1] > green[0] + 20

    def test_photos_with_captions(self):
        found = data.load("flickr8k_subset", "validation", PREPARED, ImageOptions(size=32))
        assert found.images.shape == (50, 32, 32, 3)
        assert found.num_captions.tolist() == [5] * 50
        assert all(captions.decoded(caption).endswith(".") for caption in found.captions[0])

    @pytest.mark.parametrize(
        ("name", "split", "message"),
        [
            ("mnist", "validation", "mnist has no split 'validation'; there are: test, train|train, test"),
            ("flickr8k_subset", "train", "mixes image sizes"),
            ("nothing", "train", r"there are: .*mnist"),
        ],
    )
    def test_what_cannot_be_used_gets_one_sentence(self, name, split, message):
        with pytest.raises(UserError, match=message):
            data.load(name, split, PREPARED)

    def test_the_environment_can_name_the_folder(self, monkeypatch):
        monkeypatch.setenv("TFDS_DATA_DIR", str(PREPARED))
        assert len(data.load("cifar100", "test")) == 100

    def test_street_photos_and_their_label_maps(self):
        train, test = (
            data.load(f"pairs:{SHARED / 'camvid_pix2pix'}", split, images=ImageOptions(size=64))
            for split in ("train", "test")
        )
        assert (len(train), len(test), train.image_shape) == (184, 26, (64, 64, 3))
        photos, label_maps = test.batch(np.arange(26), Paired)
        photos, label_maps = (np.ptp(images.astype(int), axis=-1).mean() for images in (photos, label_maps))
        assert label_maps > 2 * photos  # bright colours beside grey streets

    def test_drawings_of_sheep(self):
        found = data.load(f"npz:{SHARED / 'sheep' / 'aaron_sheep_bitmap28.npz'}")
        assert (found.images.shape, found.labels) == ((7400, 28, 28, 1), None)

    def test_a_training_on_a_prepared_set_with_every_image_option(self, tmp_path, capsys):
        options = ["--images.size", "8", "--images.crop", "random", "--images.flip", "--images.channels", "1"]
        small = ["--model.generator.features", "8", "--model.critic.features", "8", "--batch-size", "8"]
        run = ["--steps", "2", "--steps-per-call", "2", "--num-samples", "4", "--out", str(tmp_path / "run")]
        where = ["--data", "cifar100:bicycle", "--data-dir", str(PREPARED)]
        assert train_command.main(["wgan_gp_digits", *where, *options, *small, *run]) == 0
        printed = capsys.readouterr().out
        assert "cifar100:bicycle: 500 images of 8x8x1" in printed
        assert "resized to 9x9 (lanczos), cut to a window that moves at random" in printed


@pytest.mark.exhaustive
def test_a_training_on_points_draws_them(tmp_path, capsys):
    small = [
        "--model.generator.features",
        "8",
        "--model.critic.features",
        "8",
        "--batch-size",
        "4",
        "--num-samples",
        "9",
    ]
    run = ["--steps", "2", "--steps-per-call", "2", "--out", str(tmp_path / "run")]
    assert train_command.main(["wgan_gp_digits", "--data", "ring8", "--model.value-range", "None", *small, *run]) == 0
    assert "ring8: 50,000 points of 2, 8 classes" in capsys.readouterr().out
    assert sample.main([str(tmp_path / "run"), "--num", "9", "--out", str(tmp_path / "drawn.png")]) == 0
    for path in (tmp_path / "run" / "samples" / "step_000002.png", tmp_path / "drawn.png"):
        assert (np.asarray(Image.open(path)) != 255).any()
