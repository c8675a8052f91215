import re

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.moving_averages import (
    FURTHER,
    WIDEST,
    Constant,
    Exponential,
    HalfLife,
    NoAverage,
    PowerFunction,
    RampedHalfLife,
    begin,
    exponent,
    interpolate,
)
from jaxgen.ramps import CosineRamp


def step_of(number):
    return jnp.int32(number)


def weights_of_updates(average, num):
    """How much each of `num` updates counts in the average after the last: unit vectors, one an update."""
    found = jnp.zeros(num)
    for number in range(1, num + 1):
        found = average.update(found, jnp.eye(num)[number - 1], step_of(number))
    return np.asarray(found)


@pytest.mark.parametrize(
    ("decay", "step", "rate"),
    [(0.9, 1, 2 / 11), (0.9, 10_000, 0.9), (0.5, 8, 0.5), (0.5, 7, 8 / 17), (0.999, 1, 2 / 11)],
)
def test_the_exponential_average_has_the_warmed_up_decay(decay, step, rate):
    new = Exponential(decay).update({"w": jnp.ones(2)}, {"w": jnp.full(2, 3.0)}, step_of(step))
    np.testing.assert_allclose(new["w"], rate * 1.0 + (1 - rate) * 3.0, rtol=1e-6)


@pytest.mark.parametrize("decay", [0.9, 0.5, 0.9999])
def test_the_constant_average_has_its_decay_from_the_first_update_on(decay):
    """The weight of an update that lies n back is d^n (1 - d), and the start's d^10."""
    found = weights_of_updates(Constant(decay), 10)
    np.testing.assert_allclose(found, (1 - decay) * decay ** np.arange(9.0, -1.0, -1.0), rtol=2e-4)
    start = Constant(decay).update(jnp.ones(()), jnp.zeros(()), step_of(1))
    assert float(start) == pytest.approx(decay, rel=1e-6)


@pytest.mark.parametrize("half_life", [1.0, 4.0, 2.5])
def test_weights_half_life_updates_ago_count_half(half_life):
    """Without a ramp the weight of an update that lies n back is 2^(-n / half_life) of the last one's."""
    found = weights_of_updates(HalfLife(half_life, ramp_up=None), 10)
    np.testing.assert_allclose(found, found[-1] * 0.5 ** (np.arange(9, -1, -1) / half_life), rtol=1e-5)
    assert found[-1] == pytest.approx(1 - 0.5 ** (1 / half_life), rel=1e-5)


def test_the_ramp_shortens_the_half_life_to_a_share_of_the_updates_so_far():
    """At update t it is min(half_life, t / 2): decays 1/4, 1/2, 2^(-2/3), 2^(-1/2), then 2^(-1/2) again."""
    average, decays = HalfLife(2.0, ramp_up=0.5), [1 / 4, 1 / 2, 2 ** (-2 / 3), 2 ** (-1 / 2), 2 ** (-1 / 2)]
    for number, decay in enumerate(decays, 1):
        assert float(average.update(jnp.ones(()), jnp.zeros(()), step_of(number))) == pytest.approx(decay, rel=1e-6)


def test_a_ramp_of_the_half_life_counts_the_updates_before_and_begins_with_the_weights_themselves():
    """0, 1, 3, 4 and 4 again on half a cosine over three updates: decays 0, 1/2, 2^(-1/3), 2^(-1/4)."""
    average = RampedHalfLife(CosineRamp(0.0, 4.0, 3))
    for number, decay in enumerate([0.0, 1 / 2, 2 ** (-1 / 3), 2 ** (-1 / 4), 2 ** (-1 / 4)], 1):
        found = average.update(jnp.ones(()), jnp.zeros(()), step_of(number))
        assert float(found) == pytest.approx(decay, rel=1e-5)
    assert average.update(jnp.full(2, 7.0), jnp.full(2, 3.0), step_of(1)).tolist() == [3.0, 3.0]


def test_an_average_before_any_update_is_what_is_new_and_no_nan():
    found = HalfLife().update(jnp.ones(2), jnp.full(2, 3.0), step_of(0))
    np.testing.assert_array_equal(found, [3.0, 3.0])


@pytest.mark.parametrize(
    ("width", "gamma"),
    [(0.05, 16.9721986023), (0.10, 6.9372039376), (0.13, 4.6035967815), (0.20, 1.8262137799), (WIDEST, 0.0)],
)
def test_the_exponent_of_a_width_is_that_of_the_authors_code(width, gamma):
    """The cubic's root, and back: sigma_rel of the density (gamma + 1) s^gamma on [0, 1]."""
    found = exponent(width)
    assert found == pytest.approx(gamma, abs=1e-9)
    assert np.sqrt((found + 1) / ((found + 2) ** 2 * (found + 3))) == pytest.approx(width, rel=1e-12)


@pytest.mark.parametrize("width", [0.05, 0.1, 0.2])
def test_a_power_function_weighs_updates_by_a_power_of_their_time(width):
    """Of t updates the weights of the first i sum to (i/t)^(gamma + 1) where the product of (1 - 1/j)^(gamma + 1)
    telescopes: the weight of update i is a difference of powers.
    """
    found = weights_of_updates(PowerFunction(width), 50)
    sums = (np.arange(51) / 50) ** (exponent(width) + 1)
    np.testing.assert_allclose(found, np.diff(sums), rtol=1e-4, atol=1e-12)
    middle = np.arange(50) + 0.5
    mean = (found * middle).sum()
    assert np.sqrt((found * (middle - mean) ** 2).sum()) / 50 == pytest.approx(width, rel=0.01)


