import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion import consistency
from jaxgen.diffusion.consistency import Distillation, Neighbours
from jaxgen.diffusion.curricula import Doubling, Fixed, LogNormalIntervals, SquareRoot, UniformIntervals
from jaxgen.diffusion.guidance import ClassifierFree
from jaxgen.diffusion.predictions import Bounded
from jaxgen.diffusion.samplers import Renoise
from jaxgen.diffusion.schedules import Sigmas
from jaxgen.diffusion.weights import PseudoHuber, Squared
from jaxgen.mode import EVALUATION
from jaxgen.moving_averages import Constant
from jaxgen.optimizers import Adam, Optimizer, RAdam
from jaxgen.train_state import Frozen
from tests import contract
from tests.diffusion.networks import BEFORE_BATCH_NORM, Tiny

TINY = consistency.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    denoiser=Tiny(),
    schedule=Sigmas(0.02, 20.0),
    curriculum=Doubling(2, 4, 5),
    sampler=Renoise(2),
    guidance=ClassifierFree(2.0),
    optimizer=Optimizer(1e-3, Adam()),
    average=Constant(0.5),
)
DEVIATION = 0.5
NOISE_UNUSED = ("sampler.limit.keep_noise",)
"""Of a sampler that takes the data alone."""


class TestContract(contract.Suite):
    case = contract.Case(consistency, TINY, unreached=BEFORE_BATCH_NORM, inert=NOISE_UNUSED)


class TestDistillationContract(contract.Suite):
    case = contract.Case(
        consistency,
        dataclasses.replace(
            TINY,
            num_classes=0,
            guidance=consistency.NoGuidance(),
            method=Distillation(),
            curriculum=Fixed(4),
            intervals=UniformIntervals(),
            inverse_width=False,
            inverse_scale=True,
            distance=Squared(),
        ),
        unreached=BEFORE_BATCH_NORM,
        inert=("class_dropout", *NOISE_UNUSED),
    )


class Flow(nn.Module):
    """F of the exact denoiser of N(0, d^2): D = d^2 x / (sigma^2 + d^2) is EDM's skip, so that F = 0."""

    @nn.compact
    def __call__(self, inputs, times, condition, output_shape, *, mode=EVALUATION):
        return self.param("weight", nn.initializers.zeros, (1,))[0] * inputs


class Solution(nn.Module):
    """F of the exact consistency function of N(0, d^2) data: f = x sqrt((d^2 + e^2) / (d^2 + sigma^2))."""

    least: float

    @nn.compact
    def __call__(self, inputs, times, condition, output_shape, *, mode=EVALUATION):
        weight = self.param("weight", nn.initializers.ones, (1,))[0]
        sigma = jnp.exp(4.0 * times)[:, None]
        length = jnp.sqrt(sigma**2 + DEVIATION**2)
        skip = DEVIATION**2 / ((sigma - self.least) ** 2 + DEVIATION**2)
        out = (sigma - self.least) * DEVIATION / length
        f = jnp.sqrt(DEVIATION**2 + self.least**2) / length
        return weight * inputs * length * (f - skip) / out


def exact(least=0.002, **settings):
    return consistency.Config(
        image_shape=(3,),
        value_range=None,
        denoiser=Solution(least),
        schedule=Sigmas(least, 80.0),
        **settings,
    )


def neighbours(num=2_000, sigmas=(2.0, 1.5)):
    keys = jax.random.split(jax.random.key(0))
    data = DEVIATION * jax.random.normal(keys[0], (num, 3))
    more, less = (jnp.full(num, sigma) for sigma in sigmas)
    return Neighbours(data, jax.random.normal(keys[1], (num, 3)), more, less, None)


def f(config, variables, noisy, sigma):
    sigmas = jnp.full(noisy.shape[0], sigma)
    return consistency.consistency_function(config, variables, noisy, sigmas, None, EVALUATION)[0]


