"""Pictures that a run draws of itself, and what a model must be able to do for them."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from experiments import data
from experiments.command_line.errors import UserError
from experiments.data import held_out
from experiments.models import abilities
from experiments.pictures import diagrams, figures, kinds, trajectories
from experiments.runs import restore
from experiments.runs.experiment import Experiment
from experiments.training import runner
from jaxgen import images
from jaxgen.diffusion import flow_matching
from jaxgen.gans import wgan_gp
from jaxgen.nets.mlp import MLP
from tests.experiments import small_runs
from tests.experiments.small_runs import DENOISER, GAN, PLANE, POINTS, SYMBOLS, WIDE

ALL = ("samples", "reconstructions", "codes", "code_grid")


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    """A conditional model with codes of two numbers that has drawn everything."""
    return small_runs.train("cvae_mnist", PLANE, tmp_path_factory.mktemp("plane") / "run", pictures=ALL)


@pytest.fixture(scope="module")
def test_set():
    return data.load("digits", "test")


def read(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.mark.exhaustive
def test_each_picture_has_its_folder_at_the_first_and_the_last_step(plane):
    for kind in ALL:
        assert sorted(path.name for path in (plane / kind).iterdir()) == ["step_000000.png", "step_000002.png"]
        assert not np.array_equal(*(read(plane / kind / f"step_00000{step}.png") for step in (0, 2)))


def test_samples_of_a_conditional_model_have_one_class_a_column(plane):
    """20 images of 10 classes: two rows, each column's class above it."""
    experiment, model, _, state = restore.newest(plane)
    key = jax.random.split(jax.random.key(0), 3)[2]
    draw = jax.jit(functools.partial(model.sample, experiment.model), static_argnums=2)
    drawn = draw(state, key, 20, jnp.arange(20, dtype=jnp.int32) % 10)
    grid = figures.grid(np.asarray(images.to_pixels(drawn, (0.0, 1.0))), 10)
    found = read(plane / "samples" / "step_000002.png")
    np.testing.assert_array_equal(found[-grid.shape[0] :], grid)
    assert found.shape[0] > grid.shape[0] and found.shape[1] == grid.shape[1] == 10 * 34 + 2


def test_reconstructions_show_held_out_images_above_what_is_decoded(plane, test_set):
    pixels, labels = held_out.spread(test_set, 10)
    experiment, model, _, state = restore.newest(plane)
    told = jnp.asarray(labels)

    @jax.jit
    def through(state, pixels):
        latents = model.to_latents(experiment.model, state, images.scale(pixels, (0.0, 1.0)), told)
        return images.to_pixels(model.from_latents(experiment.model, state, latents, told), (0.0, 1.0))

    decoded = through(state, pixels)
    found = read(plane / "reconstructions" / "step_000002.png")
    left = found.shape[1] - (8 * 34 + 2)
    for index in range(10):
        row, column = divmod(index, 8)
        for line, wanted in ((2 * row, pixels), (2 * row + 1, np.asarray(decoded))):
            top, start = 2 + 34 * line, left + 2 + 34 * column
            tile = found[top : top + 32 : 4, start : start + 32 : 4, 0]
            assert np.abs(tile.astype(int) - wanted[index, ..., 0]).max() <= 1
    assert (found[:, :left] < 128).any()


def test_the_grid_of_codes_has_a_block_for_each_class(plane):
    found = read(plane / "code_grid" / "step_000002.png")
    side = kinds.CLASS_GRID * 32
    assert found.shape[1] == 5 * (side + 8) + 8 and found.shape[0] > 2 * side


def test_codes_are_drawn_with_a_legend_of_the_classes(plane):
    found = read(plane / "codes" / "step_000002.png")
    assert found.shape == diagrams.scatter([diagrams.Group("named", np.zeros((1, 2)), "red")]).shape


def test_a_grid_runs_through_the_quantiles_of_the_prior(plane):
    """The middle of an odd grid is the image of latent 0; neighbours across differ in the first coordinate alone."""
    experiment, model, _, state = restore.newest(plane)
    found = kinds.code_grid(experiment.model, state, 3, label=4)
    assert found.shape == (96, 96, 3)
    latents = jnp.array([[-0.9674216, 0.9674216], [0.0, 0.0], [0.9674216, 0.0]])
    decode = jax.jit(functools.partial(model.from_latents, experiment.model))
    wanted = images.to_pixels(decode(state, latents, jnp.full(3, 4)), (0.0, 1.0))
    for tile, (row, column) in zip(np.asarray(wanted), ((0, 0), (1, 1), (1, 2)), strict=True):
        drawn = found[32 * row : 32 * row + 32 : 4, 32 * column : 32 * column + 32 : 4, 0]
        assert np.abs(drawn.astype(int) - tile[..., 0]).max() <= 1


def test_wide_codes_are_laid_on_their_principal_components():
    latents = np.random.default_rng(0).normal(size=(50, 5)).astype(np.float32) * [[5, 3, 1, 1, 1]]
    project, (across, upwards) = kinds.in_the_plane(latents.astype(np.float32))
    found = project(latents.astype(np.float32))
    assert found.shape == (50, 2) and found[:, 0].std() > found[:, 1].std() > 2
    share = 100 * found[:, 0].var() / latents.var(axis=0).sum()
    assert across == f"first principal component ({share:.1f}%)" and upwards.startswith("second")


