"""`experiments.evaluate` on runs of tiny models with random weights: nothing is trained but a small classifier."""

import json

import numpy as np
import pytest

from experiments import data, evaluate
from experiments.command_line.errors import FolderError, UserError
from experiments.data import toys
from experiments.evaluation import extractors, judging, measures, rows, sets, table
from experiments.evaluation.extractors import Cache, Extractor
from experiments.evaluation.rows import Cell, Row
from experiments.evaluation.sets import Examples, Real
from experiments.models import sampling
from jaxgen.gans import wgan_gp
from tests.experiments import small_runs
from tests.experiments.judged import evaluated

NUM = 60
FEW = ("--num-samples", str(NUM), "--num-halves", "2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluate")


@pytest.fixture(scope="module")
def gan(folder):
    return small_runs.save(small_runs.GAN, folder / "gan")


@pytest.fixture(scope="module")
def conditional(folder):
    return small_runs.save(small_runs.PLANE, folder / "conditional", seed=1)


@pytest.fixture(scope="module")
def found(folder, gan, conditional):
    """Every metric of a run beside another."""
    options = ("--against", str(conditional), "--extractor", "classifier", "pixels")
    return evaluated(gan, folder / "cache", *FEW, *options)


@pytest.fixture(scope="module")
def printed(found):
    return "\n".join(table.lines(found))


def row_of(found, metric, extractor=None, place=0):
    return [row for row in found["rows"] if row["metric"] == metric and row.get("extractor") == extractor][place]


@pytest.mark.exhaustive
def test_two_runs_stand_under_their_names_and_a_difference_that_is_not_shown_is_said(found):
    other = {**found, "against": {**found["against"], "experiment": "other"}}
    row = row_of(found, "two_sample", "classifier")
    head, first, second = table._table({**other, "rows": [{**row, "preferred": one} for one in ("against", "")]})
    assert head.endswith("  better") and "other [95 %]" in head and f"{found['experiment']} [95 %]" in head
    assert first.endswith("  other") and second.endswith("  no difference shown")


def test_every_metric_has_a_row_with_all_that_belongs_to_it_or_a_reason(found):
    assert {row["metric"] for row in found["rows"]} == {one.name for one in measures.all_of("digits")}
    assert (found["step"], found["seed"], found["data"], found["num_samples"]) == (2, 0, "digits", NUM)
    assert found["splits"] == {"reference": "train", "real": "test"}
    for row in found["rows"]:
        if "reason" in row:
            continue
        assert row["num_reference"] == 1_500
        assert row["resize"] == "none"
        assert row["interval"]
        assert (row.get("classifier_accuracy") is not None) == (row["extractor"] == "classifier")
        for name in ("samples", "against", "real"):
            cell = row[name]
            assert "reason" in cell or (cell["low"] <= cell["value"] <= cell["high"] and cell["num"] == NUM)
    assert "known modes" in row_of(found, "modes")["reason"]
    assert "too small for 5 scales" in row_of(found, "ms_ssim")["samples"]["reason"]


def test_distances_are_those_of_an_independent_formula(found, gan, conditional):
    train, test = (data.load("digits", split) for split in ("train", "test"))
    reference = train.batch(np.arange(1_500)).reshape(1_500, -1) / 255
    places = np.linspace(0, 296, NUM).astype(int)
    drawn = {name: sampling.draw(run, NUM, 0)[1] for name, run in (("samples", gan), ("against", conditional))}
    for name, images in {**drawn, "real": test.batch(places)}.items():
        candidates = images.reshape(NUM, -1) / 255
        means, covariances = zip(*((x.mean(0), np.cov(x.T)) for x in (reference, candidates)), strict=True)
        roots = np.sqrt(np.maximum(np.linalg.eigvals(covariances[0] @ covariances[1]).real, 0))
        distance = ((means[0] - means[1]) ** 2).sum() + np.trace(covariances[0] + covariances[1]) - 2 * roots.sum()
        assert row_of(found, "frechet", "pixels")[name]["value"] == pytest.approx(distance, rel=1e-3)
        apart = np.sqrt(((candidates[:, None] - reference[None]) ** 2).sum(2)).min(1).mean()
        assert row_of(found, "nearest")[name]["value"] == pytest.approx(apart, rel=1e-4)


