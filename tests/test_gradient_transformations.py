import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgen.gradient_transformations import to_optax
from jaxgen.optimizers import (
    SGD,
    Adagrad,
    Adam,
    Constant,
    Cosine,
    InverseRoot,
    InverseTime,
    LinearDecay,
    Optimizer,
    RAdam,
    RampedAdam,
    RMSProp,
    StepDecay,
)
from jaxgen.ramps import CosineRamp
from jaxgen.testing import variations

GRADIENTS = [0.5, -1.0, 2.0, 0.1]
MORE = [*GRADIENTS, -0.3, 1.5, 0.7, -0.2]  # RAdam is plain momentum for five steps


def run(settings, start=1.0, gradients=GRADIENTS):
    """The parameter after each gradient."""
    return run_optax(to_optax(settings), start, gradients)


def run_optax(tx, start=1.0, gradients=GRADIENTS):
    with jax.numpy_dtype_promotion("standard"):
        params, path = jnp.float32(start), []
        state = tx.init(params)
        for gradient in gradients:
            updates, state = tx.update(jnp.float32(gradient), state, params)
            params = optax.apply_updates(params, updates)
            path.append(float(params))
    return path


def descended(factors=(1, 1, 1, 1), gradients=GRADIENTS, decay=0.0):
    """Gradient descent by hand, from 1 with rate 0.1 times each factor."""
    x, path = 1.0, []
    for g, factor in zip(gradients, factors, strict=True):
        x -= 0.1 * factor * (g + decay * x)
        path.append(x)
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
    np.testing.assert_allclose(run(Optimizer(0.01, Adam(b1, 0.9, 1e-3, eps_root))), wanted, rtol=1e-6)


@pytest.mark.parametrize("b1", [0.5, 0.0])
def test_adam_with_a_ramp_takes_the_decay_of_each_step_and_corrects_by_the_latest(b1):
    """At step t, from 1 on, b2 is the ramp's value after t - 1 steps, as when torch's betas are set before a step."""
    ramp = CosineRamp(0.5, 0.9, 2)  # 0.5, 0.7, then 0.9
    x, m, v, wanted = 1.0, 0.0, 0.0, []
    for t, (g, b2) in enumerate(zip(GRADIENTS, (0.5, 0.7, 0.9, 0.9), strict=True), 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        x -= 0.01 * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + 1e-3)
        wanted.append(x)
    np.testing.assert_allclose(run(Optimizer(0.01, RampedAdam(b1, ramp, 1e-3))), wanted, rtol=1e-5)


@pytest.mark.parametrize(("b1", "eps_root"), [(0.5, 0.0), (0.0, 0.0), (0.5, 0.1)])
def test_a_ramp_that_stays_is_adam_and_has_its_state(b1, eps_root):
    ramped = Optimizer(0.01, RampedAdam(b1, CosineRamp(0.9, 0.9, 3), eps_root=eps_root))
    plain = Optimizer(0.01, Adam(b1, 0.9, eps_root=eps_root))
    np.testing.assert_allclose(run(ramped), run(plain), rtol=1e-6)
    chex.assert_trees_all_equal_structs(*(to_optax(each).init(jnp.ones(2)) for each in (ramped, plain)))


def test_radam_is_algorithm_2_of_liu_et_al():
    """The rectified step begins where more than 5 gradients' worth of variance is known: here at the sixth step."""
    x, m, v, b1, b2, wanted = 1.0, 0.0, 0.0, 0.8, 0.99, []
    longest = 2 / (1 - b2) - 1
    for t, g in enumerate(MORE, 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        mean, length = m / (1 - b1**t), longest - 2 * t * b2**t / (1 - b2**t)
        if length >= 5:
            r = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            mean *= np.sqrt(r) / (np.sqrt(v / (1 - b2**t) + 1e-2) + 1e-3)
        x -= 0.01 * mean
        wanted.append(x)
    got = run(Optimizer(0.01, RAdam(b1, b2, 1e-3, 1e-2)), gradients=MORE)
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "rule", [Adam(), RampedAdam(0.5, CosineRamp(0.8, 0.9, 4)), RAdam(), RMSProp(), Adagrad(), SGD()]
)
def test_every_setting_changes_the_steps(rule):
    settings = Optimizer(1e-2, rule)
    usual = run(settings, gradients=MORE)
    varied = [*variations(settings), ("clip_norm", dataclasses.replace(settings, clip_norm=1.0))]
    varied = [(name, other) for name, other in varied if name not in ("orthogonality", "normalized")]  # of kernels
    inner = 2 * isinstance(rule, RampedAdam)  # a ramp has three settings
    assert len(varied) == 6 + len(dataclasses.fields(rule)) + inner  # the parts around the rule, and its own settings
    assert [name for name, other in varied if run(other, gradients=MORE) == usual] == []


