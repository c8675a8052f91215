"""Accuracy with and without adaptation, on digits that are their own target domain."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from experiments import adaptation, data
from experiments.command_line.errors import UserError
from experiments.evaluation import adapting, rows
from experiments.runs import restore
from jaxgen.images import scale
from jaxgen.nets.pixelda import DomainClassifier, NoisyDiscriminator, NoisyTranslator
from jaxgen.priors import Uniform
from jaxgen.translation import pixelda
from tests.experiments import small_runs
from tests.experiments.pictures_on_disk import encoded, pixels, write_all

CONFIG = pixelda.Config(
    image_shape=small_runs.SHAPE,
    prior=Uniform(2),
    generator=NoisyTranslator(channels=2, blocks=1),
    discriminator=NoisyDiscriminator(channels=2),
    classifier=DomainClassifier(channels=(4, 4), width=16),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return small_runs.save(CONFIG, tmp_path_factory.mktemp("adapting") / "run", data="unpaired:digits,digits")


@pytest.mark.exhaustive
def test_accuracy_is_that_of_the_runs_classifier_for_the_target_on_held_out_images(run, capsys):
    assert adaptation.main([str(run)]) == 0
    found = json.loads((run / "adaptation.json").read_text())
    _, _, _, state = restore.newest(run)
    test = data.load("digits", "test")
    logits = pixelda.classify(CONFIG, state, scale(jnp.asarray(test.batch(np.arange(len(test)))), (-1.0, 1.0)))
    assert found["adapted"]["accuracy"] == pytest.approx((logits.argmax(1) == test.labels).mean())
    assert found["num_test"] == 297 and found["step"] == 2
    told = capsys.readouterr().out
    for name in adapting.SAID:
        low, share, high = (found[name][part] for part in ("low", "accuracy", "high"))
        assert low < share < high
        assert f"{name:12} {share:7.2%}" in told


def test_a_run_of_another_model_is_refused_before_its_data_are_looked_for(tmp_path):
    other = small_runs.save(small_runs.WIDE, tmp_path / "vae", data=f"folder:{tmp_path / 'gone'}")
    with pytest.raises(UserError, match="is a run of vae; give a run of pixelda"):
        adapting.evaluate(other)


def test_targets_without_labels_or_of_other_classes_are_refused(tmp_path):
    write_all(tmp_path / "bare", {f"{seed}.png": encoded(pixels(channels=1, seed=seed)[:, :, 0]) for seed in range(12)})
    write_all(tmp_path / "two", {f"{one}/{seed}.png": encoded(pixels(seed=seed)) for one in "ab" for seed in range(12)})
    for name, said in (("bare", "has no labels, by which accuracy"), ("two", "have other classes")):
        run = small_runs.save(CONFIG, tmp_path / f"of_{name}", data=f"unpaired:digits,{tmp_path / name}")
        with pytest.raises(UserError, match=said):
            adapting.evaluate(run)


@pytest.mark.parametrize(("right", "num"), [(8, 10), (0, 5), (297, 297)])
def test_an_interval_of_a_share_is_wilsons(right, num):
    found = scipy.stats.binomtest(right, num).proportion_ci(method="wilson")
    np.testing.assert_allclose(rows.wilson_interval(right, num), tuple(found), rtol=1e-5, atol=1e-9)


def test_the_command_says_what_it_is(capsys):
    assert adaptation.main([]) == 0
    assert "usage: python -m experiments.adaptation RUN" in capsys.readouterr().out
