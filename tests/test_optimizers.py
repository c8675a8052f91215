import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgen.optimizers import SGD, Adagrad, Adam, Constant, InverseTime, LinearDecay, RMSProp, to_optax
from tests import contract

GRADIENTS = [0.5, -1.0, 2.0, 0.1]


def run(settings, start=1.0):
    """The parameter after each gradient."""
    with jax.numpy_dtype_promotion("standard"):
        tx, params, path = to_optax(settings), jnp.float32(start), []
        state = tx.init(params)
        for gradient in GRADIENTS:
            updates, state = tx.update(jnp.float32(gradient), state, params)
            params = optax.apply_updates(params, updates)
            path.append(float(params))
    return path


def adam_by_hand(rate, b1, b2, eps, eps_root=0.0):
    x, m, v, path = 1.0, 0.0, 0.0, []
    for t, g in enumerate(GRADIENTS, 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        x -= rate * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t) + eps_root) + eps)
        path.append(x)
    return path


@pytest.mark.parametrize("b1", [0.5, 0.0])
@pytest.mark.parametrize("eps_root", [0.0, 0.1])
def test_adam_is_algorithm_1_of_kingma_and_ba(b1, eps_root):
    wanted = adam_by_hand(0.01, b1, 0.9, 1e-3, eps_root)
    np.testing.assert_allclose(run(Adam(0.01, b1=b1, b2=0.9, eps=1e-3, eps_root=eps_root)), wanted, rtol=1e-6)


@pytest.mark.parametrize("settings", [Adam(), RMSProp(), Adagrad(), SGD()])
def test_every_setting_changes_the_steps(settings):
    usual = run(settings)
    assert [name for name, other in contract.variations(settings) if run(other) == usual] == []


@pytest.mark.parametrize(("b1", "moments"), [(0.5, 2), (0.0, 1)])
def test_adam_keeps_the_mean_of_gradients_only_where_it_is_not_the_gradient(b1, moments):
    state = to_optax(Adam(b1=b1)).init({"w": jnp.zeros((3, 2))})
    assert sum(leaf.size for leaf in jax.tree.leaves(state) if leaf.ndim) == moments * 6


def test_rmsprop_is_pytorchs_with_eps_outside_the_root():
    x, v, wanted = 1.0, 0.0, []
    for g in GRADIENTS:
        v = 0.9 * v + 0.1 * g * g
        x -= 0.01 * g / (np.sqrt(v) + 1e-2)
        wanted.append(x)
    np.testing.assert_allclose(run(RMSProp(0.01, decay=0.9, eps=1e-2)), wanted, rtol=1e-6)


def test_adagrad_divides_by_the_root_of_all_squared_gradients():
    x, v, wanted = 1.0, 0.1, []
    for g in GRADIENTS:
        v += g * g
        x -= 0.01 * g / np.sqrt(v + 1e-2)
        wanted.append(x)
    np.testing.assert_allclose(run(Adagrad(0.01, initial_accumulator=0.1, eps=1e-2)), wanted, rtol=1e-6)


def test_sgd_has_heavy_ball_momentum():
    x, m, wanted = 1.0, 0.0, []
    for g in GRADIENTS:
        m = 0.5 * m + g
        x -= 0.1 * m
        wanted.append(x)
    np.testing.assert_allclose(run(SGD(0.1, momentum=0.5)), wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (Constant(), [1, 1, 1, 1]),
        (LinearDecay(end=3, begin=1), [1, 1, 0.5, 0]),
        (InverseTime(decay=0.5), [1, 1 / 1.5, 1 / 2, 1 / 2.5]),
    ],
)
def test_schedules_scale_the_rate_at_each_step(schedule, factors):
    x, wanted = 1.0, []
    for g, factor in zip(GRADIENTS, factors, strict=True):
        x -= 0.1 * factor * g
        wanted.append(x)
    np.testing.assert_allclose(run(SGD(0.1, schedule=schedule)), wanted, rtol=1e-6)


def test_equal_settings_give_the_same_optimizer():
    assert to_optax(Adam(1e-3)) is to_optax(Adam(1e-3))
    assert to_optax(Adam(1e-3)) is not to_optax(Adam(1e-3, b1=0.5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adam(0.0), "learning_rate is 0.0, but must be above 0"),
        (lambda: Adam(1e-3, b1=1.0), r"b1 is 1.0, but must be in \[0, 1\)"),
        (lambda: Adam(1e-3, b2=-0.1), r"b2 is -0.1, but must be in \[0, 1\)"),
        (lambda: Adam(1e-3, eps=0.0), "eps is 0.0, but must be above 0"),
        (lambda: RMSProp(-1.0), "learning_rate is -1.0, but must be above 0"),
        (lambda: RMSProp(1e-3, decay=1.0), r"decay is 1.0, but must be in \[0, 1\)"),
        (lambda: Adagrad(0.0), "learning_rate is 0.0, but must be above 0"),
        (lambda: Adagrad(1e-2, -1.0), "initial_accumulator is -1.0, but must be at least 0"),
        (lambda: Adagrad(1e-2, eps=0.0), "eps is 0.0, but must be above 0"),
        (lambda: SGD(1e-3, momentum=1.5), r"momentum is 1.5, but must be in \[0, 1\)"),
        (lambda: SGD(float("nan")), "learning_rate is nan, but must be above 0"),
        (lambda: LinearDecay(end=5, begin=5), r"begin is 5, but must be in \[0, end=5\)"),
        (lambda: InverseTime(-1.0), "decay is -1.0, but must be at least 0"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