def test_the_classifiers_rows_are_what_it_says_of_each_image(found, folder, gan, conditional):
    real = Real(data.load("digits"), data.load("digits", "test"))
    with pytest.MonkeyPatch.context() as patched:
        from tests.experiments.judged import TINY

        patched.setattr("experiments.evaluation.classifier.USUAL", TINY)
        judge = extractors.make("classifier", real, Cache(folder=folder / "cache"))
    assert found["classifier_accuracy"] == judge.accuracy
    assert judge.accuracy > 0.8
    _, samples = sampling.draw(conditional, NUM, 0)
    logits = judge.outputs(samples).logits
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    asked = np.arange(NUM) % 10
    row = row_of(found, "as_asked", "classifier")
    assert row["against"]["value"] == pytest.approx((logits.argmax(1) == asked).mean(), abs=1e-6)
    assert row["samples"]["reason"] == "the model is not told a class"
    assert row_of(found, "confidence", "classifier")["against"]["value"] == pytest.approx(
        (probabilities.max(1) >= 0.9).mean(), abs=1e-6
    )
    shares = np.bincount(logits.argmax(1), minlength=10) / NUM
    np.testing.assert_allclose(found["class_shares"]["against"], shares, atol=1e-4)
    train = np.asarray(found["class_shares"]["reference"])
    distance = row_of(found, "classes", "classifier")["against"]["value"]
    assert distance == pytest.approx(np.abs(train - shares).sum() / 2, abs=1e-3)


def test_random_weights_are_far_from_the_data_and_held_out_images_near(found):
    for metric in ("frechet", "kernel", "precision_recall", "two_sample"):
        row = row_of(found, metric, "pixels")
        good, bad = row["real"]["value"], row["samples"]["value"]
        assert good < bad if metric != "precision_recall" else good > bad


def test_a_person_sees_every_row_its_numbers_the_accuracy_and_the_reasons(found, printed):
    assert printed.startswith("vae_digits at step 2, seed 0: 60 samples")
    accuracy = f"classifier ({found['classifier_accuracy']:.1%} right)"
    assert printed.count(accuracy) == sum(row.get("extractor") == "classifier" for row in found["rows"])
    assert "60 / 60 : 1,500" in printed
    assert "not computed: modes covered and high quality: needs points around known modes" in printed
    assert "not computed: classified as asked of samples: the model is not told a class" in printed
    assert "against vae_digits in" in printed
    for row in found["rows"]:
        assert row["name"] in printed


def test_the_same_command_gives_the_same_numbers_and_another_seed_others(found, folder, gan):
    options = (*FEW, "--extractor", "pixels", "--metrics", "nearest", "kernel")
    for seed, same in ((0, True), (1, False)):
        again = evaluated(gan, folder / "cache", *options, "--seed", str(seed))
        for metric, extractor in (("nearest", None), ("kernel", "pixels")):
            rows = [row_of(one, metric, extractor)["samples"] for one in (found, again)]
            assert (rows[0]["value"] == rows[1]["value"]) == same
        assert {row["metric"] for row in again["rows"]} == {"nearest", "kernel"}
        assert again["class_shares"] == {}


def test_copies_of_training_images_are_found_and_held_out_ones_judged_as_the_floor(folder, gan, monkeypatch):
    def drawn(which):
        images = data.load("digits", which)
        return lambda run, num, seed, labels: sets.spread(images, num)

    options = (*FEW, "--extractor", "pixels", "--metrics", "nearest", "precision_recall", "kernel")
    monkeypatch.setattr(sets.Run, "draw", drawn("train"))
    copies = evaluated(gan, folder / "cache", *options)
    assert row_of(copies, "nearest")["samples"]["value"] == 0
    assert row_of(copies, "nearest")["real"]["value"] > 0.5
    monkeypatch.setattr(sets.Run, "draw", drawn("test"))
    for row in evaluated(gan, folder / "cache", *options)["rows"]:
        assert row["samples"] == row["real"]


