import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.batches import Labelled
from jaxgen.diffusion import flow_matching, mean_flow
from jaxgen.diffusion.denoising import Examples
from jaxgen.diffusion.mean_flow import Jumps, Spans
from jaxgen.diffusion.times import LogitNormal
from jaxgen.mode import EVALUATION
from jaxgen.moving_averages import Constant
from jaxgen.nets.dit import BASE, DiT
from jaxgen.nets.unet.condition import as_condition
from jaxgen.optimizers import Adam, Optimizer
from tests import contract
from tests.diffusion.networks import BEFORE_BATCH_NORM, Tiny
from tests.nets.parameters import count, zeros

TINY = mean_flow.Config(
    image_shape=(4, 4, 1),
    num_classes=3,
    denoiser=Tiny(),
    instant=0.5,
    power=0.5,
    scale=1.5,
    mixing=0.25,
    drawing=Jumps(2),
    optimizer=Optimizer(1e-3, Adam()),
    average=Constant(0.5),
)
RATE = 0.7


class TestContract(contract.Suite):
    case = contract.Case(mean_flow, TINY, unreached=BEFORE_BATCH_NORM, inert=("schedule.end",))  # of `UniformTimes`


class Linear(nn.Module):
    """u of the field v(z) = a z: z (1 - e^(-a (t - r))) / (t - r), and a z where r = t."""

    @nn.compact
    def __call__(self, inputs, times, condition, output_shape, *, mode=EVALUATION):
        rate = self.param("rate", nn.initializers.constant(RATE), (1,))[0]
        span = as_condition(condition).span[:, None]
        safe = jnp.where(span > 1e-6, span, 1.0)
        return inputs * jnp.where(span > 1e-6, -jnp.expm1(-rate * safe) / safe, rate)


LINEAR = mean_flow.Config(image_shape=(3,), value_range=None, denoiser=Linear(), power=0.0)
STATE = mean_flow.init(LINEAR, jax.random.key(0))


def velocity(points, earlier, later):
    ends = (jnp.full(len(points), end) for end in (earlier, later))
    return mean_flow.average_velocity(LINEAR, STATE.ema, points, tuple(ends), None)[0]


def test_settings_are_the_papers():
    config = mean_flow.Config()
    assert config.times == LogitNormal(-0.4, 1.0) and config.instant == 0.75
    assert (config.power, config.offset, config.drawing) == (1.0, 0.01, Jumps(1))
    assert config.optimizer == Optimizer(1e-4, Adam(b2=0.95)) and config.average == Constant(0.9999)
    assert config.denoiser == BASE.clone(patch=4) and not config.guided


def test_parameters_of_b_4_are_those_of_the_paper():
    """131 million there: 131,165,248 with 1,000 classes and a row for none, on latents of 32x32x4."""
    condition = mean_flow.Condition(zeros(1001), span=jnp.zeros(1))
    assert count(BASE.clone(patch=4), zeros(32, 32, 4), jnp.zeros(1), condition, (32, 32, 4)) == 131_165_248


def test_the_average_of_a_linear_field_has_the_closed_form():
    assert float(velocity(jnp.full((1, 3), 1.3), 0.2, 0.9)[0, 0]) == pytest.approx(0.7194081251, rel=1e-5)


def test_spans_add_up():
    """(t - r) u(r, t) = (s - r) u(z_s, r, s) + (t - s) u(z_t, s, t)."""
    points = jax.random.normal(jax.random.key(1), (4, 3))
    r, s, t = 0.1, 0.45, 0.8
    between = points - (t - s) * velocity(points, s, t)
    whole = (t - r) * velocity(points, r, t)
    np.testing.assert_allclose(whole, (s - r) * velocity(between, r, s) + (t - s) * velocity(points, s, t), rtol=1e-5)


def spans(earlier=0.3, later=0.8, num=6):
    keys = jax.random.split(jax.random.key(2))
    data, noise = (jax.random.normal(key, (num, 3)) for key in keys)
    return Spans(data, noise, jnp.full(num, later), jnp.full(num, earlier), None)


def test_the_identity_holds_for_the_field_itself():
    """Where the velocity of the path is that of the field, noise = x_0 + a z_t, the error is 0."""
    drawn = spans()
    later = 0.8
    noise = (1.0 + RATE * (1 - later)) / (1.0 - RATE * later) * drawn.data
    loss, (metrics, _) = mean_flow.mean_flow_loss(LINEAR, STATE.ema, drawn._replace(noise=noise), EVALUATION)
    assert float(loss) == pytest.approx(0.0, abs=1e-8) and metrics["error"] < 1e-8
    other, _ = mean_flow.mean_flow_loss(LINEAR, STATE.ema, drawn, EVALUATION)
    assert other > 1.0


def test_the_derivative_is_that_along_the_path():
    """The target by finite differences of u along (v, 1), in float64 by NumPy."""
    drawn = spans()
    points, v = np.float64(0.2 * drawn.data + 0.8 * drawn.noise), np.float64(drawn.noise - drawn.data)

    def u(points, later):
        return points * -np.expm1(-RATE * (later - 0.3)) / (later - 0.3)

    step = 1e-5
    change = (u(points + step * v, 0.8 + step) - u(points - step * v, 0.8 - step)) / (2 * step)
    wanted = ((u(points, 0.8) - (v - 0.5 * change)) ** 2).sum(1).mean()
    assert mean_flow.mean_flow_loss(LINEAR, STATE.ema, drawn, EVALUATION)[0] == pytest.approx(wanted, rel=1e-4)