@pytest.mark.parametrize(("b1", "moments"), [(0.5, 2), (0.0, 1)])
def test_adam_keeps_the_mean_of_gradients_only_where_it_is_not_the_gradient(b1, moments):
    state = to_optax(Optimizer(1e-3, Adam(b1))).init({"w": jnp.zeros((3, 2))})
    assert sum(leaf.size for leaf in jax.tree.leaves(state) if leaf.ndim) == moments * 6


def test_rmsprop_is_pytorchs_with_eps_outside_the_root():
    x, v, wanted = 1.0, 0.0, []
    for g in GRADIENTS:
        v = 0.9 * v + 0.1 * g * g
        x -= 0.01 * g / (np.sqrt(v) + 1e-2)
        wanted.append(x)
    np.testing.assert_allclose(run(Optimizer(0.01, RMSProp(0.9, 1e-2))), wanted, rtol=1e-6)


def test_adagrad_divides_by_the_root_of_all_squared_gradients():
    x, v, wanted = 1.0, 0.1, []
    for g in GRADIENTS:
        v += g * g
        x -= 0.01 * g / np.sqrt(v + 1e-2)
        wanted.append(x)
    np.testing.assert_allclose(run(Optimizer(0.01, Adagrad(0.1, 1e-2))), wanted, rtol=1e-6)


def test_sgd_has_heavy_ball_momentum():
    x, m, wanted = 1.0, 0.0, []
    for g in GRADIENTS:
        m = 0.5 * m + g
        x -= 0.1 * m
        wanted.append(x)
    np.testing.assert_allclose(run(Optimizer(0.1, SGD(0.5))), wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (Constant(), [1, 1, 1, 1]),
        (LinearDecay(end=3, begin=1), [1, 1, 0.5, 0]),
        (InverseTime(decay=0.5), [1, 1 / 1.5, 1 / 2, 1 / 2.5]),
        (InverseRoot(2), [1, 1, 1, 1 / np.sqrt(1.5)]),
        (Cosine(end=2), [1, 0.5, 0, 0]),
        (StepDecay(2, 0.25), [1, 1, 0.25, 0.25]),
        (Cosine(end=3, final=0.2), [1, 0.2 + 0.8 * 0.75, 0.2 + 0.8 * 0.25, 0.2]),  # (1 + cos(pi t / 3)) / 2
    ],
)
def test_schedules_scale_the_rate_at_each_step(schedule, factors):
    np.testing.assert_allclose(run(Optimizer(0.1, SGD(), schedule)), descended(factors), rtol=1e-6)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [(Constant(), [1 / 4, 2 / 4, 3 / 4, 1]), (LinearDecay(end=4), [1 / 4, 2 / 4 * 3 / 4, 3 / 4 * 2 / 4, 1 / 4])],
)
def test_warm_up_raises_the_rate_on_a_line_while_the_schedule_counts_from_the_first_step(schedule, factors):
    np.testing.assert_allclose(run(Optimizer(0.1, SGD(), schedule, warm_up=3)), descended(factors), rtol=1e-6)


@pytest.mark.parametrize(("images", "rate"), [(1e6, 0.001), (1e7, 0.01), (1e9, 0.0037862911), (2.147e9, 0.0025840325)])
def test_the_inverse_root_with_a_warm_up_has_the_rates_of_edm2(images, rate):
    """Size S at 512 pixels: 0.01, 70,000 steps of 2,048 images, risen over 10 million; the steps are rounded."""
    tx = to_optax(Optimizer(0.01, SGD(), InverseRoot(70_000), warm_up=4_882))
    state = optax.tree_utils.tree_set(tx.init(jnp.ones(())), count=jnp.int32(images / 2048))
    np.testing.assert_allclose(-tx.update(jnp.ones(()), state)[0], rate, rtol=2e-3 if images < 1e7 else 1e-6)


def test_clipping_bounds_the_length_of_the_whole_gradient_and_keeps_its_direction():
    clip = to_optax(Optimizer(1.0, SGD(), clip_norm=10.0))
    grads = {"a": jnp.array([3.0, 4.0]), "b": jnp.full((4,), 6.0)}  # 9 + 16 + 4 * 36 = 169 = 13^2
    updates, _ = clip.update(grads, clip.init(grads))
    chex.assert_trees_all_close(updates, jax.tree.map(lambda leaf: -leaf * 10 / 13, grads), rtol=1e-6)
    shorter = jax.tree.map(lambda leaf: leaf * 0.75, grads)
    chex.assert_trees_all_equal(clip.update(shorter, clip.init(grads))[0], jax.tree.map(jnp.negative, shorter))


