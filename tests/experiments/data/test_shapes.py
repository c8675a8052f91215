"""Images that are no squares, and pairs of which one side holds label maps."""

import contextlib
import dataclasses
import json

import flax.linen as nn
import numpy as np
import pytest
from PIL import Image

from experiments import data
from experiments.command_line import cli
from experiments.command_line.errors import UserError
from experiments.data.card import card
from experiments.data.images import ImageSet, Window
from experiments.data.options import ImageOptions
from experiments.data.order import Position, choose
from experiments.runs import experiment, settings
from experiments.training import checks
from jaxgen.checks import require
from jaxgen.mode import EVALUATION
from tests.experiments import small_runs
from tests.experiments.pictures_on_disk import encoded, pixels, write_all

TALL, OTHER = encoded(pixels(24, 16)), encoded(pixels(30, 31, seed=1))


def test_a_size_is_a_side_or_a_height_and_a_width_on_the_command_line_and_in_config_json():
    for argv, size in ((["--size", "6"], 6), (["--size", "6", "10", "--flip"], (6, 10))):
        images = cli.parse(ImageOptions, ImageOptions(), argv, "train", "")
        assert images.size == size
        assert settings.from_json(json.loads(json.dumps(settings.to_json(images)))) == images
    for wrong in ((0, 4), (4, -1)):
        with pytest.raises(ValueError, match=r"--images\.size is \(.*\), but must be at least 1"):
            ImageOptions(size=wrong)


def test_options_of_an_earlier_version_are_read():
    earlier = {"type": "experiments.data.options:ImageOptions", "size": 64, "crop": "none", "resample": "box"}
    assert settings.from_json(earlier) == ImageOptions(size=64, crop="none", resample="box")


@pytest.mark.parametrize(
    ("options", "stored", "window"),
    [
        ({}, (6, 10), None),
        ({"crop": "none"}, (6, 10), None),
        ({"flip": True}, (6, 10), Window(6, 10, flips=True)),
        ({"pad": 2}, (6, 10), Window(10, 14, pad=2)),
        ({"crop": "random"}, (7, 11), Window(6, 10, moves=True)),
        ({"crop": "random", "pad": 2, "flip": True}, (6, 10), Window(6, 10, pad=2, moves=True, flips=True)),
    ],
)
def test_windows_of_images_that_are_no_squares(options, stored, window, tmp_path):
    write_all(tmp_path, {"a.png": TALL, "b.png": OTHER})
    image_set = data.load(f"folder:{tmp_path}", "all", images=ImageOptions(size=(6, 10), **options))
    assert (image_set.images.shape[1:3], image_set.window) == (stored, window)
    shape = stored if window is None else (window.height, window.width)
    assert image_set.image_shape == (*shape, 3)
    for step in range(5):
        choice = choose(0, Position(step, 2 * step, 2), 2)
        for image, index in zip(image_set.take(choice), choice.indices, strict=True):
            pad = window.pad if window else 0
            padded = np.pad(image_set.images[index], ((pad, pad), (pad, pad), (0, 0)), mode="edge")
            windows = np.lib.stride_tricks.sliding_window_view(padded, image.shape).reshape(-1, *image.shape)
            assert any(np.array_equal(one, turned) for one in windows for turned in (image, image[:, ::-1]))


def test_the_card_says_the_shape(tmp_path):
    write_all(tmp_path, {"a.png": TALL, "b.png": OTHER})
    for crop, says in (("centre", "cut to the middle part of these proportions and resized"), ("none", "squeezed")):
        images = ImageOptions(size=(6, 10), crop=crop)
        lines = card(data.load(f"folder:{tmp_path}", "all", images=images), images)
        assert lines[0].endswith("2 images of 6x10x3")
        assert f"pictures are {says} to 6x10 (lanczos)" in lines


@pytest.mark.exhaustive
def test_a_run_on_images_that_are_no_squares_trains_and_draws(tmp_path):
    images = ImageOptions(size=(6, 10), crop="random", flip=True)
    pictures = ("samples", "reconstructions", "codes")
    folder = small_runs.train("vae_digits", small_runs.WIDE, tmp_path, images=images, pictures=pictures)
    with Image.open(folder / "samples" / "step_000002.png") as drawn:
        assert drawn.width > drawn.height


class OnlySquares(nn.Module):
    """A network that does not take all shapes."""

    @nn.compact
    def __call__(self, x, output_shape, *, mode=EVALUATION):
        height, width, _ = output_shape
        require(height == width, "image shape", output_shape, "square")
        return nn.Dense(height * width)(x).reshape(len(x), *output_shape)