def test_the_widest_power_function_is_the_plain_mean():
    np.testing.assert_allclose(weights_of_updates(PowerFunction(WIDEST), 20), 0.05, rtol=1e-5)


def test_a_power_function_begins_with_the_new_weights_and_still_moves_after_millions():
    """1 - d is about (gamma + 1) / t: by expm1 and log1p float32 has it."""
    for step in (0, 1):
        found = PowerFunction(0.1).update(jnp.full(2, 7.0), jnp.full(2, 3.0), step_of(step))
        np.testing.assert_array_equal(found, [3.0, 3.0])
    share = float(PowerFunction(0.1).update(jnp.zeros(()), jnp.ones(()), step_of(10_000_000)))
    assert share == pytest.approx((exponent(0.1) + 1) / 1e7, rel=1e-5)


def test_further_widths_are_averages_of_their_own():
    kind = PowerFunction(0.05, further=(0.1, 0.2))
    tree = {"params": {"w": jnp.zeros(3)}, "batch_stats": {"mean": jnp.zeros(3)}}
    average, alone = begin(kind, tree), dict.fromkeys((0.05, 0.1, 0.2), tree)
    for number in range(1, 8):
        new = jax.tree.map(lambda leaf, number=number: leaf + number**2, tree)
        average = kind.update(average, new, step_of(number))
        alone = {width: PowerFunction(width).update(one, new, step_of(number)) for width, one in alone.items()}
    assert set(average) == {"params", "batch_stats", FURTHER}
    for width, wanted in alone.items():
        chex.assert_trees_all_equal(kind.of_width(average, width), wanted)
    assert len({float(one["params"]["w"][0]) for one in alone.values()}) == 3


def test_other_averages_begin_as_the_variables():
    tree = {"params": {"w": jnp.zeros(3)}}
    assert all(begin(kind, tree) is tree for kind in (NoAverage(), HalfLife(), PowerFunction(0.1)))


def test_further_widths_are_refused_of_a_model_that_keeps_one():
    tree = {"params": {"w": jnp.zeros(3)}}
    with pytest.raises(ValueError, match=r"further is \(0.1,\), but must be \(\) for this model"):
        PowerFunction(0.05, (0.1,)).update(tree, tree, step_of(1))


@pytest.mark.parametrize(
    "average",
    [NoAverage(), Constant(0.9), Exponential(0.9), HalfLife(3.0), RampedHalfLife(), PowerFunction()],
    ids=str,
)
def test_constant_weights_are_their_own_average_and_shares_sum_to_one(average):
    weights = mean = {"w": jax.random.normal(jax.random.key(0), (3,))}
    for number in range(1, 6):
        mean = average.update(mean, weights, step_of(number))
    chex.assert_trees_all_close(mean, weights, rtol=1e-6)
    assert hash(average) == hash(type(average)(**vars(average)))


def test_without_an_average_the_new_weights_themselves_are_given_back():
    """Not a pass over all weights that gives them once more."""
    average, new = ({"w": jnp.full(2, value)} for value in (1.0, 3.0))
    assert NoAverage().update(average, new, step_of(5)) is new


@pytest.mark.parametrize(
    "average",
    [Constant(0.5), Exponential(0.9), HalfLife(3.0), RampedHalfLife(CosineRamp(1.0, 3.0, 5)), PowerFunction(0.25)],
    ids=str,
)
def test_averages_keep_the_type_of_each_leaf_under_jit(average):
    trees = [
        {"half": jnp.full(2, value, jnp.bfloat16), "single": jnp.full(2, value), "count": jnp.int32(value)}
        for value in (1.0, 3.0)
    ]
    found = jax.jit(average.update)(*trees, step_of(3))
    chex.assert_trees_all_equal_shapes_and_dtypes(found, trees[0])
    assert 1.0 < float(found["single"][0]) < 3.0 and found["count"] == 3


def test_a_share_lies_between_old_and_new():
    found = interpolate(jnp.array([0.0, 1.0]), jnp.array([1.0, 3.0]), jnp.float32(0.25))
    np.testing.assert_allclose(found, [0.25, 1.5])


def test_the_defaults_are_those_of_the_docs():
    assert Exponential() == Exponential(0.999) and HalfLife() == HalfLife(1_000.0, ramp_up=0.05)
    assert Constant() == Constant(0.9999) and PowerFunction() == PowerFunction(0.05, further=())


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (Constant, {"decay": 0.0}),
        (Constant, {"decay": 1.0}),
        (Exponential, {"decay": 0.0}),
        (Exponential, {"decay": 1.0}),
        (HalfLife, {"half_life": 0.0}),
        (HalfLife, {"ramp_up": 0.0}),
        (RampedHalfLife, {"half_life": CosineRamp(-1.0, 1.0, 1)}),
        (RampedHalfLife, {"half_life": CosineRamp(1.0, -1.0, 1)}),
        (PowerFunction, {"width": 0.0}),
        (PowerFunction, {"width": 0.2887}),
        (PowerFunction, {"further": (0.05,)}),
        (PowerFunction, {"further": (0.1, 0.1)}),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings):
    ((name, value),) = settings.items()
    with pytest.raises(ValueError, match=re.escape(f"{name} is {value}, but must be")):
        kind(**settings)


def test_a_further_width_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"further is 0.3, but must be in \(0, 0.2887\]"):
        PowerFunction(0.05, further=(0.1, 0.3))