def test_samples_are_cut_to_the_number_held_out_where_it_matters():
    apart = {"samples": Examples(np.zeros((9, 2), np.float32)), "real": Examples(np.zeros((5, 2), np.float32))}
    seen = []

    def compute(_reference, candidates, *_):
        seen.append(len(candidates))
        return (0.0,)

    real = sets.Real(data.load("ring8"), None)
    for by_num, equal, wanted in ((True, True, [5, 5]), (True, False, [9, 5]), (False, True, [9, 5])):
        seen.clear()
        measure = measures.Measure("m", ("m",), "modes", "lower", compute, by_num=by_num)
        rows.judge(measure, [], rows.Sets(real, apart, rows.Plan(num_halves=0, equal_num=equal)))
        assert seen == wanted


@pytest.fixture(scope="module")
def points(folder):
    config = wgan_gp.Config(
        image_shape=(2,), value_range=None, latent_dim=3, generator=small_runs.NET, critic=small_runs.NET
    )
    return small_runs.save(config, folder / "points", data="ring8")


def test_points_have_modes_and_say_what_they_lack(points, folder):
    found = evaluated(points, folder / "cache", *FEW, "--metrics", "modes", "confidence", "sliced_wasserstein")
    covered, quality = (row_of(found, "modes", None, place) for place in (0, 1))
    assert covered["real"]["value"] == 8
    assert quality["real"]["value"] > 0.9
    assert "needs --extractor classifier" in row_of(found, "confidence")["reason"]
    assert row_of(found, "sliced_wasserstein")["reason"] == "is of images, but the data are points"
    assert found["kind"] == "points"


@pytest.mark.parametrize("name", sorted(measures.MODES))
def test_modes_are_those_of_the_toy_data(name):
    candidates = Examples(data.load(name, "test").batch(np.arange(4_000)))
    covered, quality = measures.modes_of(name)(None, candidates, None, None)
    assert covered == {"ring8": 8, "grid25": 25}[name]
    assert quality == pytest.approx(1 - np.exp(-9 / 2), abs=0.006)
    assert set(measures.MODES) <= set(toys.TOYS)


def test_inception_features_are_those_of_the_file_named_and_the_resize_is_told(folder, gan, tmp_path, monkeypatch):
    class Network:
        def apply(self, weights, inputs):
            assert inputs.shape[1:] == (299, 299, 3)
            features = inputs[:, ::100, ::100].mean(axis=3).reshape(len(inputs), -1) * weights
            return {"2048": features, "logits_unbiased": features[:, :4]}

    monkeypatch.setattr("jaxgen.nets.inception.InceptionV3", Network)
    monkeypatch.setattr(
        "experiments.evaluation.inception.load", lambda path: {"weights.npz": np.float32(2.0)}[path.name]
    )
    monkeypatch.setattr(extractors, "INCEPTION_CHUNK", 5)
    options = ("--num-samples", "20", "--num-halves", "0", "--num-reference", "20", "--metrics", "kernel")
    file = f"inception:{tmp_path / 'weights.npz'}"
    found = evaluated(gan, folder / "cache", *options, "inception_score", "--extractor", file)
    for metric in ("kernel", "inception_score"):
        row = row_of(found, metric, "inception:weights.npz")
        assert row["resize"] == "299x299, TensorFlow 1 bilinear"
        assert np.isfinite(row["samples"]["value"]) and row["num_reference"] == 20
        assert "low" not in row["samples"]


def test_principal_components_are_fitted_to_real_training_images():
    real = Real(data.load("digits"), data.load("digits", "test"))
    found = extractors.make("pca", real, Cache())
    features = found.outputs(real.train.batch(np.arange(1_500))).features
    assert features.shape == (1_500, 64)
    np.testing.assert_allclose(features.mean(0), 0, atol=1e-3)
    assert (np.diff(features.var(0)) <= 1e-6).all()


def test_intervals_hold_the_true_value_about_as_often_as_they_say():
    """The kernel distance of shifted Gaussians, 40 times: 95 % are 38; below 32 has a probability of 0.0006."""
    measure = next(one for one in measures.all_of("digits") if one.name == "kernel")
    generator = np.random.default_rng(0)

    def points(num, shift):
        drawn = generator.normal(shift, size=(num, 2)).astype(np.float32)
        return Examples(drawn, features=drawn)

    reference = rows.Prepared(points(400, 0.0), 400)
    (true,) = rows.cells(measure, reference, points(8_000, 1.0), 0, 0)
    held, widths = 0, []
    for seed in range(40):
        (cell,) = rows.cells(measure, reference, points(100, 1.0), seed, 8)
        held += cell.low <= true.value <= cell.high
        widths.append(cell.high - cell.low)
    assert held >= 32
    assert np.mean(widths) < 2 * true.value


