import importlib.util
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import data, likelihood, train
from experiments.command_line.errors import UserError
from experiments.evaluation import denoiser_likelihood
from experiments.evaluation.denoiser_likelihood import Options
from experiments.runs import experiment, restore, run_folder
from jaxgen.diffusion.densities import Integral
from jaxgen.typing import Bound

SMALL = ["--steps", "2", "--batch-size", "8", "--num-samples", "4", "--steps-per-call", "2", "--pictures", "samples"]


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    folder = tmp_path_factory.mktemp("points") / "run"
    nets = ["--model.denoiser.width", "8", "--model.denoiser.blocks", "1", "--model.sampler.steps", "2"]
    assert train.main(["score_sde_ring8", "--out", str(folder), *SMALL, *nets]) == 0
    return folder


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits") / "run"
    net = ["--model.denoiser.channels", "4", "--model.denoiser.blocks", "1", "--model.schedule.steps", "5"]
    drawn = ["--model.sampler.steps", "2", "--model.denoiser.attention"]
    assert train.main(["improved_ddpm_digits", "--out", str(folder), *SMALL, *net, *drawn]) == 0
    return folder


def run(folder, *options):
    assert likelihood.main([str(folder), *options]) == 0
    return json.loads((folder / "likelihood.json").read_text())


def test_the_density_of_points_is_the_mean_over_held_out_ones_and_draws(points, capsys):
    options = ["--num-images", "6", "--batch-size", "4", "--num-draws", "2", "--num-steps", "3"]
    found = run(points, *options)
    chosen, model, _, state = restore.newest(points)
    batch = data.load_for(chosen, "test").batch(np.arange(6))
    batch = jnp.asarray(batch)
    keys = jax.vmap(lambda i: jax.random.fold_in(jax.random.key(0), i))(jnp.arange(6, dtype=jnp.uint32))
    nats = [
        -model.log_density(
            chosen.model, state, batch, jax.vmap(jax.random.fold_in, (0, None))(keys, number), Integral(3, 1)
        )
        for number in range(2)
    ]
    assert found["nll"]["mean"] == pytest.approx(float(jnp.stack(nats).mean()), rel=1e-4)
    assert found["method"] == "density" and found["num_images"] == 6
    fine, adapted = (run(points, *options[:-2], *how) for how in (["--num-steps", "80"], ["--tolerance", "1e-5"]))
    assert adapted["nll"]["mean"] == pytest.approx(fine["nll"]["mean"], abs=1e-2)
    assert adapted["tolerance"] == 1e-5 and "num_steps" not in adapted
    printed = capsys.readouterr().out
    assert "density of points, by the ordinary differential equation" in printed and "2 draws each" in printed


def test_the_bound_of_images_is_the_sum_of_its_parts(digits, capsys):
    found = run(digits, "--num-images", "4", "--num-draws", "4")
    parts = [found[name]["mean"] for name in ("reconstruction", "diffusion", "prior")]
    assert found["nll"]["mean"] == pytest.approx(sum(parts), rel=1e-5)
    assert found["nll"]["bits_per_dim"] == pytest.approx(found["nll"]["mean"] / 64 / math.log(2))
    assert "probability of pixels of 256 levels, by the variational bound" in capsys.readouterr().out
    assert run(digits, "--num-images", "4", "--num-draws", "4", "--seed", "1")["nll"] != found["nll"]


def test_times_of_an_image_are_spread_evenly_and_images_do_not_depend_on_their_batch():
    class Model:
        """Says at which times it was asked."""

        @staticmethod
        def bound(config, state, batch, key, share):
            jax.debug.callback(lambda values: seen.append(np.asarray(values)), share)
            return Bound(share, jnp.zeros(len(share)), jnp.zeros(len(share)))

    seen: list[np.ndarray] = []
    chosen = experiment.load("improved_ddpm_digits")
    images = data.load("digits", "test")
    found = [
        denoiser_likelihood.measure(
            Model, chosen.model, None, images, Options(num_images=6, batch_size=size, num_draws=5), "bound"
        )["nll"]
        for size in (6, 4)
    ]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)
    first = np.sort(np.stack(seen[:5]), axis=0)
    np.testing.assert_array_equal(np.floor(5 * first), np.arange(5.0)[:, None] * np.ones((1, 6)))


def test_a_level_of_an_image_is_its_part_of_the_range():
    """256 levels in [-1, 1] have 7 bits less of density than of probability."""
    nats = denoiser_likelihood._level_nats(experiment.load("improved_ddpm_digits").model)
    assert nats == pytest.approx(64 * 7 * math.log(2))
    assert denoiser_likelihood._level_nats(experiment.load("score_sde_ring8").model) == 0.0


@pytest.mark.parametrize(
    ("name", "method", "found"),
    [
        ("vdm_mnist", "usual", "bound"),
        ("vdm_mnist", "density", "vdm_mnist has no density with its schedule"),
        ("ddpm_digits", "usual", "bound"),
        ("ddpm_digits", "density", "ddpm_digits has no density with its schedule"),
        ("ddpm_swiss_roll", "usual", "ddpm_swiss_roll has no likelihood with its schedule"),
        ("edm_ring8", "usual", "density"),
        ("edm_ring8", "bound", "edm_ring8 has no bound with its schedule"),
        ("score_sde_cifar10", "usual", "density"),
        ("flow_mnist", "usual", "density"),
    ],
)
def test_the_method_is_what_the_model_and_its_schedule_allow(name, method, found):
    chosen = experiment.load(name)
    of = (name, experiment.model_of(chosen.model), chosen.model, Options(method=method))
    if " " in found:
        with pytest.raises(UserError, match=found):
            denoiser_likelihood.method_of(*of)
    else:
        assert denoiser_likelihood.method_of(*of) == found


@pytest.mark.parametrize(
    ("name", "method", "said"),
    [
        ("vdm_mnist", "bound", "binary pixels, drawn once from the grey levels, by the variational bound"),
        ("vdm_cifar10", "bound", "probability of pixels of 256 levels"),
        ("flow_mnist", "density", "a bound of the probability of pixels of 256 levels"),
        ("edm_ring8", "density", "density of points"),
    ],
)
def test_the_protocol_says_what_the_numbers_are_of(name, method, said):
    assert said in denoiser_likelihood.protocol(experiment.load(name).model, method)


@pytest.mark.parametrize("settings", [{"num_draws": 0}, {"num_steps": 0}, {"num_probes": -1}, {"num_images": 1}])
def test_options_out_of_range_are_refused(settings):
    (name, value) = next(iter(settings.items()))
    with pytest.raises(ValueError, match=f"--{name.replace('_', '-')} is {value}, but must be at least"):
        Options(**settings)


def test_settings_of_the_other_kind_of_model_are_refused(tmp_path):
    run_folder.begin(tmp_path, "edm_ring8", experiment.load("edm_ring8"))
    with pytest.raises(SystemExit):
        likelihood.main([str(tmp_path), "--num-latents", "5"])


def test_a_tolerance_is_refused_of_a_bound_and_without_the_package_before_anything_is_loaded(
    points, digits, monkeypatch
):
    monkeypatch.setattr(restore, "at", lambda *_: pytest.fail("loaded"))
    with pytest.raises(UserError, match="--tolerance is of the density, but this is the bound"):
        likelihood.main([str(digits), "--tolerance", "1e-3"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"--tolerance: diffrax is not installed.* pip install 'jaxgen\[adaptive\]'"):
        likelihood.main([str(points), "--tolerance", "1e-3"])
