"""Context encoder: its losses by hand, what each network sees, and the contract."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans.discrimination import FAKE, REAL
from jaxgen.mode import Mode
from jaxgen.nets.context_encoder import ContextDiscriminator, ContextEncoder
from jaxgen.nets.instance_noise import InstanceNoise
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import apply
from jaxgen.translation import context_encoder
from tests import contract
from tests.gans.games import assert_close

ADAM = Optimizer(1e-3, Adam(b1=0.5))
TINY = context_encoder.Config(
    image_shape=(16, 16, 1),
    side=8,
    overlap=1,
    fill=(100.0,),
    generator=ContextEncoder(channels=2, bottleneck=3),
    discriminator=InstanceNoise(ContextDiscriminator(channels=2), 0.1),  # the only thing that is random
    reconstruction_weight=0.9,
    adversarial_weight=0.3,
    generator_optimizer=ADAM,
    discriminator_optimizer=ADAM,
)
IMAGES = jax.random.uniform(jax.random.key(1), (4, 16, 16, 1), minval=-1.0)
MODE = Mode(keys=jax.random.split(jax.random.key(3), 4), step=jnp.int32(0), train=True)


def before_batch_norm():
    """Biases that a batch norm takes out again."""
    names = [("generator", f"Conv_{number}") for number in (1, 2)] + [("generator", "ConvTranspose_0")]
    return tuple("".join(f"['{name}']" for name in (*path, "bias")) for path in names)


class TestContract(contract.Suite):
    case = contract.Case(
        context_encoder,
        TINY,
        without_noise=True,
        refused=("image_shape", "side"),
        inert=("discriminator.discriminator.norm",),  # behind the first halving, and squares of 8x8 halve once
        unreached=before_batch_norm(),
    )


@pytest.fixture(scope="module")
def state():
    return jax.jit(context_encoder.init, static_argnums=0)(TINY, jax.random.key(0))


def test_the_square_lies_in_the_middle_and_the_hole_inside_it():
    np.testing.assert_array_equal(context_encoder.crop(TINY, IMAGES), IMAGES[:, 4:12, 4:12])
    seen = context_encoder.conceal(TINY, IMAGES)
    changed = np.asarray(seen != IMAGES)[:, :, :, 0]
    assert changed[:, 5:11, 5:11].all() and changed.sum() == 4 * 36
    np.testing.assert_array_equal(context_encoder.holes(TINY, jax.random.key(0), IMAGES)[..., 0] == 0, changed)
    np.testing.assert_allclose(seen[:, 5:11, 5:11], 100 / 127.5 - 1, rtol=1e-5)


def test_the_band_counts_ten_times_and_the_mean_is_over_the_square():
    targets, predictions = IMAGES[:, :8, :8], -IMAGES[:, 8:, 8:]
    weights = np.full((8, 8, 1), 10.0)
    weights[1:7, 1:7] = 1.0
    wanted = (weights * np.asarray(targets - predictions) ** 2).mean()
    np.testing.assert_allclose(context_encoder.reconstruction(TINY, targets, predictions), wanted, rtol=1e-5)


def test_both_players_pay_for_squares_and_the_generator_for_its_error_too(state):
    variables, opponent = state.generator.variables, state.discriminator.variables
    predictions, _ = context_encoder.predict(TINY, variables, IMAGES, MODE)
    targets = context_encoder.crop(TINY, IMAGES)
    real, fake = (
        apply(TINY.discriminator, opponent, squares, (), mode=MODE.stream(number))[0]
        for number, squares in ((REAL, targets), (FAKE, predictions))
    )
    loss, _ = context_encoder.discriminator_loss(TINY, opponent, targets, predictions, MODE)
    np.testing.assert_allclose(loss, (jax.nn.softplus(-real) + jax.nn.softplus(fake)).mean(), rtol=1e-5)
    loss, (metrics, _) = context_encoder.generator_loss(TINY, variables, opponent, IMAGES, MODE)
    error = context_encoder.reconstruction(TINY, targets, predictions)
    np.testing.assert_allclose(metrics["generator_loss"], jax.nn.softplus(-fake).mean(), rtol=1e-5)
    np.testing.assert_allclose(loss, 0.9 * error + 0.3 * metrics["generator_loss"], rtol=1e-5)


def test_the_discriminator_is_blind_to_what_lies_around_the_square(state):
    """With fixed predictions: the context reaches it through the generator alone."""

    def adversarial(images):
        squares = context_encoder.crop(TINY, images)
        return context_encoder.discriminator_loss(TINY, state.discriminator.variables, squares, -squares, MODE)[0]

    slope = np.asarray(jax.grad(adversarial)(IMAGES))
    assert np.abs(slope[:, 4:12, 4:12]).max() > 0
    assert not np.delete(slope, range(4, 12), 1).any() and not np.delete(slope, range(4, 12), 2).any()


def test_a_prediction_does_not_depend_on_the_hole(state):
    def predicted(images):
        return context_encoder.predict(TINY, state.generator.variables, images, Mode())[0].sum()

    slope = np.asarray(jax.grad(predicted)(IMAGES))
    assert not slope[:, 5:11, 5:11].any() and np.abs(slope[:, 4, 4:12]).max() > 0


def test_a_sample_is_the_image_but_for_its_hole_which_is_predicted(state):
    filled = context_encoder.sample(TINY, state, jax.random.key(0), 4, IMAGES)
    predictions, _ = context_encoder.predict(TINY, state.ema, IMAGES)
    hole = np.zeros((16, 16), bool)
    hole[5:11, 5:11] = True
    np.testing.assert_array_equal(np.asarray(filled)[:, ~hole], np.asarray(IMAGES)[:, ~hole])
    assert_close(filled[:, 5:11, 5:11], predictions[:, 1:7, 1:7])
    with pytest.raises(ValueError, match="condition is None, but must be the images with holes to fill"):
        context_encoder.sample(TINY, state, jax.random.key(0), 4)


def test_a_band_that_leaves_no_hole_and_a_colour_of_other_channels_are_refused(state):
    with pytest.raises(ValueError, match="overlap is 4, but must be below half of the side, 8"):
        dataclasses.replace(TINY, overlap=4)
    config = dataclasses.replace(TINY, fill=(1.0, 2.0))
    with pytest.raises(ValueError, match="a pixel value of each of 1 channels"):
        context_encoder.conceal(config, IMAGES)
