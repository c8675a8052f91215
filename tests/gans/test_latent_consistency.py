"""zCR: closed forms for a linear generator and a linear discriminator; what it changes in each model."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans import cgan, gan, infogan
from jaxgen.gans.codes import CodeSettings
from jaxgen.gans.discrimination import FAKE
from jaxgen.gans.latent_consistency import (
    LATENTS,
    fixed_neighbours,
    keep_apart,
    neighbours,
    perturbed,
    with_latent_consistency,
)
from jaxgen.gans.networks import generate, scorer
from jaxgen.gans.regularization import LatentConsistency, Regularization
from jaxgen.mode import Mode
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from jaxgen.priors import Normal
from tests.gans.games import training
from tests.gans.test_family import AT_REST, measured, name_of, opponent_of

NUM = 5
CONFIG = gan.Config(
    image_shape=(2, 2, 1),
    value_range=None,
    prior=Normal(3),
    generator=MLP(()),
    discriminator=MLP(()),
    regularization=Regularization(latent=LatentConsistency(2.0, 3.0, std=0.5)),
)
OFF = dataclasses.replace(CONFIG, regularization=Regularization())
STATE = gan.init(CONFIG, jax.random.key(0))
LATENT = CONFIG.prior.draw(jax.random.key(1), NUM)
MODE = training(jax.random.key(2), NUM)
GENERATOR = STATE.generator.variables
STEPS = perturbed(CONFIG, LATENT, MODE.stream(LATENTS).keys) - LATENT
FAKES = generate(CONFIG, GENERATOR, LATENT, mode=MODE)[0]


def slope(player):
    """The matrix of a linear network."""
    (kernel,) = (leaf for leaf in jax.tree.leaves(player.params) if leaf.ndim == 2)
    return np.asarray(kernel, np.float64)


def test_the_discriminators_term_is_the_squared_difference_of_the_scores_of_neighbours():
    near = neighbours(CONFIG, GENERATOR, (LATENT,), MODE)
    plain = lambda variables, mode: (jnp.float32(1.5), ({"critic_loss": jnp.float32(1.5)}, variables))  # noqa: E731
    loss = with_latent_consistency(CONFIG, scorer(CONFIG.discriminator), plain)
    value, (metrics, _) = loss(STATE.discriminator.variables, (FAKES, near), MODE)
    difference = np.asarray(STEPS) @ slope(STATE.generator) @ slope(STATE.discriminator)
    wanted = 2.0 * (difference**2).mean()
    assert metrics["latent_consistency"] == pytest.approx(wanted, rel=1e-4) and wanted > 0.01
    assert value == pytest.approx(1.5 + wanted, rel=1e-5) == float(metrics["critic_loss"])


def test_the_generators_term_is_minus_the_mean_squared_difference_of_neighbouring_images():
    term, logged = keep_apart(CONFIG, GENERATOR, (LATENT,), FAKES, MODE)
    wanted = -3.0 * ((np.asarray(STEPS) @ slope(STATE.generator)) ** 2).mean()
    assert term == pytest.approx(wanted, rel=1e-4) == float(logged["latent_sensitivity"]) and wanted < 0


def test_noise_has_the_deviation_of_the_settings_is_each_examples_own_and_leaves_codes_alone():
    keys = jax.random.split(jax.random.key(3), 4000)
    moved = perturbed(CONFIG, jnp.ones((4000, 3)), keys) - 1.0
    assert moved.std() == pytest.approx(0.5, rel=0.05) and abs(moved.mean()) < 0.03
    alone = perturbed(CONFIG, jnp.ones((2, 3)), keys[7:9]) - 1.0
    np.testing.assert_allclose(alone, moved[7:9], rtol=1e-6)
    coded = infogan.Config(codes=CodeSettings((3,), 1), noise=Normal(2), regularization=CONFIG.regularization)
    found = perturbed(coded, jnp.zeros((NUM, 6)), keys[:NUM])
    assert not found[:, :4].any() and (found[:, 4:] != 0).all()


def test_the_neighbour_of_a_fake_has_another_latent_and_the_same_class():
    settings = {name: getattr(CONFIG, name) for name in ("image_shape", "value_range", "prior", "regularization")}
    config = cgan.Config(**settings, generator=ConcatCondition(MLP(())), num_classes=2)
    variables = cgan.init(config, jax.random.key(0)).generator.variables
    classes = jnp.eye(2)[jnp.arange(NUM) % 2]
    wanted = generate(config, variables, LATENT + STEPS, classes, mode=MODE)[0]
    np.testing.assert_allclose(neighbours(config, variables, (LATENT, classes), MODE), wanted, rtol=1e-5, atol=1e-6)


def test_several_minibatches_have_the_neighbours_of_each():
    keys = jax.random.split(jax.random.key(4), (2, NUM))
    latents = jnp.stack([LATENT, -LATENT])
    found = fixed_neighbours(CONFIG, GENERATOR, (latents, keys), MODE)
    for each, latent, own in zip(found, latents, keys, strict=True):
        wanted = neighbours(CONFIG, GENERATOR, (latent,), MODE.with_keys(own))
        np.testing.assert_allclose(each, wanted, rtol=1e-5, atol=1e-6)


def test_without_weights_there_is_no_pass_no_term_and_no_need_of_keys():
    mode = Mode(train=True)
    assert neighbours(OFF, GENERATOR, (LATENT,), mode) is None
    assert fixed_neighbours(OFF, GENERATOR, (LATENT[None],), mode) is None
    term, logged = keep_apart(OFF, GENERATOR, (LATENT,), FAKES, mode)
    assert term == 0 and logged == {}
    with pytest.raises(ValueError, match="latent consistency draws random numbers"):
        keep_apart(CONFIG, GENERATOR, (LATENT,), FAKES, mode)


def test_both_scores_of_a_pair_have_the_same_masks():
    """A discriminator that scores the keys of an example alone gives a term of 0."""

    def of_keys(variables, inputs, mode):
        assert (jax.random.key_data(mode.keys) == jax.random.key_data(MODE.stream(FAKE).keys)).all()
        return jax.vmap(jax.random.normal)(mode.keys), variables

    loss = with_latent_consistency(CONFIG, of_keys, lambda variables, mode: (jnp.zeros(()), ({}, variables)))
    assert loss({}, (FAKES, FAKES + 1.0), MODE)[0] == 0


@pytest.mark.parametrize(
    "model",
    [model if model is infogan else pytest.param(model, marks=pytest.mark.exhaustive) for model in AT_REST],
    ids=name_of,
)
def test_each_term_changes_its_own_players_gradient_and_nothing_else(model):
    """And the sum that a critic minimises; players that do not move."""
    found = measured(model, Regularization(latent=LatentConsistency(5.0, 10.0, std=0.3)))
    plain, opponent = measured(model, Regularization()), opponent_of(model)
    assert found.keys() - plain.keys() == {"latent_consistency", "latent_sensitivity"}
    assert found["latent_consistency"] > 0 > found["latent_sensitivity"]
    changed = {f"gradient_norm/{opponent}", "gradient_norm/generator"} | {"critic_loss"} & plain.keys()
    assert {each for each in plain if abs(found[each] - plain[each]) > 1e-5} == changed