@pytest.mark.parametrize("size", [1, 2])
def test_codes_that_fit_the_plane_are_taken_as_they_are(size):
    latents = np.random.default_rng(0).normal(size=(9, size)).astype(np.float32)
    project, axes = kinds.in_the_plane(latents)
    np.testing.assert_array_equal(project(latents)[:, :size], latents)
    assert project(latents).shape == (9, 2) and axes[0] == "z1"


def test_examples_are_spread_over_the_whole_set(test_set):
    pixels, labels = held_out.spread(test_set, 3)
    np.testing.assert_array_equal(pixels, test_set.batch([0, 148, 296]))
    np.testing.assert_array_equal(labels, test_set.labels[[0, 148, 296]])


@pytest.mark.parametrize(
    ("model", "kind", "message"),
    [
        (GAN, "reconstructions", "wgan_gp has no encoder to latent vectors"),
        (GAN, "codes", "wgan_gp has no encoder to latent vectors"),
        (GAN, "code_grid", "needs latent vectors of 2 numbers, but those of wgan_gp have 3"),
        (WIDE, "code_grid", "needs latent vectors of 2 numbers, but those of vae have 12"),
        (SYMBOLS, "codes", "vq_vae has no encoder to latent vectors"),
        (SYMBOLS, "code_grid", "vq_vae makes no image from a latent vector alone"),
        (dataclasses.replace(PLANE, image_shape=(5,)), "codes", r"cvae makes data of shape \(5,\)"),
    ],
)
def test_what_a_model_cannot_draw_is_refused_in_one_sentence_before_training(model, kind, message, tmp_path):
    experiment = Experiment(model=model, data="digits", pictures=("samples", kind))
    with pytest.raises(UserError, match=message) as error:
        kinds.check(experiment)
    assert f"--pictures samples {kind} cannot be drawn" in str(error.value)
    if model.image_shape == (8, 8, 1):
        with pytest.raises(UserError, match=message):
            runner.train("vae_digits", experiment, tmp_path / "run")
        assert not (tmp_path / "run").exists()


def test_every_model_draws_what_it_can():
    for model, names in ((GAN, ALL[:1]), (WIDE, ALL[:3]), (PLANE, ALL), (SYMBOLS, ALL[:2])):
        kinds.check(Experiment(model=model, data="digits", pictures=names))


def test_rows_in_chunks_are_the_rows_themselves():
    """Padding to whole chunks changes nothing and labels go with their rows."""
    seen = []

    def function(state, rows, labels):
        seen.append(rows.shape)
        return state * rows + labels[:, None]

    num = abilities.CHUNK + 3
    rows, labels = np.arange(2.0 * num).reshape(num, 2), np.arange(num)
    found = abilities._in_chunks(function, 10.0, rows, labels, conditional=True)
    np.testing.assert_array_equal(found, 10.0 * rows + labels[:, None])
    assert seen == [(abilities.CHUNK, 2)] * 2


def test_level_sets_are_drawn_of_models_with_a_critic_of_points(tmp_path):
    nets = {"generator": MLP((8,)), "critic": MLP((8,))}
    config = wgan_gp.Config(image_shape=(2,), value_range=None, latent_dim=3, critic_steps=1, **nets)
    chosen = Experiment(model=config, data="ring8", pictures=("level_sets",), num_samples=10)
    kinds.check(chosen)
    ring = data.load("ring8")
    draw = kinds.drawings(chosen, ring, jax.random.key(0))["level_sets"]
    drawn = draw(jax.jit(functools.partial(wgan_gp.init, config))(jax.random.key(0)))
    plain = kinds.points(np.zeros((1, 2)), np.asarray(ring.batch(np.arange(100))))
    low = list(bytes.fromhex(diagrams.LOW[1:]))
    background = (drawn == low).all(axis=2)
    assert drawn.dtype == np.uint8 and background.sum() > 100
    assert not (plain == low).all(axis=2).any()
    for refused, reason in ((GAN, "points in the plane"), (WIDE, "no discriminator or critic"), (POINTS, "no discr")):
        with pytest.raises(UserError, match=f"level_sets cannot be drawn: .*{reason}"):
            kinds.check(dataclasses.replace(chosen, model=refused))


def test_trajectories_are_drawn_of_models_of_points_that_have_them(monkeypatch):
    chosen = Experiment(model=POINTS, data="ring8", pictures=("trajectories",), num_samples=kinds.CURVES + 5)
    kinds.check(chosen)
    seen = {}
    monkeypatch.setattr(trajectories, "curves", lambda states, real: seen.update(states=states, real=real) or "picture")
    draw = kinds.drawings(chosen, data.load("ring8"), jax.random.key(0))["trajectories"]
    state = jax.jit(functools.partial(flow_matching.init, POINTS))(jax.random.key(0))
    assert draw(state) == "picture"
    assert seen["states"].shape == (4, kinds.CURVES, 2) and seen["real"].shape == (kinds.REAL_POINTS, 2)
    for refused, reason in ((DENOISER, "needs points in the plane"), (WIDE, "vae has no trajectory")):
        with pytest.raises(UserError, match=f"trajectories cannot be drawn: .*{reason}"):
            kinds.check(dataclasses.replace(chosen, model=refused))
