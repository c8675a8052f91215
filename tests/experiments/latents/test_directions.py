"""Sliders along directions that are found in runs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from experiments import data, latents
from experiments.command_line.errors import UserError
from experiments.latents import first_layer, trained
from experiments.latents.styled import Styled
from jaxgen.latents import directions
from tests.experiments import small_runs
from tests.experiments.latents.test_latents import arrays, draw, near, tile


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    models = {
        "gan": small_runs.GAN,
        "vae": small_runs.WIDE,
        "cvae": small_runs.PLANE,
        "styled": small_runs.STYLED,
        "denoiser": small_runs.DENOISER,
    }
    return {name: small_runs.save(model, folder / name) for name, model in models.items()}


def kernel(run):
    """Of the first layer of the generator or decoder, (latent, features)."""
    state = run.state.ema if hasattr(run.state, "ema") else run.state.autoencoder.params
    (found,) = (
        leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(state)
        if "kernel" in str(path[-1]) and leaf.shape == (run.latent_dim, 8)
    )
    return np.asarray(found)


def test_means_lead_from_group_to_group(folders, tmp_path, capsys):
    options = ["--method", "means", "--plus", 3, "--minus", 5, "--images", "5", "--reach", 1, "--columns", 3]
    found = draw(folders["vae"], "directions", tmp_path / "d.png", *options)
    test, run = data.load("digits", "test"), trained.load(folders["vae"])
    codes = run.encode(test.batch(np.arange(297)))
    way = codes[test.labels == 3].mean(0) - codes[test.labels == 5].mean(0)
    np.testing.assert_allclose(arrays(tmp_path / "d.npz")["latents"][0], way, atol=1e-4)
    (start,) = codes[np.flatnonzero(test.labels == 5)[:1]]
    for column, strength in enumerate((-1, 0, 1)):
        assert near(tile(found, 0, column, 1, 3), run.decode((start + strength * way)[None])[0])
    assert "latents of --plus" in capsys.readouterr().out


def test_a_plane_says_how_well_it_divides(folders, tmp_path, capsys):
    groups = ["--plus", "sample:0,1,2,3", "--minus", "sample:4,5,6,7"]
    draw(folders["gan"], "directions", tmp_path / "d.png", "--method", "plane", *groups, "--columns", 2)
    drawn = trained.load(folders["gan"]).draw(np.arange(8), 0)
    wanted = np.asarray(directions.logistic_normal(jnp.asarray(drawn), jnp.arange(8) < 4))
    (axis,) = arrays(tmp_path / "d.npz")["latents"]
    np.testing.assert_allclose(axis, wanted * (drawn @ wanted).std(), atol=1e-3)
    assert "a plane across the direction divides" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["gan", "vae"])
def test_sefa_takes_the_matrix_of_the_first_layer(name, folders, tmp_path):
    run = trained.load(folders[name])
    matrix = kernel(run).T
    np.testing.assert_allclose(first_layer.matrix(run, run.draw(np.arange(1), 0), None), matrix, atol=1e-4)
    draw(folders[name], "directions", tmp_path / "d.png", "--method", "sefa", "--num", 2, "--columns", 3)
    axes = arrays(tmp_path / "d.npz")["latents"]
    wanted = np.asarray(directions.sefa(jnp.asarray(matrix), 2).axes)
    np.testing.assert_allclose(axes / np.linalg.norm(axes, axis=1, keepdims=True), wanted, atol=1e-3)


def test_sefa_of_a_model_that_is_told_classes_moves_the_latent_alone(folders):
    run = trained.load(folders["cvae"])
    found = first_layer.matrix(run, run.draw(np.arange(1), 0), np.array([3], np.int32))
    assert found.shape == (8, 2)
    features = first_layer.features(run, np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], np.float32), np.array([3] * 3))
    np.testing.assert_allclose(features[1:] - features[:1], found.T, atol=1e-4)


def test_pca_takes_the_features_of_the_first_layer(folders, tmp_path):
    found = draw(folders["gan"], "directions", tmp_path / "d.png", "--num", 2, "--columns", 3, "--draws", 64)
    run = trained.load(folders["gan"])
    drawn = run.draw(2**31 - 1 - np.arange(64), 0)
    wanted = directions.ganspace(jnp.asarray(drawn), jnp.asarray(first_layer.features(run, drawn, None)), 2)
    axes = arrays(tmp_path / "d.npz")["latents"]
    spread = (drawn @ np.asarray(wanted.axes).T).std(axis=0)
    np.testing.assert_allclose(axes, np.asarray(wanted.axes) * spread[:, None], atol=1e-3)
    start = run.draw(np.array([0]), 0)
    for row in range(2):
        for column, strength in enumerate((-3, 0, 3)):
            assert near(tile(found, row, column, 2, 3), run.decode(start + strength * axes[row])[0])


@pytest.mark.parametrize("method", ["pca", "sefa"])
def test_directions_of_styles_move_the_styles_of_all_layers(method, folders, tmp_path):
    options = ["--method", method, "--num", 1, "--columns", 3, "--draws", 64, "--images", "sample:1,4"]
    found = draw(folders["styled"], "directions", tmp_path / "d.png", *options)
    kept = arrays(tmp_path / "d.npz")
    assert kept["latents"].shape == (1, 4) and str(kept["space"]) == "directions of w"
    styled = Styled(trained.load(folders["styled"]))
    ws = styled.ws(styled.points(("sample:1,4",), 0, None))
    for column, strength in enumerate((-3, 0, 3)):
        wanted = styled.pixels((ws + strength * kept["latents"][None]).astype(np.float32))
        assert near(tile(found, 1, column, 2, 3), wanted[1])


def test_the_map_of_styles_is_what_all_layers_make_of_one_w(folders):
    styled = Styled(trained.load(folders["styled"]))
    ws = styled.ws(styled.points(("sample:0",), 0, None))
    found = first_layer.style_matrix(styled, ws)
    affine = [
        np.asarray(leaf).T
        for path, leaf in jax.tree_util.tree_leaves_with_path(styled.run.state.ema["params"]["synthesis"])
        if "affine" in str(path) and "kernel" in str(path)
    ]
    assert found.shape == (sum(len(part) for part in affine), 4)


def test_a_gif_slides(folders, tmp_path):
    path = tmp_path / "d.gif"
    draw(folders["gan"], "directions", path, "--num", 2, "--columns", 4, "--draws", 20)
    with Image.open(path) as film:
        assert film.n_frames > 4


@pytest.mark.parametrize(
    ("run", "options", "message"),
    [
        ("gan", "--method means --plus sample:1", "--method means needs groups, for example --plus 3 --minus 5"),
        ("gan", "--method plane --plus 3 --minus 5", "wgan_gp has no encoder, so '3' has no place"),
        ("gan", "--num 4", "--num is 4, but there are 3 directions; ask for fewer"),
        ("denoiser", "", "ddpm makes images in steps and has no first layer; use --method means or plane"),
        ("denoiser", "--method sefa", "ddpm makes images in steps and has no first layer"),
    ],
)
def test_what_cannot_be_found_is_said(run, options, message, folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message) as error:
        latents.main([str(folders[run]), "directions", *options.split()])
    assert "\n" not in str(error.value)
