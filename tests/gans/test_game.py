from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans.diagnostics import certainty
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.game import discriminator_step_value, discriminator_value, generator_value, score_fakes
from jaxgen.gans.networks import scorer
from jaxgen.gans.objectives import Hinge, NonSaturating, Objective, Relativistic
from jaxgen.gans.regularization import Consistency, Regularization
from jaxgen.mode import Mode
from jaxgen.nets.mlp import MLP
from tests.gans.games import training

REAL, FAKE = jnp.array([2.0, -1.0, 0.5, 4.0]), jnp.array([-1.5, 0.3, 1.0, -5.0])
NET = MLP((4,), norm="batch")


@dataclass(frozen=True)
class Config:
    objective: Objective
    discrimination: Discrimination = Discrimination()
    regularization: Regularization = Regularization()


@pytest.mark.parametrize("objective", [NonSaturating(), Hinge(), Relativistic()], ids=str)
def test_values_are_the_objectives_means(objective):
    config, mode = Config(objective), Mode(train=True)
    loss, metrics = discriminator_value(config, REAL, FAKE, mode)
    assert loss == metrics["discriminator_loss"] == pytest.approx(float(objective.discriminator(REAL, FAKE).mean()))
    loss, metrics = generator_value(config, REAL, FAKE, mode)
    assert loss == metrics["generator_loss"] == pytest.approx(float(objective.generator(REAL, FAKE).mean()))


SURE, UNSURE = jnp.array([9.0, 9.0, 0.0, -9.0]), jnp.array([-9.0, 0.0, 9.0, 0.0])


@pytest.mark.parametrize("objective", [NonSaturating(), Relativistic()], ids=str)
def test_certainty_is_of_the_scores_as_they_are(objective):
    """Its share differs between real and fake examples."""
    found = discriminator_value(Config(objective), SURE, UNSURE, Mode(train=True))[1]
    wanted = certainty(objective, SURE, UNSURE)
    assert wanted["real_certainty"] != wanted["fake_certainty"]
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize("value", [discriminator_value, generator_value])
@pytest.mark.parametrize("objective", [NonSaturating(), Relativistic()], ids=str)
def test_values_and_certainty_are_those_of_the_whole_batch_on_any_devices(objective, value):
    """Scores whose means differ between the devices, which a relativistic objective compares with others."""
    config = Config(objective)
    _, wanted = value(config, SURE, UNSURE, Mode(train=True))
    of_share = jax.vmap(lambda *scores: value(config, *scores, Mode(train=True, axis_name="i"))[1], axis_name="i")
    for name, values in of_share(SURE.reshape(2, 2), UNSURE.reshape(2, 2)).items():
        assert values.mean() == pytest.approx(float(wanted[name])), name


def test_labels_are_flipped_in_the_loss_and_not_in_what_is_logged():
    mode = training(jax.random.key(0), 4)
    plain, wanted = discriminator_value(Config(NonSaturating()), REAL, FAKE, mode)
    flipped, found = discriminator_value(Config(NonSaturating(), Discrimination(flip=0.5)), REAL, FAKE, mode)
    assert plain != flipped
    for name in ("real_certainty", "fake_certainty"):
        assert found[name] == wanted[name]


@pytest.mark.parametrize("joint", [False, True])
def test_real_examples_are_seen_by_an_objective_that_needs_them_alone(joint):
    points = jax.random.normal(jax.random.key(0), (2, 4, 3)) + jnp.array([0.0, 3.0])[:, None, None]
    variables = dict(NET.init(jax.random.key(1), points[0], ()))
    inputs = scorer(NET), variables, *points, Mode(train=True)
    real, fake = score_fakes(Config(NonSaturating(), Discrimination(joint=joint)), *inputs)
    alone, _ = scorer(NET)(variables, points[1], Mode(train=True))
    assert real is None
    np.testing.assert_allclose(fake, alone, atol=1e-6)
    real, fake = score_fakes(Config(Relativistic(), Discrimination(joint=joint)), *inputs)
    assert real.shape == (4,)
    assert bool(np.abs(fake - alone).max() > 0.1) == joint  # normalised with the real ones, or among themselves


@pytest.mark.parametrize("joint", [False, True])
def test_regularization_sees_the_batches_that_the_objective_sees(joint):
    """Consistency under no change costs nothing, where its own pass normalises over the same examples."""
    unchanged = Consistency(real=1.0, fake=1.0, flip=False, shift=0.0)
    config = Config(NonSaturating(), Discrimination(joint=joint), Regularization(consistency=unchanged))
    points = jax.random.normal(jax.random.key(0), (2, 4, 2, 2, 1)) + jnp.array([0.0, 3.0])[:, None, None, None, None]
    variables = dict(NET.init(jax.random.key(1), points[0], ()))
    _, (loss, (metrics, _)) = discriminator_step_value(
        config, scorer(NET), variables, *points, training(jax.random.key(2), 4)
    )
    assert float(metrics["consistency"]) == pytest.approx(0.0, abs=1e-8)
    assert float(loss) == pytest.approx(float(metrics["discriminator_loss"]), rel=1e-5)
