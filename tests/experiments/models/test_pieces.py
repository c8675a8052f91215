"""No result depends on how much work is done at a time: one row for each place where work is done in pieces."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import data
from experiments.data import held_out
from experiments.data.images import ImageSet
from experiments.evaluation import extractors, likelihood, sets
from experiments.evaluation.extractors import Cache
from experiments.evaluation.sets import Real
from experiments.latents import sources, trained
from experiments.latents.sources import Words
from experiments.models import abilities, chunks, classes, conditions, sampling
from experiments.pictures import figures, kinds
from experiments.runs import restore, run_folder
from jaxgen.gans import infogan
from jaxgen.gans.codes import CodeSettings
from jaxgen.priors import Uniform
from tests.experiments import shaped, small_runs
from tests.experiments.models_of_tests import own_models  # noqa: F401
from tests.experiments.small_runs import GAN, NET, PLANE, SHAPE, SYMBOLS, WIDE

CODES = infogan.Config(
    image_shape=SHAPE,
    noise=Uniform(2),
    codes=CodeSettings(categorical=(7,), continuous=1),
    generator=NET,
    discriminator=NET,
)
MODELS = {"gan": GAN, "cvae": PLANE, "vae": WIDE, "vq_vae": SYMBOLS, "infogan": CODES}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder of each model's run."""
    return {name: small_runs.save(model, tmp_path_factory.mktemp(name)) for name, model in MODELS.items()}


def drawn(folder, indices, size):
    experiment, _, _, state = restore.at(folder, "newest")
    source = conditions.source(experiment)
    return np.concatenate(list(sampling.batches(experiment.model, state, indices, 3, source, size=size)))


def alike(one, other):
    """Pixels may differ by one level, where XLA rounds otherwise for a batch of another size."""
    assert one.shape == other.shape
    assert np.abs(one.astype(int) - other.astype(int)).max() <= 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["gan", "cvae", "vq_vae", "infogan"])
def test_sample_i_depends_on_the_seed_and_on_i(runs, name):
    """Across the border between two blocks of keys, whatever the batch, and whichever others are drawn."""
    indices = np.arange(sampling.BLOCK - 8, sampling.BLOCK + 8)
    whole = drawn(runs[name], indices, 16)
    alike(drawn(runs[name], indices, 5), whole)
    alike(drawn(runs[name], indices[[12, 1, 6]], 250), whole[[12, 1, 6]])
    assert len(np.unique(whole.reshape(16, -1), axis=0)) > 8


@pytest.mark.parametrize("name", ["gan", "cvae"])
def test_the_samples_are_those_of_earlier_versions(runs, name):
    """Which drew 250 images at a time from a key that was folded from the number of the piece."""
    experiment, model, _, state = restore.at(runs[name], "newest")
    sample = jax.jit(functools.partial(model.sample, experiment.model), static_argnums=2)
    pixels = jax.jit(lambda images: jnp.round((images - low) / (high - low) * 255))
    low, high = experiment.model.value_range
    earlier = pixels(sample(state, jax.random.fold_in(jax.random.key(3), 1), 250))
    alike(drawn(runs[name], np.arange(250, 500), 250), np.asarray(earlier))


def features(_, size):
    """Of images that an extractor sees."""
    pixels = np.random.default_rng(0).integers(0, 256, (20, *SHAPE), np.uint8)
    apply = jax.jit(lambda part: jnp.tanh(part.reshape(len(part), -1).astype(jnp.float32) / 255).sum(axis=1))
    return chunks.in_chunks(apply, pixels, size)