def test_clipping_sums_the_length_of_bfloat16_gradients_in_float32():
    """In bfloat16 a sum of 256^2 such squares stops growing long before 1."""
    clip = to_optax(Optimizer(1.0, SGD(), clip_norm=0.5))
    grads = {str(number): jnp.full((8, 8), 1 / 128, jnp.bfloat16) for number in range(256)}
    with jax.numpy_dtype_promotion("standard"):
        updates, _ = clip.update(grads, clip.init(grads))
    assert updates["0"].dtype == jnp.bfloat16
    np.testing.assert_allclose(np.asarray(updates["7"], np.float32), -0.5 / 128, rtol=2**-8)


def test_clipping_has_a_slope_at_a_gradient_of_zero_and_hides_no_nan():
    clip = to_optax(Optimizer(0.5, SGD(), clip_norm=1.0))

    def step(gradient):
        return clip.update(gradient, clip.init(gradient))[0]

    np.testing.assert_array_equal(jax.jacobian(step)(jnp.zeros(2)), -0.5 * np.eye(2))
    assert np.isnan(step(jnp.array([jnp.nan, 1.0]))).all()


def test_orthogonality_descends_its_penalty_of_kernels_but_not_of_embeddings_or_of_other_weights():
    """The gradient of beta |W^T W * (1 - I)|^2 is 4 beta W (W^T W * (1 - I))."""
    weights = np.array([[3.0, 4.0], [0.0, 5.0]], np.float32)
    params = {name: {"kernel": jnp.asarray(weights)} for name in ("dense", "embedding")}
    params |= {
        "conv": {"kernel": jnp.asarray(weights.reshape(1, 2, 1, 2)), "bias": jnp.ones(2)},
        "table": jnp.ones((2, 2)),
    }
    tx = to_optax(Optimizer(1.0, SGD(), orthogonality=0.5))
    updates, _ = tx.update(jax.tree.map(jnp.zeros_like, params), tx.init(params), params)
    off_diagonal = (weights.T @ weights) * (1 - np.eye(2))
    np.testing.assert_allclose(updates["dense"]["kernel"], -0.5 * 4 * weights @ off_diagonal, rtol=1e-6)
    np.testing.assert_array_equal(updates["conv"]["kernel"].reshape(2, 2), updates["dense"]["kernel"])
    still = updates["embedding"]["kernel"], updates["conv"]["bias"], updates["table"]
    assert not any(leaf.any() for leaf in still)


def test_orthogonality_is_a_part_of_the_gradient_that_is_clipped():
    params = {"kernel": jnp.array([[3.0, 4.0], [0.0, 5.0]])}
    tx = to_optax(Optimizer(1.0, SGD(), orthogonality=1.0, clip_norm=0.5))
    updates, _ = tx.update(jax.tree.map(jnp.zeros_like, params), tx.init(params), params)
    np.testing.assert_allclose(jnp.linalg.norm(updates["kernel"]), 0.5, rtol=1e-5)


def test_weight_decay_is_that_of_optax_adamw():
    settings = Optimizer(0.01, Adam(0.8, 0.9, 1e-3), LinearDecay(5), weight_decay=0.3)
    rate = optax.linear_schedule(0.01, 0.0, 5)
    wanted = run_optax(optax.adamw(rate, 0.8, 0.9, 1e-3, weight_decay=0.3))
    assert run(settings) == wanted
    chex.assert_trees_all_equal_structs(
        to_optax(settings).init(jnp.ones(2)), optax.adamw(rate, weight_decay=0.3).init(jnp.ones(2))
    )


@pytest.mark.parametrize("rule", [Adam(), Adam(b1=0.0), RAdam(), RMSProp(), Adagrad(), SGD(), SGD(0.5)])
def test_weight_decay_takes_its_share_of_the_weight_beside_every_rule(rule):
    """The first step from 1 and that from 0 see the same gradient and differ by the decay alone."""
    settings = Optimizer(0.1, rule, weight_decay=0.3)
    at_one, at_zero = (run(settings, start, GRADIENTS[:1])[0] for start in (1.0, 0.0))
    np.testing.assert_allclose(at_one - at_zero, 1 - 0.1 * 0.3, rtol=1e-5)
    np.testing.assert_allclose(at_zero, run(Optimizer(0.1, rule), 0.0, GRADIENTS[:1])[0], rtol=1e-6)


