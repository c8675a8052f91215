"""Latents with two axes go through the commands as those with one."""

import numpy as np
import pytest

from experiments.command_line.errors import UserError
from experiments.latents import main, sources, trained, traverse
from experiments.latents.sources import Words
from experiments.models import abilities, sampling
from jaxgen.priors import Gaussian, Normal
from tests.experiments import shaped, small_runs
from tests.experiments.models_of_tests import own_models  # noqa: F401

BARE = shaped.Config(sampler=shaped.Sampler(steps=10**6))
"""`sample` is `from_latents` of the prior."""


@pytest.fixture
def run(own_models, tmp_path):  # noqa: F811
    return small_runs.save(BARE, tmp_path / "run")


def test_draws_are_numbered_as_in_the_picture_of_sample(run):
    _, drawn = sampling.draw(run, sampling.BLOCK + 3, seed=5)
    there = trained.load(run)
    points, _ = sources.points(Words(there, seed=5), ["sample:0,7", f"sample:{sampling.BLOCK + 2}"], 1)
    assert points.latents.shape == (3, 6)
    assert abilities.latent_shape(there.config) == (2, 3)
    found = there.decode(points.latents)
    np.testing.assert_allclose(found.astype(int), drawn[[0, 7, sampling.BLOCK + 2]], atol=1)


def test_images_are_encoded_and_decoded_again(run):
    there = trained.load(run)
    pixels = np.repeat(np.array([40, 128, 200], np.uint8), 64).reshape(3, 8, 8, 1)
    latents = there.encode(pixels)
    assert latents.shape == (3, 6)
    scale = float(there.state.scale)
    np.testing.assert_allclose(there.decode(latents / scale).astype(int), pixels, atol=1)


@pytest.mark.parametrize(
    "action",
    [
        "interpolate --images sample:0,1",
        "interpolate --images 3 5",
        "arithmetic --plus sample:1 --minus sample:2",
        "arithmetic --plus 3 --minus 5",
        "traverse",
        "embed --num 40",
        "reconstruct --num 8",
    ],
)
def test_every_action_draws(action, run, tmp_path):
    out = tmp_path / "picture.png"
    assert main([str(run), *action.split(), "--out", str(out)]) == 0
    assert out.stat().st_size > 100


def test_a_grid_needs_two_numbers_in_whatever_shape(own_models, tmp_path):  # noqa: F811
    plane = small_runs.save(shaped.Config(prior=shaped.Grid(2, 1)), tmp_path / "plane")
    assert main([str(plane), "grid", "--num", "3", "--out", str(tmp_path / "grid.png")]) == 0


@pytest.fixture(scope="module")
def denoiser(tmp_path_factory):
    """A diffusion model, whose latents are noise of the shape of an image."""
    return small_runs.save(small_runs.DENOISER, tmp_path_factory.mktemp("denoiser") / "run")


@pytest.mark.parametrize(
    "action", ["interpolate --images 3 sample:1 --sampler euler --sampler.steps 2", "traverse --axes 0 7"]
)
def test_noise_of_a_diffusion_model_is_a_latent(action, denoiser, tmp_path):
    out = tmp_path / "picture.png"
    assert main([str(denoiser), *action.split(), "--out", str(out)]) == 0
    assert out.stat().st_size > 100


def test_an_image_is_made_again_of_the_noise_that_is_found_for_it(denoiser, capsys, tmp_path):
    """The nearer, the more steps the way there and back has."""
    errors = []
    for steps in ("2", "10"):
        argv = ["reconstruct", "--num", "8", "--sampler.steps", steps, "--out", str(tmp_path / "a.png")]
        assert main([str(denoiser), *argv]) == 0
        errors.append(float(capsys.readouterr().out.partition("squared error ")[2].split()[0]))
    assert errors[1] < 0.5 * errors[0]


def test_a_coordinate_goes_as_far_as_the_prior_does():
    plain, wide = (traverse._values(None, 5, prior) for prior in (Normal(3), Gaussian((3,), 80.0)))
    np.testing.assert_allclose(wide, 80.0 * plain, rtol=1e-6)
    np.testing.assert_array_equal(traverse._values((0.0, 1.0), 3, Gaussian((3,), 80.0)), [0.0, 0.5, 1.0])


@pytest.mark.parametrize("action", ["interpolate --images 3 5", "reconstruct", "grid", "traverse", "embed"])
def test_points_are_no_pictures(action, points):
    with pytest.raises(UserError, match=r"flow_matching makes data of shape \(2,\) in None, no pictures"):
        main([str(points), *action.split()])


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    return small_runs.save(small_runs.POINTS, tmp_path_factory.mktemp("points") / "run", data="ring8")
