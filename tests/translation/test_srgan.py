"""SRGAN and ESRGAN: their losses by hand, their steps, and the contract."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Paired
from jaxgen.gans.objectives import Relativistic
from jaxgen.mode import Mode
from jaxgen.moving_averages import Exponential
from jaxgen.nets.rrdb import RRDBNet
from jaxgen.nets.srgan import SRGANDiscriminator
from jaxgen.nets.srresnet import SRResNet
from jaxgen.nets.vgg19 import VGG19
from jaxgen.train_state import apply
from jaxgen.translation import enlargement, srgan, srresnet
from jaxgen.translation.errors import AbsoluteError
from tests import contract

TINY = srgan.Config(
    (8, 8, 3),
    input_shape=(4, 4, 1),
    generator=SRResNet(2, 1),
    discriminator=SRGANDiscriminator(2, 1, 2),
    features=VGG19(2, 1, channels=2),
    error_weight=0.5,
    adversarial_weight=0.25,
    average=Exponential(0.15),
)
ESRGAN = dataclasses.replace(
    TINY,
    generator=RRDBNet(2, 1, 1),
    objective=Relativistic(),
    error=AbsoluteError(),
    feature_error=AbsoluteError(),
)
BATCH = Paired(
    jax.random.uniform(jax.random.key(1), (4, 4, 4, 1), minval=-1.0),
    jax.random.uniform(jax.random.key(2), (4, 8, 8, 3), minval=-1.0),
)
MODE = Mode(keys=jax.random.split(jax.random.key(3), 4), step=jnp.int32(0), train=True)
init = jax.jit(srgan.init, static_argnums=0)


OF_DISCRIMINATOR = ("['discriminator']['Conv_1']['bias']",)
OF_GENERATOR = tuple(f"['generator']['Conv_{place}']['bias']" for place in (1, 2, 3))
"""Biases of convolutions that a batch norm follows, which takes them away."""


class TestContract(contract.Suite):
    case = contract.Case(
        srgan,
        TINY,
        without_noise=True,
        unreached=(*OF_GENERATOR, *OF_DISCRIMINATOR),
        refused=("input_shape", "image_shape"),
    )

    def test_update_is_a_function_of_its_key(self, update):
        """Nothing is drawn, and the key changes nothing."""
        config, step = update
        states = [step(self.init(config), self.batches(1)[0], jax.random.key(number))[0] for number in (0, 1)]
        chex.assert_trees_all_equal(*states)


@pytest.mark.exhaustive
class TestESRGANContract(contract.Suite):
    case = dataclasses.replace(TestContract.case, config=ESRGAN, unreached=OF_DISCRIMINATOR)
    test_update_is_a_function_of_its_key = TestContract.test_update_is_a_function_of_its_key


def scores(config, state, images):
    return apply(config.discriminator, state.discriminator.variables, images, (), mode=Mode(train=True))[0]


def features(state, images):
    return apply(TINY.features, state.features.variables, images, ())[0]


def test_both_players_pay_what_the_papers_equations_say():
    state = init(TINY, jax.random.key(0))
    fakes, _ = enlargement.enlarge(TINY, state.generator.variables, BATCH.inputs, MODE)
    real, fake = scores(TINY, state, BATCH.targets), scores(TINY, state, fakes)
    loss, _ = srgan.discriminator_loss(TINY, state.discriminator.variables, BATCH.targets, fakes, MODE)
    np.testing.assert_allclose(loss, (jax.nn.softplus(-real) + jax.nn.softplus(fake)).mean(), rtol=1e-5)
    loss, _ = srgan.generator_loss(TINY, state.generator.variables, state, BATCH, MODE)
    error = ((fakes - BATCH.targets) ** 2).mean()
    distance = ((features(state, fakes) / 12.75 - features(state, BATCH.targets) / 12.75) ** 2).mean()
    wanted = 0.5 * error + distance + 0.25 * jax.nn.softplus(-fake).mean()
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)


@pytest.mark.exhaustive
def test_esrgans_players_compare_each_score_with_the_mean_of_the_other_kind():
    state = init(ESRGAN, jax.random.key(0))
    fakes, _ = enlargement.enlarge(ESRGAN, state.generator.variables, BATCH.inputs, MODE)
    real, fake = scores(ESRGAN, state, BATCH.targets), scores(ESRGAN, state, fakes)
    loss, _ = srgan.discriminator_loss(ESRGAN, state.discriminator.variables, BATCH.targets, fakes, MODE)
    wanted = jax.nn.softplus(fake.mean() - real).mean() + jax.nn.softplus(fake - real.mean()).mean()
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)
    loss, _ = srgan.generator_loss(ESRGAN, state.generator.variables, state, BATCH, MODE)
    adversarial = jax.nn.softplus(real - fake.mean()).mean() + jax.nn.softplus(real.mean() - fake).mean()
    distance = jnp.abs(features(state, fakes) - features(state, BATCH.targets)).mean()
    wanted = 0.5 * jnp.abs(fakes - BATCH.targets).mean() + TINY.feature_weight * distance + 0.25 * adversarial
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)


@pytest.mark.exhaustive
def test_both_players_see_the_fakes_of_the_generator_before_its_step():
    """The logged losses are those of one set of fakes, the generator's against the discriminator after its step."""
    state = init(TINY, jax.random.key(0))
    after, metrics = jax.jit(srgan.update, static_argnums=0)(TINY, state, BATCH, jax.random.key(7))
    fakes, _ = enlargement.enlarge(TINY, state.generator.variables, BATCH.inputs, MODE)
    loss, _ = srgan.discriminator_loss(TINY, state.discriminator.variables, BATCH.targets, fakes, MODE)
    np.testing.assert_allclose(metrics["discriminator_loss"], loss, rtol=1e-4)
    np.testing.assert_allclose(metrics["error"], ((fakes - BATCH.targets) ** 2).mean(), rtol=1e-4)
    adversarial = jax.nn.softplus(-scores(TINY, after, fakes)).mean()
    np.testing.assert_allclose(metrics["generator_loss"], adversarial, rtol=1e-4)
    chex.assert_trees_all_equal(after.features, state.features)


def test_without_a_feature_network_there_are_no_features_and_pixels_are_compared():
    """The paper's SRGAN-MSE."""
    config = dataclasses.replace(TINY, features=None)
    state = jax.eval_shape(lambda: srgan.init(config, jax.random.key(0)))
    assert state.features is None
    _, (metrics, _) = jax.eval_shape(
        lambda state: srgan.generator_loss(config, state.generator.variables, state, BATCH, MODE), state
    )
    assert set(metrics) == {"generator_loss", "error"}


def test_its_state_has_what_a_run_by_pixel_error_begins_it_with_under_the_same_names():
    """`--init-from` takes what has the same name and shape."""
    shared = srresnet.Config(TINY.image_shape, input_shape=TINY.input_shape, generator=TINY.generator)
    first, second = (
        jax.eval_shape(lambda module=module, config=config: module.init(config, jax.random.key(0)))
        for module, config in ((srresnet, shared), (srgan, TINY))
    )
    chex.assert_trees_all_equal_shapes_and_dtypes(first.generator.variables, second.generator.variables)
    chex.assert_trees_all_equal_shapes_and_dtypes(first.ema, second.ema)