def test_settings_are_those_of_improved_training():
    config = consistency.Config()
    assert config.curriculum == Doubling(10, 1280, 400_000) and config.intervals == LogNormalIntervals(-1.1, 2.0)
    assert config.schedule == Sigmas(0.002, 80.0) and config.prediction == Bounded(0.5, 0.002)
    assert config.distance == PseudoHuber(0.00054) and config.inverse_width and config.denoiser.dropout == 0.3
    assert config.optimizer == Optimizer(1e-4, RAdam()) and SquareRoot() == SquareRoot(2, 150, 800_000)
    assert config.sampler == Renoise(1)


def test_the_least_noise_is_left_as_it_is():
    """f(x, e) = x exactly, whatever the network says."""
    noisy = jax.random.normal(jax.random.key(1), (5, 4, 4, 1))
    state = consistency.init(TINY, jax.random.key(0))
    found, _ = consistency.consistency_function(
        TINY, state.ema, noisy, jnp.full(5, 0.02), jnp.eye(3)[jnp.array([0, 1, 2, 0, 1])], EVALUATION
    )
    np.testing.assert_allclose(found, noisy, atol=1e-6)


def test_one_step_of_the_exact_function_gives_the_data():
    """From N(0, T^2) the samples' deviation is .4999942346 for data of .5, as T is not the marginal's deviation."""
    config = exact()
    state = consistency.init(config, jax.random.key(0))
    start = config.prior.draw(jax.random.key(2), 200_000)
    samples = jax.jit(lambda start: consistency.from_latents(config, state, start))(start)
    np.testing.assert_allclose(samples / start, 0.4999942346 / 80.0, rtol=1e-4)


def test_two_steps_noise_it_anew():
    config = exact(sampler=Renoise(2))
    state = consistency.init(config, jax.random.key(0))
    samples = np.asarray(jax.jit(lambda: consistency.sample(config, state, jax.random.key(3), 20_000))())
    assert samples.std() == pytest.approx(DEVIATION, rel=0.02)
    one = dataclasses.replace(config, sampler=Renoise(1))
    starts = config.prior.draw(jax.random.key(3), 20_000)
    first = np.asarray(consistency.from_latents(one, state, starts))
    middle = 2.51521898  # of a grid of three
    kept = np.corrcoef(samples.ravel(), first.ravel())[0, 1]
    assert kept == pytest.approx(DEVIATION / np.hypot(DEVIATION, middle), abs=0.02)


def test_a_heun_step_of_the_exact_teacher_stays_on_its_path():
    """The probability flow of N(0, d^2) keeps x / sqrt(sigma^2 + d^2); the error of a step falls with its cube."""
    config = dataclasses.replace(exact(), denoiser=Flow(), method=Distillation())
    state = consistency.init(config, jax.random.key(0))
    assert isinstance(state.teacher, Frozen) and state.teacher.name == "teacher"
    noisy = jax.random.normal(jax.random.key(4), (50, 3))
    errors = []
    for less in (1.8, 1.9):
        pair = neighbours(50, (2.0, less))
        found = consistency.heun_step(config, state.teacher.variables, noisy, pair)
        wanted = noisy * np.sqrt((less**2 + DEVIATION**2) / (4.0 + DEVIATION**2))
        errors.append(float(np.abs(found - wanted).max()))
    assert errors[0] < 2e-4 and 6 < errors[0] / errors[1] < 11


def test_distillation_compares_the_teachers_step_and_training_alone_the_same_noise():
    """With the exact function of the teacher's path the first loss is its step's error, the second is not 0."""
    config = exact(distance=Squared(), inverse_width=False)
    state = consistency.init(config, jax.random.key(0))
    teacher = Frozen(variables={"params": {"weight": jnp.zeros(1)}}, name="teacher")
    flow = dataclasses.replace(config, denoiser=Solution(0.002), method=Distillation())
    variables, pair = state.ema, neighbours(sigmas=(2.0, 1.9))
    taught, _ = consistency.consistency_loss(flow, variables, pair, teacher, EVALUATION)
    alone, _ = consistency.consistency_loss(config, variables, pair, None, EVALUATION)
    noisy, clearer = pair.data + 2.0 * pair.noise, pair.data + 1.9 * pair.noise
    wanted = ((f(config, variables, noisy, 2.0) - f(config, variables, clearer, 1.9)) ** 2).mean()
    np.testing.assert_allclose(alone, wanted, rtol=1e-3)
    assert 0 <= taught < 1e-2 * alone


