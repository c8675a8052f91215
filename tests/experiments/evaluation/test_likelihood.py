import json
import math

import jax
import numpy as np
import pytest

from experiments import data, train
from experiments import likelihood as command
from experiments.command_line.errors import UserError
from experiments.evaluation import likelihood
from experiments.runs import experiment, restore, run_folder
from jaxgen.autoencoders.likelihoods import Bernoulli, DiscretizedLogistic, Gaussian

SMALL = ["--steps", "2", "--batch-size", "8", "--num-samples", "4", "--steps-per-call", "2"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("likelihood") / "run"
    nets = ["--model.encoder.features", "8", "--model.decoder.features", "8", "--model.latent-dim", "3"]
    assert train.main(["vae_digits", "--out", str(folder), "--pictures", "samples", *SMALL, *nets]) == 0
    return folder


def run(folder, *options):
    assert command.main([str(folder), *options]) == 0
    return json.loads((folder / "likelihood.json").read_text())


@pytest.mark.exhaustive
def test_the_table_is_the_mean_over_held_out_images(trained, capsys):
    found = run(trained, "--num-images", "10", "--num-latents", "100", "--batch-size", "10")
    chosen, model, step, state = restore.newest(trained)
    batch = data.load("digits", "test").batch(np.arange(10))
    key = jax.random.key(0)
    evidence = jax.jit(lambda *inputs: model.evidence(chosen.model, *inputs, (100, 50)))
    alone = [evidence(state, batch[[index]], jax.random.fold_in(key, index)) for index in range(10)]
    wanted = jax.tree.map(lambda *leaves: np.concatenate(leaves), *jax.device_get(alone))
    error = lambda x: float(np.std(x, ddof=1)) / math.sqrt(10)  # noqa: E731
    assert found["step"] == step == 2
    for name, values in {
        "reconstruction": wanted.nll,
        "kl": wanted.kl,
        "negative_elbo": wanted.nll + wanted.kl,
        "nll": -wanted.log_evidence,
    }.items():
        assert found[name]["mean"] == pytest.approx(float(np.mean(values)), rel=1e-5)
        assert found[name]["standard_error"] == pytest.approx(error(values), rel=1e-3)
        assert found[name]["bits_per_dim"] == pytest.approx(found[name]["mean"] / 64 / math.log(2), rel=1e-6)
    assert found["nll"]["mean"] < found["negative_elbo"]["mean"]
    assert found["latents"] == 3
    printed = capsys.readouterr().out
    assert "10 held-out images of digits, 100 latents each" in printed
    assert "binary pixels, drawn once" in printed


def test_more_images_begin_with_the_same_ones_and_a_last_batch_may_be_short(trained):
    chosen, model, _, state = restore.newest(trained)
    images = data.load("digits", "test")
    few, means = likelihood.measure(model, chosen.model, state, images, likelihood.Options(4, 4, num_latents=1))
    many, more = likelihood.measure(model, chosen.model, state, images, likelihood.Options(1_000, 4, num_latents=1))
    assert len(many["kl"]) == len(more) == len(images) == 297
    np.testing.assert_array_equal(many["nll"][:4], few["nll"])
    np.testing.assert_array_equal(more[:4], means)


def test_active_latents_are_those_whose_posterior_mean_varies():
    means = np.stack([np.linspace(-1, 1, 50), np.full(50, 3.0), np.linspace(-0.15, 0.15, 50)], axis=1)
    nats = dict.fromkeys(("nll", "kl", "log_evidence"), np.arange(50.0))
    assert likelihood.summary(nats, means, 64)["active_latents"] == 1  # variances 0.35, 0 and 0.0078


@pytest.mark.parametrize(
    ("law", "said"),
    [
        (Bernoulli("never"), "no likelihood"),
        (Bernoulli("threshold"), "above half"),
        (Bernoulli("each_step"), "drawn once"),
        (DiscretizedLogistic(), "pixels of 256 levels"),
        (Gaussian(), "density of grey levels"),
    ],
)
def test_the_protocol_says_what_the_numbers_are_of(law, said):
    from jaxgen.autoencoders import vae

    assert said in likelihood.protocol(vae.Config(likelihood=law))


def test_a_model_that_bounds_no_likelihood_is_refused(tmp_path):
    run_folder.begin(tmp_path, "wgan_gp_digits", experiment.load("wgan_gp_digits"))
    with pytest.raises(UserError, match="wgan_gp_digits bounds no likelihood"):
        command.main([str(tmp_path)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_images": 1}, "--num-images is 1, but must be at least 2"),
        ({"num_latents": 0}, "--num-latents is 0, but must be at least 1"),
        ({"batch_size": 0}, "--batch-size is 0, but must be at least 1"),
        ({"seed": -1}, "--seed is -1"),
        ({"step": 0}, "--step is 0"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        likelihood.Options(**options)
