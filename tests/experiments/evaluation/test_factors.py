"""What latents say of factors, by hand with encoders that know them, know copies of them, or know nothing."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from experiments.data import sprites
from experiments.data.options import ImageOptions
from experiments.evaluation import factors, kinds
from experiments.models import abilities
from experiments.runs.experiment import Experiment
from jaxgen.autoencoders import vae
from tests.experiments import small_runs

FITTED, HELD_OUT = 1_500, 500
KNOWN = sprites.factors(np.random.default_rng(0).choice(sprites.NUM, FITTED + HELD_OUT, replace=False))[:, 1:]


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(factors, "FITTED", FITTED)
    monkeypatch.setattr(factors, "HELD_OUT", HELD_OUT)
    monkeypatch.setattr(factors, "TREES", 10)


def test_codes_that_are_the_factors_have_every_measure_near_1():
    found = factors.measured(KNOWN.astype(np.float32), KNOWN, factors.NAMES, 0)
    assert list(found) == list(factors.NAMES)
    lowest = {"mig": 0.8, "modularity": 0.95, "dci_disentanglement": 0.85, "dci_completeness": 0.85, "sap": 0.4}
    for name, value in found.items():
        assert lowest.get(name, 0.9) < value <= 1 + 1e-6, name


def test_codes_that_are_noise_have_every_gap_near_0():
    noise = np.random.default_rng(1).normal(size=(FITTED + HELD_OUT, 5)).astype(np.float32)
    found = factors.measured(noise, KNOWN, factors.NAMES, 0)
    for name in ("mig", "sap", "dci_disentanglement", "dci_completeness"):
        assert found[name] < 0.1, name
    assert found["factor_vae"] < 0.4 and found["dci_informativeness"] < 0.2


def experiment(config, name="sprites"):
    return Experiment(config, data=name, images=ImageOptions(size=16))


def run(config) -> Any:
    return SimpleNamespace(experiment=experiment(config), state=None)


def test_pictures_are_encoded_and_another_run_without_an_encoder_has_a_reason(monkeypatch):
    def encode(_, pixels, __):
        assert pixels.shape == (FITTED + HELD_OUT, 16, 16, 1)
        light = pixels[..., 0].astype(np.float32)
        return np.stack([light.sum(axis=axis) @ np.arange(16) / light.sum(axis=(1, 2)) for axis in (1, 2)], axis=1)

    monkeypatch.setattr(abilities, "encoder", lambda _: encode)
    runs = {"samples": run(vae.Config()), "against": run(small_runs.GAN)}
    sap, score = factors.judge(runs, ("factor_vae", "sap"), 0)[::-1]
    assert score.metric == "factor_vae" and score.cells["samples"].value > 0.3 and score.better == "higher"
    assert 0.2 < sap.cells["samples"].value < 0.6  # two of five factors, and nothing of the others
    assert sap.cells["against"].reason == "has no encoder to vectors of images alone"
    assert not factors.judge(runs, ("frechet",), 0)


def test_models_with_an_encoder_have_the_rows_on_sprites_alone():
    assert set(factors.NAMES) <= set(kinds.names(experiment(vae.Config())))
    assert not set(factors.NAMES) & set(kinds.names(experiment(vae.Config(), "digits")))
    assert not set(factors.NAMES) & set(kinds.names(experiment(small_runs.GAN)))
