"""Runs that make images of images: distances to the targets, label maps, and what a model has to beat."""

import json

import jax
import numpy as np
import pytest
from scipy.linalg import sqrtm
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from experiments import evaluate
from experiments.command_line.errors import UserError
from experiments.data import bicubic
from experiments.data.options import ImageOptions
from experiments.evaluation import baselines, palettes, perceptual, sets, table
from experiments.reports import records, results
from experiments.runs import variables as stored
from jaxgen.batches import Inpainting, Paired
from jaxgen.nets.vgg19 import VGG19
from tests.experiments import conditional, enlarging, small_runs
from tests.experiments.models_of_tests import own_models  # noqa: F401
from tests.experiments.pictures_on_disk import encoded, pixels, write_all

PALETTE = np.array([[128, 64, 128], [0, 128, 192], [64, 0, 0]], np.uint8)


def blurred(seed, side=32):
    """Colours that a smaller picture can hold."""
    return bicubic.resize(pixels(6, 6, seed=seed), side, side)


def of_two(left, right):
    return encoded(np.concatenate([left, right], axis=1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eight training pairs of equal halves, three held out."""
    names = [(f"train/{seed}.png", seed) for seed in range(8)] + [(f"val/{seed}.png", seed) for seed in range(8, 11)]
    pictures = {name: of_two(blurred(seed), blurred(seed)) for name, seed in names}
    return write_all(tmp_path_factory.mktemp("pairs"), pictures)


def evaluated(run, *options):
    assert evaluate.main([str(run), *map(str, options)]) == 0
    return json.loads((run / "evaluation.json").read_text())


def value(found, metric, name="samples"):
    (row,) = [row for row in found["rows"] if row["metric"] == metric]
    return row[name]["value"]


@pytest.fixture
def enlarged(own_models, folder, tmp_path):  # noqa: F811
    model = enlarging.Config(input_shape=(16, 16, 3), image_shape=(32, 32, 3))
    images = ImageOptions(size=16, target_factor=2)
    return small_runs.save(model, tmp_path / "run", data=f"pairs:{folder}", images=images)


def test_enlargements_are_compared_as_the_literature_and_as_scikit_image_have_it(enlarged, capsys):
    found = evaluated(enlarged, "--metrics", "l1", "psnr", "ssim", "ms_ssim_target", "psnr_y", "ssim_y")
    assert [row["metric"] for row in found["rows"]] == ["l1", "psnr", "ssim", "ms_ssim_target", "psnr_y", "ssim_y"]
    assert found["num_samples"] == found["num_test"] == 3
    run = sets.run(enlarged, "newest")
    batch = run.given.batch(np.arange(3), Paired)
    made = batch.inputs.repeat(2, axis=1).repeat(2, axis=2)
    others = {"samples": made, "bicubic": np.stack([bicubic.resize(one, 32, 32) for one in batch.inputs])}
    for name, images in others.items():
        both = list(zip(batch.targets, images, strict=True))
        error = np.abs(images.astype(float) - batch.targets).mean() / 255
        np.testing.assert_allclose(value(found, "l1", name), error, rtol=1e-4)
        noise = np.mean([peak_signal_noise_ratio(a, b) for a, b in both])
        np.testing.assert_allclose(value(found, "psnr", name), noise, rtol=1e-4)
        window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        alike = np.mean([structural_similarity(a, b, channel_axis=2, data_range=255, **window) for a, b in both])
        np.testing.assert_allclose(value(found, "ssim", name), alike, atol=1e-3)
        of_y = [tuple(rgb2ycbcr(each)[2:-2, 2:-2, 0] for each in pair) for pair in both]
        noise = np.mean([peak_signal_noise_ratio(a, b, data_range=255) for a, b in of_y])
        np.testing.assert_allclose(value(found, "psnr_y", name), noise, rtol=1e-4)
        alike = np.mean([structural_similarity(a, b, data_range=255, **window) for a, b in of_y])
        np.testing.assert_allclose(value(found, "ssim_y", name), alike, atol=1e-3)
    train = np.stack([blurred(seed) for seed in range(8)]).mean(axis=0).round()
    np.testing.assert_allclose(value(found, "l1", "mean"), np.abs(train[None] - batch.targets).mean() / 255, rtol=1e-4)
    cell = found["rows"][0]["samples"]
    assert cell["low"] <= cell["value"] <= cell["high"] and found["rows"][0]["interval"] == "bootstrap of 1,000 draws"
    assert "mean training target [95 %]" in capsys.readouterr().out


def test_what_cannot_be_computed_has_its_reason(enlarged, monkeypatch):
    targets = sets.run(enlarged, "newest").given.batch(np.arange(3), Paired).targets
    monkeypatch.setattr(baselines, "enlarged", lambda *_: targets)
    found = evaluated(enlarged, "--metrics", "psnr", "l1")
    assert found["rows"][1]["bicubic"] == {"num": 3, "reason": "is infinite: an image is its target"}
    assert "PSNR in dB of bicubic: is infinite" in "\n".join(table.lines(found))
    assert value(found, "l1", "bicubic") == 0


def test_a_metric_of_pairs_is_unknown_to_other_runs(tmp_path):
    run = small_runs.save(small_runs.GAN, tmp_path / "run")
    with pytest.raises(UserError, match="--metrics 'l1' is unknown"):
        evaluate.main([str(run), "--metrics", "l1"])


def maps_of(seed, side=16):
    generator = np.random.default_rng(seed)
    numbers = np.minimum(generator.integers(0, 4, (side, side)), 2)  # the last one twice as often
    numbers[:4] = 0
    return numbers


def test_label_maps_count_by_their_nearest_colours_beside_the_most_frequent_label(own_models, tmp_path):  # noqa: F811
    pictures = {}
    for split, seeds in (("train", range(6)), ("val", range(6, 9))):
        for seed in seeds:
            wrong = (maps_of(seed) + (np.arange(16)[None] < 4)) % 3  # a quarter of the pixels
            pictures[f"{split}/{seed}.png"] = of_two(PALETTE[wrong], PALETTE[maps_of(seed)])
    write_all(tmp_path / "maps", pictures)
    model = enlarging.Config(input_shape=(16, 16, 3), image_shape=(16, 16, 3))
    images = ImageOptions(label_maps="targets")
    run = small_runs.save(model, tmp_path / "run", data=f"pairs:{tmp_path / 'maps'}", images=images)
    found = evaluated(run, "--metrics", "pixel_accuracy")
    assert found["rows"][0]["name"] == "pixels of the right of 3 labels"
    np.testing.assert_allclose([value(found, "pixel_accuracy", name) for name in ("samples", "identity")], 0.75)
    votes = np.stack([np.stack([maps_of(seed) == label for seed in range(6)]).sum(0) for label in (2, 0, 1)])
    usual = np.array([2, 0, 1])[votes.argmax(0)]
    held_out = np.mean([(maps_of(seed) == usual).mean() for seed in range(6, 9)])
    assert abs(value(found, "pixel_accuracy", "frequent") - held_out) < 0.06  # ties may fall otherwise


def test_a_palette_is_found_in_maps_with_the_noise_of_compression():
    generator = np.random.default_rng(0)
    numbers = generator.choice(3, size=(5, 20, 20), p=[0.6, 0.3, 0.1])
    noisy = np.clip(PALETTE[numbers].astype(int) + generator.integers(-6, 7, (5, 20, 20, 3)), 0, 255).astype(np.uint8)
    colours = palettes.palette(noisy)
    assert colours.shape == (3, 3) and np.abs(colours - PALETTE).max() < 8
    np.testing.assert_array_equal(palettes.classes(noisy, colours), numbers)
    np.testing.assert_array_equal(palettes.accuracy(noisy, PALETTE[numbers], colours), 1)


def test_samples_made_of_label_maps_are_read_back_by_the_run_of_the_other_direction(own_models, tmp_path):  # noqa: F811
    """Both runs copy their input: what is read back is the map itself, and of real photographs the maps they are."""
    pictures = {}
    for split, seeds in (("train", range(3)), ("val", range(3, 5))):
        for seed in seeds:
            photograph = (maps_of(seed) + (np.arange(16)[None] < 4)) % 3  # a map with a quarter of the pixels wrong
            pictures[f"{split}/{seed}.png"] = of_two(PALETTE[photograph], PALETTE[maps_of(seed)])
    data = f"pairs:{write_all(tmp_path / 'maps', pictures)}"
    model = enlarging.Config(input_shape=(16, 16, 3), image_shape=(16, 16, 3))
    there = ImageOptions(label_maps="inputs", swap=True)
    run = small_runs.save(model, tmp_path / "run", data=data, images=there)
    other = small_runs.save(model, tmp_path / "back", data=data, images=ImageOptions(label_maps="targets"))
    found = evaluated(run, "--metrics", "read_back", "--back", other)
    assert value(found, "read_back") == 1 and value(found, "read_back", "real") == 0.75
    with pytest.raises(UserError, match="is for a run from label maps"):
        evaluated(other, "--back", run)
    with pytest.raises(UserError, match="is no run from photographs of 16x16x3 to label maps"):
        evaluated(run, "--back", run)
    with pytest.raises(UserError, match="--metrics read_back needs --back"):
        evaluated(run, "--metrics", "read_back")


def test_the_perceptual_distance_is_that_of_unit_features_of_the_named_weights(tmp_path):
    net = VGG19(block=1, conv=1, channels=4)
    images, targets = (jax.random.uniform(jax.random.key(seed), (2, 16, 16, 3)) for seed in (0, 1))
    variables = net.init(jax.random.key(2), images)
    stored.save(tmp_path / "vgg.npz", variables)
    distance = perceptual.distance(tmp_path / "vgg.npz", net)
    maps = [np.asarray(net.apply(variables, 2 * each - 1), np.float64) for each in (images, targets)]
    unit = [each / (np.sqrt((each**2).sum(axis=3, keepdims=True)) + 1e-10) for each in maps]
    wanted = ((unit[0] - unit[1]) ** 2).sum(axis=3).mean(axis=(1, 2))
    np.testing.assert_allclose(distance(images, targets), wanted, rtol=1e-4)
    np.testing.assert_allclose(distance(images, images), 0, atol=1e-6)
    grey = images[..., :1]
    assert distance(grey, targets[..., :1]).shape == (2,)
    with pytest.raises(ValueError, match="images of 8x8 pixels are too small"):
        distance(images[:, :8, :8], targets[:, :8, :8])


def frechet(one, other):
    one, other = (each.reshape(len(each), -1) / 255 for each in (one, other))
    root = sqrtm(np.cov(one.T) @ np.cov(other.T)).real
    gap = ((one.mean(0) - other.mean(0)) ** 2).sum()
    return gap + np.trace(np.cov(one.T) + np.cov(other.T) - 2 * root)


def test_translations_are_compared_with_the_second_domain_beside_its_floor(own_models, tmp_path):  # noqa: F811
    """Domain a is darker than b; images are 2x2, so that the covariances have full rank."""
    a, b = ([pixels(2, 2, 1, seed=1000 * side + seed) // (2 - side) for seed in range(30)] for side in (0, 1))
    domains = {"trainA": a[:20], "testA": a[20:], "trainB": b[:20], "testB": b[20:]}
    write_all(
        tmp_path / "two",
        {f"{name}/{place:02d}.png": encoded(one) for name, part in domains.items() for place, one in enumerate(part)},
    )
    model = conditional.Config(image_shape=(2, 2, 1), kind="unpaired")
    run = small_runs.save(model, tmp_path / "run", data=f"unpaired:{tmp_path / 'two'}")
    found = evaluated(run, "--metrics", "frechet", "--extractor", "pixels", "--num-halves", "0")
    assert found["num_samples"] == 10 and found["num_train"] == 20 and found["num_test"] == 10
    for name, images in {"identity": a[20:], "real": b[20:]}.items():
        np.testing.assert_allclose(
            value(found, "frechet", name), frechet(np.stack(images), np.stack(b[:20])), rtol=1e-3
        )
    assert value(found, "frechet", "samples") > value(found, "frechet", "real")


def test_models_that_fill_holes_are_not_compared_with_their_inputs():
    class Config:
        batch_type, image_shape = Inpainting, (8, 8, 3)

    assert baselines.of_inputs(Config, np.zeros((2, 8, 8, 3), np.uint8)) == {}


def test_the_pages_of_results_show_the_baselines(enlarged):
    found = evaluated(enlarged, "--metrics", "l1", "psnr_y")
    kept = records._evaluation(found)
    record = {"seed": 0, "evaluation": kept}
    lines = "\n".join(results._evaluated([record]))
    assert "| metric | extractor | samples, seed 0 | bicubic | mean training target | real, held out |" in lines
    headline = results._headline([record])
    assert headline.startswith("PSNR in dB of the luminance") and "(bicubic " in headline