@pytest.mark.parametrize(
    ("better", "first", "second", "wanted"),
    [
        ("lower", (1, 0, 2), (5, 4, 6), "samples"),
        ("higher", (1, 0, 2), (5, 4, 6), "against"),
        ("higher", (1, 0, 4.5), (5, 4, 6), ""),
        ("half", (0.9, 0.8, 1), (0.6, 0.5, 0.7), "against"),
        ("real", (1, 0, 2), (5, 4, 6), "samples"),
    ],
)
def test_a_run_is_preferred_only_where_intervals_are_apart(better, first, second, wanted):
    cells = {"samples": Cell(*first), "against": Cell(*second), "real": Cell(2.5, 2, 3)}
    assert rows.better(Row("m", "m", better=better, cells=cells), "samples", "against") == wanted
    assert rows.better(Row("m", "m", better=better, cells={"samples": cells["samples"]}), "samples", "against") == ""


def test_what_cannot_be_written_is_told(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("experiments.runs.files.write", full)
    with pytest.raises(FolderError, match=r"evaluation\.json: No space left"):
        judging.write(tmp_path / "evaluation.json", {})


def never(*_, **__):
    raise AssertionError("drawn")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--metrics", "fid"], "--metrics 'fid' is unknown; there are: frechet, kernel"),
        (["--metrics", "frechett"], "--metrics 'frechett' is unknown; did you mean frechet?"),
        (["--extractor", "vgg"], "--extractor 'vgg' is unknown; there are: pixels, pca, classifier, inception:FILE"),
        (["--extractor", "pixels:3"], "--extractor 'pixels:3' is unknown; did you mean pixels?"),
        (["--extractor", "inception"], "--extractor inception needs its weights: inception:WEIGHTS.npz"),
        (["--extractor", "inception:nowhere.npz"], "nowhere.npz is no file: make it with"),
        (["--extractor", "inception:README.md"], "README.md cannot be read as arrays"),
        (["--against", "nowhere"], "nowhere is not the folder of a run"),
        (["--against", "POINTS"], "was trained on ring8 of 2, but"),
        (["--num-samples", str(10**15)], "--num-samples 1000000000000000 takes"),
    ],
)
def test_bad_input_gets_a_sentence_before_anything_is_drawn(options, sentence, gan, points, monkeypatch):
    monkeypatch.setattr(sets.Run, "draw", never)
    with pytest.raises(UserError) as error:
        evaluate.main([str(gan), *(part.replace("POINTS", str(points)) for part in options)])
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_classifier_is_refused_where_there_is_nothing_to_classify(points, monkeypatch):
    monkeypatch.setattr(sets.Run, "draw", never)
    for name, sentence in (("classifier", "holds points, no images"), ("inception:x.npz", "no grey or RGB images")):
        with pytest.raises(UserError, match=sentence):
            evaluate.main([str(points), "--extractor", name])


def test_data_elsewhere_are_read_from_there(gan, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(sets, "real", lambda experiment: seen.append(experiment.data_dir) or never())
    with pytest.raises(AssertionError, match="drawn"):
        evaluate.main([str(gan), "--data-dir", str(tmp_path)])
    assert seen == [tmp_path]


def test_usual_extractors_follow_the_data():
    digits_set = Real(data.load("digits"), data.load("digits", "test"))
    assert extractors.usual(digits_set) == ("classifier",)
    assert extractors.usual(Real(data.load("digits:3"), None)) == ("pca",)
    assert extractors.usual(Real(data.load("ring8"), None)) == ("pixels",)


def test_extractors_are_run_once_for_each_set():
    calls = []
    one = Extractor("one", lambda pixels: calls.append(len(pixels)) or extractors.Outputs(pixels, None))
    given = rows.Sets(Real(data.load("ring8"), None), {"samples": Examples(np.zeros((3, 2)))}, rows.Plan(10))
    for _ in range(2):
        given.seen(one, "samples"), given.seen(one, "reference")
    assert calls == [3, 10]


def test_json_says_all_that_the_table_says(found, gan):
    assert json.loads((gan / "evaluation.json").read_text())["format"] == judging.FORMAT
    assert found["extractors"][0].startswith("convolutional classifier, ")