def evaluated(runs, size):
    """Samples and their classes, as `evaluate` and `--eval-every` have them."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sampling, "BATCH", size)
        found = sets.run(runs["cvae"], "newest").draw(23, 0)
    return np.concatenate([found.pixels.reshape(23, -1), np.asarray(found.labels)[:, None]], axis=1)


def latents(runs, size):
    """Those of `sample:3,251`, alone or among others."""
    words = [f"sample:{','.join(map(str, [3, 251, *range(size)]))}"]
    points, _ = sources.points(Words(trained.load(runs["infogan"])), words, 1)
    return points.latents[:2]


def coded(runs, size):
    """Codes of images, and what is decoded from them."""
    run = trained.load(runs["cvae"])
    pixels, labels = held_out.spread(run.held_out, 20)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(abilities, "CHUNK", size)
        codes = run.encode(pixels, labels)
        return np.concatenate([codes, run.decode(codes, labels).reshape(20, -1) / 255], axis=1)


def likelihoods(runs, size):
    """Bounds of each image."""
    experiment, model, _, state = restore.at(runs["vae"], "newest")
    options = likelihood.Options(num_images=10, num_latents=4, batch_size=size)
    found, means = likelihood.measure(model, experiment.model, state, data.load("digits", "test"), options)
    return np.concatenate([np.stack([*found.values()], axis=1), means], axis=1)


def pictures(runs, size):
    """The first images of a picture that a run draws of itself, of as many images or of more."""
    _, experiment = run_folder.read(runs["gan"])
    settings = {"num_samples": 4 + size, "pictures": ("samples",)}
    _, _, _, state = restore.at(runs["gan"], "newest")
    changed = small_runs._experiment(experiment.model, **settings)
    tiles = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(figures, "grid", lambda pixels, *_: tiles.append(pixels) or np.zeros((4, 4, 3), np.uint8))
        kinds.drawings(changed, data.load("digits"), jax.random.key(0))["samples"](state)
    return tiles[0][:4]


def components(_, size):
    """The pca features of images; the classifier's and the Inception's go the same way."""
    test = data.load("digits", "test")
    real = Real(data.load("digits"), test)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(chunks.in_chunks, "__defaults__", (size,))
        return extractors.make("pca", real, Cache()).outputs(np.asarray(test.batch(np.arange(20)))).features


PLACES = {
    "evaluate": evaluated,
    "latents": latents,
    "encode and decode": coded,
    "likelihood": likelihoods,
    "pictures of a run": pictures,
    "features": features,
    "pca": components,
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("place", PLACES)
def test_the_size_of_a_piece_is_not_felt(runs, place):
    few, many = (np.asarray(PLACES[place](runs, size), np.float64) for size in (3, 64))
    np.testing.assert_allclose(
        few, many, rtol=1e-4, atol=1.001 if place in ("evaluate", "pictures of a run") else 0.004
    )


@pytest.mark.parametrize("num_classes", [3, 7, 300])
def test_every_class_is_drawn_equally_often(num_classes):
    """300 classes and pieces of 250 left out 50 of them."""
    config = small_runs.PLANE.__class__(num_classes=num_classes)
    in_turn = classes.in_turn(config)
    assert in_turn is not None
    labels = in_turn(np.arange(4 * num_classes))
    np.testing.assert_array_equal(np.bincount(labels, minlength=num_classes), np.full(num_classes, 4))
    np.testing.assert_array_equal(labels, np.arange(4 * num_classes) % num_classes)


def test_classes_as_the_data_have_them_keep_their_shares_and_follow_the_seed():
    labels = np.repeat([0, 1, 2], [50, 1, 9])
    one, other = (classes.as_in_data(labels, seed)(np.arange(120)) for seed in (0, 1))
    for found in (one, other):
        np.testing.assert_array_equal(np.bincount(found), [100, 2, 18])
    assert (one != other).any()
    np.testing.assert_array_equal(classes.as_in_data(labels, 0)(np.array([7, 60, 119])), one[[7, 60, 119]])


@pytest.mark.parametrize(
    ("counts", "wanted", "shares"),
    [
        ((10, 10), None, "turn"),
        ((10, 14), None, "turn"),
        ((10, 16), None, "data"),
        ((0, 5), None, "data"),
        ((10, 10), "data", "data"),
        ((10, 90), "turn", "turn"),
    ],
)
def test_samples_are_compared_with_unequal_classes_as_often_as_the_data_have_them(counts, wanted, shares):
    labels = np.repeat([0, 1], counts).astype(np.int32)
    train = ImageSet("two", np.zeros((len(labels), *SHAPE), np.uint8), labels, ("a", "b"))
    config = small_runs.PLANE.__class__(num_classes=2)
    assert sets.shares_of(config, train, wanted) == shares
    drawn_labels = sets.labels_of(config, train, 0, wanted)
    assert drawn_labels is not None
    found = np.bincount(drawn_labels(np.arange(len(labels))), minlength=2)
    np.testing.assert_array_equal(found, counts if shares == "data" else [-(-sum(counts) // 2), sum(counts) // 2])
    assert sets.shares_of(GAN, train, None) is None and sets.labels_of(GAN, train, 0) is None


def test_a_models_own_sampler_and_latents_of_any_shape_are_no_exception(own_models, tmp_path):  # noqa: F811
    run = small_runs.save(shaped.Config(), tmp_path / "run")
    indices = np.arange(9)
    alike(drawn(run, indices, 2), drawn(run, indices, 9))