def test_without_a_span_it_is_flow_matching():
    """The sum over numbers in place of their mean."""
    drawn = spans(0.8, 0.8)
    loss, _ = mean_flow.mean_flow_loss(LINEAR, STATE.ema, drawn, EVALUATION)

    class Field(nn.Module):
        @nn.compact
        def __call__(self, inputs, times, condition, output_shape, *, mode=EVALUATION):
            return self.param("rate", nn.initializers.constant(RATE), (1,))[0] * inputs

    flow = flow_matching.Config(image_shape=(3,), value_range=None, denoiser=Field())
    examples = Examples(drawn.data, drawn.noise, drawn.later, None)
    wanted, _ = flow_matching.flow_loss(flow, flow_matching.init(flow, jax.random.key(0)).ema, examples, EVALUATION)
    assert float(loss) == pytest.approx(3 * float(wanted), rel=1e-5)


@pytest.mark.parametrize("power", [1.0, 0.75])
def test_the_error_of_an_example_is_divided_by_its_own_power(power):
    """With power 1 the loss is near 1 wherever the error is large: a flat curve is no fault."""
    drawn, config = spans(num=1), dataclasses.replace(LINEAR, power=power)
    bare = float(mean_flow.mean_flow_loss(LINEAR, STATE.ema, drawn, EVALUATION)[0])
    slope = jax.grad(lambda variables: mean_flow.mean_flow_loss(LINEAR, variables, drawn, EVALUATION)[0])(STATE.ema)
    divided, (metrics, _) = mean_flow.mean_flow_loss(config, STATE.ema, drawn, EVALUATION)
    weight = (bare + 0.01) ** -power
    assert divided == pytest.approx(bare * weight, rel=1e-5) and metrics["error"] == pytest.approx(bare, rel=1e-5)
    found = jax.grad(lambda variables: mean_flow.mean_flow_loss(config, variables, drawn, EVALUATION)[0])(STATE.ema)
    np.testing.assert_allclose(found["params"]["rate"], weight * slope["params"]["rate"], rtol=1e-5)


@pytest.mark.parametrize("steps", [1, 3])
def test_steps_of_the_exact_field_lead_to_its_solution(steps):
    """z_0 = z_1 e^(-a), whatever the number of steps."""
    latents = jax.random.normal(jax.random.key(3), (5, 3))
    config = dataclasses.replace(LINEAR, drawing=Jumps(steps))
    found = mean_flow.from_latents(config, STATE, latents)
    np.testing.assert_allclose(found, latents * np.exp(-RATE), rtol=1e-5)


class Told(nn.Module):
    """2 with a class, 1 without."""

    @nn.compact
    def __call__(self, inputs, times, condition, output_shape, *, mode=EVALUATION):
        weight = self.param("weight", nn.initializers.ones, (1,))[0]
        return weight * jnp.broadcast_to(1.0 + condition.classes.sum(1)[:, None], inputs.shape)


def test_guidance_mixes_three_velocities_and_leaves_examples_without_a_class():
    config = mean_flow.Config(
        image_shape=(3,), value_range=None, num_classes=2, denoiser=Told(), scale=1.5, mixing=0.25
    )
    state = mean_flow.init(config, jax.random.key(0))
    drawn = spans(num=2)._replace(classes=jnp.array([[0.0, 1.0], [0.0, 0.0]]))
    v = drawn.noise - drawn.data
    found = mean_flow.guided_velocity(config, state.ema, drawn, v, EVALUATION)
    np.testing.assert_allclose(found[0], 1.5 * v[0] + (1 - 1.5 - 0.25) * 1.0 + 0.25 * 2.0, rtol=1e-5)
    np.testing.assert_allclose(found[1], v[1], rtol=1e-6)


def test_times_are_ordered_and_a_share_of_them_the_same():
    drawn = jax.jit(
        lambda: mean_flow.draw_spans(
            dataclasses.replace(TINY, instant=0.3),
            Labelled(jnp.zeros((4000, 4, 4, 1)), jnp.zeros(4000, jnp.int32)),
            jax.random.key(0),
            None,
        )
    )()
    same = drawn.earlier == drawn.later
    assert (drawn.earlier <= drawn.later).all() and same.mean() == pytest.approx(0.3, abs=0.03)
    assert drawn.earlier.min() > 0.0 and drawn.later.max() < 1.0


def test_dit_learns_by_it():
    """Forward-mode derivatives go through attention in pieces as well."""
    config = mean_flow.Config(image_shape=(8, 8, 1), denoiser=DiT(8, 1, 2), optimizer=Optimizer(3e-3, Adam()))
    state = mean_flow.init(config, jax.random.key(0))
    batch = jnp.zeros((8, 8, 8, 1)) + 0.5
    update = jax.jit(lambda state, key: mean_flow.update(config, state, batch, key))
    errors = []
    for key in jax.random.split(jax.random.key(1), 60):
        state, metrics = update(state, key)
        errors.append(float(metrics["error"]))
    assert np.mean(errors[-10:]) < 0.8 * np.mean(errors[:10])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"instant": 1.5}, r"instant is 1.5, but must be in \[0, 1\]"),
        ({"mixing": 1.0, "num_classes": 3}, "mixing is 1.0, but must be below 1"),
        ({"scale": 2.0}, "scale is 2.0, but must be 1, and mixing 0, for a model without classes"),
    ],
)
def test_settings_without_a_meaning_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        mean_flow.Config(**settings)