def test_accumulation_takes_one_step_down_the_mean_gradient():
    path = run(Optimizer(0.1, SGD(), LinearDecay(2), accumulate=2))
    first, second = descended([1, 0.5], [-0.25, 1.05])
    np.testing.assert_allclose(path, [1, first, first, second], rtol=1e-6)


def test_all_parts_together_accumulate_clip_follow_the_rule_decay_and_scale_in_this_order():
    """Each other order of the parts gives other numbers here."""
    settings = Optimizer(0.1, SGD(0.5), LinearDecay(4), warm_up=1, clip_norm=0.5, weight_decay=0.3, accumulate=2)
    first = np.clip(np.mean(GRADIENTS[:2]), -0.5, 0.5)
    second = np.clip(np.mean(GRADIENTS[2:]), -0.5, 0.5)
    one = 1 - 0.1 * 0.5 * (first + 0.3 * 1)
    two = one - 0.1 * 0.75 * (0.5 * first + second + 0.3 * one)
    np.testing.assert_allclose(run(settings), [1, one, one, two], rtol=1e-6)


HALVES = functools.partial(optax.rmsprop, eps_in_sqrt=False)


@pytest.mark.parametrize("schedule", [Constant(), LinearDecay(5)])
@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (Adam(0.5, 0.9), lambda rate: optax.adam(rate, 0.5, 0.9)),
        (Adam(0.0, 0.9), lambda rate: HALVES(rate, 0.9, 1e-8, bias_correction=True)),
        (Adam(0.0, 0.9, eps_root=1e-4), lambda rate: optax.adam(rate, 0.0, 0.9, eps_root=1e-4)),
        (RAdam(0.5, 0.9), lambda rate: optax.radam(rate, 0.5, 0.9)),
        (RMSProp(0.9), lambda rate: HALVES(rate, 0.9, 1e-8)),
        (SGD(), optax.sgd),
        (SGD(0.5), lambda rate: optax.sgd(rate, 0.5)),
        (Adagrad(0.1), lambda rate: optax.adagrad(rate, 0.1, 1e-10)),
    ],
)
def test_a_rule_alone_is_optax_own_optimizer_with_its_state_and_numbers(rule, wanted, schedule):
    """So that the state in a checkpoint has one structure, whichever parts there are to choose from."""
    rate = 0.01 if schedule == Constant() else optax.linear_schedule(0.01, 0.0, 5)
    composed, plain = to_optax(Optimizer(0.01, rule, schedule)), wanted(rate)
    params = {"w": jnp.ones((2, 3)), "b": jnp.zeros(3)}
    chex.assert_trees_all_equal_structs(composed.init(params), plain.init(params))
    chex.assert_trees_all_equal(composed.init(params), plain.init(params))
    assert run_optax(composed, gradients=MORE) == run_optax(plain, gradients=MORE)


def test_equal_settings_give_the_same_optimizer():
    assert to_optax(Optimizer(1e-3, Adam())) is to_optax(Optimizer(1e-3, Adam()))
    assert to_optax(Optimizer(1e-3, Adam())) is not to_optax(Optimizer(1e-3, Adam(b1=0.5)))


@pytest.mark.parametrize("rule", [SGD(), Adam(), Adam(b1=0.0)])
def test_normalized_kernels_have_the_mean_square_1_for_each_output_after_each_step(rule):
    """The step is that of the optimiser without it, and then a new length; other weights take the plain one."""
    keys = jax.random.split(jax.random.key(0), 4)
    params = {"conv": {"kernel": 3.0 * jax.random.normal(keys[0], (3, 3, 2, 5))}, "dense": {"bias": jnp.ones(4)}}
    gradients = {"conv": {"kernel": jax.random.normal(keys[1], (3, 3, 2, 5))}, "dense": {"bias": jnp.full(4, 0.5)}}
    after = []
    for settings in (Optimizer(0.1, rule), Optimizer(0.1, rule, normalized=True)):
        tx = to_optax(settings)
        with jax.numpy_dtype_promotion("standard"):  # optax raises a float to an integer count
            updates, _ = tx.update(gradients, tx.init(params), params)
        after.append(jax.tree.map(jnp.add, params, updates))
    kernels = [each["conv"]["kernel"] for each in after]
    np.testing.assert_allclose((kernels[1] ** 2).mean((0, 1, 2)), 1.0, atol=1e-3)
    lengths = jnp.linalg.norm(kernels[0].reshape(-1, 5), axis=0)
    np.testing.assert_allclose(kernels[1], kernels[0] * (np.sqrt(18) / lengths)[None, None, None], rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(after[0]["dense"]["bias"], after[1]["dense"]["bias"])