def test_a_network_of_squares_refuses_other_shapes_in_one_sentence_before_anything_is_compiled(tmp_path):
    images, model = ImageOptions(size=(6, 10)), dataclasses.replace(small_runs.WIDE, decoder=OnlySquares())
    with pytest.raises(UserError, match=r"^image shape is \(6, 10, 1\), but must be square$"):
        small_runs.train("vae_digits", model, tmp_path / "run", images=images)
    assert not (tmp_path / "run").exists()


OWN_SIZES = (
    "ali",
    "bicyclegan",
    "cogan",
    "context_encoder",
    "discogan",
    "dualgan",
    "partial_conv",
    "pix2pix",
    "progan",
    "stackgan_two",  # of the sketches of its stage I
    "stargan",
    "stylegan",
    "tp_gan",
)
"""Of networks that halve as often as their settings say; and a U-Net attends to maps of given heights."""

NAMES = [
    name
    for name in experiment.names()
    if len(experiment.load(name).model.image_shape) == 3 and not name.endswith("_published")
]


@pytest.mark.exhaustive
@pytest.mark.parametrize("shape", [(64, 48), (20, 36)])
@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_takes_images_that_are_no_squares_or_says_why_not(name, shape):
    chosen = dataclasses.replace(experiment.load(name), batch_size=64)  # which the test's devices divide
    num = getattr(chosen.model, "num_classes", 10) or 10
    rows, labels = np.zeros((64, *shape, chosen.model.image_shape[2]), np.uint8), np.arange(64, dtype=np.int32) % num
    texts = np.zeros((64, 1, getattr(chosen.model, "caption_length", 1)), np.uint8)
    others = {"targets": rows, "others": rows, "captions": texts, "num_captions": np.ones(64, np.uint32)}
    others["attributes"] = np.zeros((64, getattr(chosen.model, "num_attributes", 1)), np.uint8)
    image_set = ImageSet("set", rows, labels, tuple(map(str, range(num))), **others)
    halves = shape == (64, 48) and not hasattr(chosen.model, "denoiser") and not name.startswith(OWN_SIZES)
    refused = contextlib.nullcontext() if halves else contextlib.suppress(UserError)
    with refused:
        checks.check_model(checks.fit_to_data(chosen, image_set, name), image_set)


def test_settings_that_do_not_go_with_the_images_are_named():
    """A face of the usual template does not fit into the images."""
    rows = np.zeros((4, 20, 36, 1), np.uint8)
    images = ImageSet("set", rows, np.zeros(4, np.int32), ("a",), targets=rows)
    with pytest.raises(UserError, match=r"tp_gan_faces does not take set: template\.left_eye is .* inside of 20x36"):
        checks.fit_to_data(experiment.load("tp_gan_faces"), images, "tp_gan_faces")


MAP = np.zeros((24, 16), np.uint8)
MAP[:, 5:9], MAP[11:] = 1, 2
COLOURS = np.array([[10, 200, 30], [250, 0, 0], [0, 0, 240]], np.uint8)


def label_map():
    picture = Image.fromarray(MAP).convert("P")
    picture.putpalette(COLOURS.tobytes())
    return picture


def colours(rows):
    return {tuple(colour) for colour in np.asarray(rows[:]).reshape(-1, 3).tolist()}


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("crop", ["centre", "none", "random"])
@pytest.mark.parametrize("side", ["inputs", "targets"])
def test_label_maps_keep_their_colours_on_the_side_that_is_named(side, crop, swap, tmp_path):
    maps, photos = ("A", "B") if (side == "inputs") != swap else ("B", "A")
    for number in range(2):
        for folder in (maps, photos):
            (tmp_path / folder).mkdir(exist_ok=True)
        label_map().save(tmp_path / maps / f"{number}.png")
        write_all(tmp_path, {f"{photos}/{number}.png": TALL})
    images = ImageOptions(size=(7, 5), crop=crop, swap=swap, label_maps=side)
    pairs = data.load(f"pairs:{tmp_path}", "all", images=images)
    known = {tuple(colour) for colour in COLOURS.tolist()}
    held, others = (pairs.images, pairs.targets) if side == "inputs" else (pairs.targets, pairs.images)
    assert colours(held) == known
    assert not colours(others) <= known
    assert f"the {side} by the nearest pixel" in " ".join(card(pairs, images))


@pytest.mark.parametrize("crop", ["centre", "none"])
def test_inputs_and_targets_are_cut_alike(crop, tmp_path):
    write_all(tmp_path, {f"{side}/{name}.png": TALL for side in "AB" for name in "ab"})
    pairs = data.load(f"pairs:{tmp_path}", "all", images=ImageOptions(size=8, crop=crop))
    np.testing.assert_array_equal(pairs.images, pairs.targets)