def test_the_weight_is_that_of_the_step_and_the_second_term_has_no_gradient():
    """A gradient through both terms of an exact pair would differ."""
    config = exact(distance=Squared())
    plain, variables, pair = exact(distance=Squared(), inverse_width=False), {"params": {"weight": jnp.ones(1)}}, None
    pair = neighbours(64)
    weighted, _ = consistency.consistency_loss(config, variables, pair, None, EVALUATION)
    bare, _ = consistency.consistency_loss(plain, variables, pair, None, EVALUATION)
    np.testing.assert_allclose(weighted, bare / 0.5, rtol=1e-5)
    less = pair.data + 1.5 * pair.noise
    fixed = f(plain, variables, less, 1.5)

    def by_hand(weight):
        params = {"params": {"weight": weight}}
        return ((f(plain, params, pair.data + 2.0 * pair.noise, 2.0) - fixed) ** 2).mean()

    slope = jax.grad(
        lambda weight: consistency.consistency_loss(plain, {"params": {"weight": weight}}, pair, None, EVALUATION)[0]
    )(jnp.ones(1))
    np.testing.assert_allclose(slope, jax.grad(by_hand)(jnp.ones(1)), rtol=1e-4)


def test_weights_are_those_of_the_step_and_of_what_the_network_adds():
    """c_out of sigma 2: (2 - e) d / sqrt(4 + d^2); each factor alone and both."""
    more, less = jnp.full(3, 2.0), jnp.full(3, 1.5)
    out = 1.998 * DEVIATION / np.sqrt(4.0 + DEVIATION**2)
    for width, scale, wanted in (
        (False, False, 1.0),
        (True, False, 2.0),
        (False, True, 1 / out),
        (True, True, 2 / out),
    ):
        found = consistency.weight(exact(inverse_width=width, inverse_scale=scale), more, less)
        np.testing.assert_allclose(found, np.full(3, wanted), rtol=1e-6)


def test_a_distance_over_what_the_network_adds_moves_it_as_far_at_every_level():
    """d |f - y| / dF has length c_out: without the factor the least levels, on which others are built, hardly learn."""

    def lengths(config, sigma):
        pair, moved = neighbours(200, (sigma, 0.9 * sigma)), {"params": {"weight": jnp.full(1, 1.5)}}

        def loss(shift):
            noisy = pair.data + sigma * pair.noise
            out = config.prediction.scales(config.schedule.level(pair.more))[1]
            found = f(config, moved, noisy, sigma) + out[:, None] * shift
            distances = config.distance.between(found, f(config, moved, pair.data, 0.9 * sigma))
            return (consistency.weight(config, pair.more, pair.less) * distances).sum()

        return np.linalg.norm(jax.grad(loss)(jnp.zeros((200, 3))), axis=1)

    config = exact(inverse_width=False)
    for sigma in (0.05, 1.0, 20.0):
        assert lengths(dataclasses.replace(config, inverse_scale=True), sigma) == pytest.approx(1.0, abs=0.02)
    assert lengths(config, 20.0).mean() > 9 * lengths(config, 0.05).mean()


def test_the_grid_follows_the_steps_of_the_optimiser():
    state = consistency.init(TINY, jax.random.key(0))
    batch = consistency.DenoiserDefaults.batch_type.fget(TINY)(jnp.zeros((2, 4, 4, 1)), jnp.zeros(2, jnp.int32))
    update = jax.jit(lambda state: consistency.update(TINY, state, batch, jax.random.key(1)))
    found = []
    for _ in range(3):
        state, metrics = update(state)
        found.append(int(metrics["levels"]))
    assert found == [3, 3, 5]
