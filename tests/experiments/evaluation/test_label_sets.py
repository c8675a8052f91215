"""How well labels are named: F1 of a run beside the cross-entropy alone and what most images have."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import data, evaluate
from experiments.command_line.errors import UserError
from experiments.data import held_out
from experiments.evaluation import during, label_sets
from experiments.runs import restore
from experiments.runs.experiment import Experiment
from experiments.training import checks
from jaxgen.batches import MultiLabelled
from jaxgen.gans import multi_label
from jaxgen.images import scale
from jaxgen.metrics import macro_f1, micro_f1
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from tests.experiments import small_runs
from tests.experiments.pictures_on_disk import npz, write_all

CONFIG = multi_label.Config(
    image_shape=(4, 4, 1),
    num_attributes=3,
    generator=MLP((8,)),
    discriminator=ConcatCondition(MLP((4,))),
    generator_optimizer=Optimizer(0.02, Adam()),
)
NUM = 60


def made():
    """Images whose rows say which of the first two labels they have; nearly all have the third."""
    generator = np.random.default_rng(0)
    marks = generator.integers(0, 2, (NUM, 3))
    marks[:, 2] = np.arange(NUM) % 10 > 0
    images = np.zeros((NUM, 4, 4, 1), np.uint8)
    images[:, 0], images[:, 1] = 255 * marks[:, 0, None, None], 255 * marks[:, 1, None, None]
    return images, marks


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place, (images, marks) = tmp_path_factory.mktemp("labels"), made()
    parts = {"train": images[:40], "train_attributes": marks[:40], "test": images[40:], "test_attributes": marks[40:]}
    write_all(place, {"a.npz": npz(**parts)})
    return place


@pytest.fixture(scope="module")
def run(folder):
    return small_runs.save(CONFIG, folder / "run", data=f"npz:{folder}/a.npz", eval_every=2)


def test_the_rows_are_f1_of_the_runs_logits_on_held_out_images(run, capsys):
    assert evaluate.main([str(run)]) == 0
    found = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in found["rows"]] == list(label_sets.SCORES)
    experiment, _, _, state = restore.newest(run)
    test = data.load_for(experiment, "test")
    batch = test.batch(np.arange(len(test)), MultiLabelled)
    there = jnp.asarray(batch.attributes.astype(bool))
    logits = multi_label.label_logits(CONFIG, state, scale(jnp.asarray(batch.images), CONFIG.value_range))
    shares = data.load_for(experiment).batch(np.arange(40), MultiLabelled).attributes.mean(axis=0)
    most = jnp.broadcast_to(jnp.asarray(shares > 0.5), there.shape)
    for row, score in zip(found["rows"], (micro_f1, macro_f1), strict=True):
        assert row["samples"]["value"] == pytest.approx(float(score(logits, there)), abs=1e-6)
        assert row["prior"]["value"] == pytest.approx(float(score(jnp.where(most, 1.0, -1.0), there)), abs=1e-6)
        assert row["samples"]["low"] <= row["samples"]["value"] <= row["samples"]["high"]
        assert row["samples"]["num"] == 20 and "cross_entropy" in row
    told = capsys.readouterr().out
    assert "same network, cross-entropy" in told and "what most have" in told


def test_an_evaluation_in_training_has_the_same_numbers(run):
    experiment, _, _, state = restore.newest(run)
    train, test = data.load_for(experiment), held_out.load_for(experiment)
    assert test is not None
    found = during.evaluator(experiment, train)(state)
    assert sorted(found) == sorted(during.names(experiment, train))
    assert sorted(found) == ["eval/f1_averaged_over_labels", "eval/f1_over_all_labels"]
    values = label_sets.values(CONFIG, state, test, 1_000)
    assert sorted(values.values()) == sorted(found.values())


def test_the_network_of_cross_entropy_alone_learns_what_images_say(folder):
    train, test = (data.load(f"npz:{folder}/a.npz", part) for part in ("train", "test"))
    state = label_sets.independent(CONFIG, train, 200, 20, seed=0)
    assert label_sets.values(CONFIG, state, test, 100)["F1 over all labels (micro)"] > 0.9
    fresh = multi_label.init(CONFIG, jax.random.key(0))
    again = label_sets.independent(CONFIG, train, 0, 20, seed=0)
    jax.tree.map(np.testing.assert_array_equal, again.generator.params, fresh.generator.params)


def test_the_number_of_labels_follows_the_data(folder):
    chosen = Experiment(model=multi_label.Config(), data=f"npz:{folder}/a.npz")
    fitted = checks.fit_to_data(chosen, data.load_for(chosen), "multi_label_faces")
    assert fitted.model.num_attributes == 3 and fitted.model.image_shape == (4, 4, 1)


def test_metrics_of_images_and_runs_of_other_models_are_refused(run, folder):
    with pytest.raises(UserError, match="'frechet' is not of a model that makes no images; there is f1"):
        evaluate.main([str(run), "--metrics", "frechet"])
    other = small_runs.save(small_runs.WIDE, folder / "vae")
    with pytest.raises(UserError, match="against"):
        evaluate.main([str(run), "--against", str(other)])
