import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.moving_averages import WIDEST, exponent
from jaxgen.post_hoc_averages import Profile, coefficients, combine, inner_products, profile_error

NUM = 4_000
"""Updates of the walk."""


def profiles(times, widths=(0.05, 0.10)):
    return [Profile(float(time), width) for time in times for width in widths]


def kept(walk, width, times):
    """The average of that width at some times, kept all along, in float64."""
    power, average, found = exponent(width) + 1, np.zeros_like(walk[0]), {}
    for number, weights in enumerate(walk, 1):
        decay = (1 - 1 / number) ** power
        average = decay * average + (1 - decay) * weights
        if number in times:
            found[number] = average
    return found


def test_coefficients_are_those_of_the_authors_code():
    """Snapshots at 250, 500, 750 and 1000, of two widths each; target 0.075 at 1000."""
    found = coefficients(profiles((250, 500, 750, 1000)), Profile(1000.0, 0.075))
    wanted = [5.55e-8, -9.915e-7, 1.3090e-4, -7.8798e-4, 0.011581696, -0.0446650486, 0.3364241579, 0.697317217]
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=0)
    np.testing.assert_allclose(found[4:], wanted[4:], rtol=1e-8)


@pytest.mark.parametrize("widths", [(0.05, 0.10), (0.2, 0.05), (0.1,)])
@pytest.mark.parametrize("place", [0, 3, 5])
def test_a_snapshot_itself_is_one_hot(widths, place):
    snapshots = profiles((10, 20, 30, 40, 50, 60), widths)
    np.testing.assert_allclose(coefficients(snapshots, snapshots[place]), np.eye(len(snapshots))[place], atol=1e-9)


@pytest.mark.parametrize("width", [0.02, 0.075, 0.15, WIDEST])
def test_coefficients_sum_to_one(width):
    assert coefficients(profiles(range(100, 900, 100)), Profile(800.0, width)).sum() == pytest.approx(1, abs=1e-12)


def test_coefficients_do_not_depend_on_the_unit_of_time():
    """Updates, or images: the batch size cancels."""
    times, target = np.array([3.0, 5.0, 8.0]), 7.0
    found = [coefficients(profiles(unit * times), Profile(unit * target, 0.07)) for unit in (1.0, 512.0)]
    np.testing.assert_allclose(*found, rtol=1e-9)


@pytest.mark.parametrize("width", [0.05, 0.1, 0.25])
def test_inner_products_and_mean_times_are_integrals(width):
    """By midpoints of 200,000 pieces."""
    (first, second), times = (Profile(70.0, width), Profile(100.0, 0.13)), (np.arange(200_000) + 0.5) / 2_000

    def weights(profile):
        gamma = exponent(profile.width)
        found = (gamma + 1) * (times / profile.time) ** gamma / profile.time
        return np.where(times <= profile.time, found, 0.0)

    found = inner_products([first, second], [first, second])
    wanted = [[(weights(a) * weights(b)).sum() / 2_000 for b in (first, second)] for a in (first, second)]
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    np.testing.assert_allclose(found, found.T, rtol=1e-12)
    assert first.mean_time == pytest.approx((times * weights(first)).sum() / 2_000, rel=1e-4)


def test_the_combined_profile_has_the_mean_time_of_the_one_wanted():
    snapshots, target = profiles(range(250, 4_001, 250)), Profile(4_000.0, 0.075)
    shares = coefficients(snapshots, target)
    mean = shares @ np.array([one.mean_time for one in snapshots])
    assert mean == pytest.approx(target.mean_time, rel=1e-4)


@pytest.mark.parametrize("target", [(NUM, 0.075), (NUM, 0.06), (3_000, 0.09)])
def test_an_average_kept_all_along_is_reconstructed(target):
    """A random walk of 50 weights, 4,000 updates, snapshots each 250: the error is below 1e-3 of the average."""
    walk = np.cumsum(np.random.default_rng(0).normal(size=(NUM, 50)), axis=0)
    times = range(250, NUM + 1, 250)
    snapshots = {width: kept(walk, width, times) for width in (0.05, 0.10)}
    wanted = kept(walk, target[1], target[:1])[target[0]]
    shares = coefficients(profiles(times), Profile(*map(float, target)))
    trees = [{"w": snapshots[width][time]} for time in times for width in snapshots]
    found = combine(trees, shares)["w"]
    assert np.linalg.norm(found - wanted) < 1e-3 * np.linalg.norm(wanted)
    plain = [np.linalg.norm(snapshots[width][NUM] - wanted) for width in snapshots]
    assert np.linalg.norm(found - wanted) < 0.1 * min(plain), "no better than a snapshot"


def test_two_widths_and_more_snapshots_are_nearer():
    target = Profile(1_000.0, 0.075)

    def error(times, widths):
        snapshots = profiles(times, widths)
        return profile_error(snapshots, target, coefficients(snapshots, target))

    few, many, one = (
        (range(250, 1_001, 250), (0.05, 0.1)),
        (range(125, 1_001, 125), (0.05, 0.1)),
        (range(125, 1_001, 125), (0.05,)),
    )
    assert error(*many) < 0.5 * error(*few) < 0.5 * error(*one)
    assert error((500, 1_000), (0.075,)) == pytest.approx(0, abs=1e-6)


def test_the_error_of_a_profile_is_its_distance_by_quadrature():
    snapshots, target = profiles((60, 100), (0.1,)), Profile(100.0, 0.15)
    shares, times = coefficients(snapshots, target), (np.arange(100_000) + 0.5) / 1_000

    def weights(profile):
        gamma = exponent(profile.width)
        return np.where(times <= profile.time, (gamma + 1) * (times / profile.time) ** gamma / profile.time, 0.0)

    difference = sum(share * weights(one) for share, one in zip(shares, snapshots, strict=True)) - weights(target)
    wanted = np.linalg.norm(difference) / np.linalg.norm(weights(target))
    assert profile_error(snapshots, target, shares) == pytest.approx(wanted, rel=1e-3)


def test_trees_are_combined_leaf_by_leaf_in_float64_each_in_its_own_type():
    """Shares of a million that cancel would leave nothing right of float32."""
    trees = (
        {"w": np.full(2, value, np.float32), "count": np.int32(value), "h": jnp.bfloat16(value)} for value in (1, 2, 3)
    )
    found = combine(trees, np.array([1e6, -1e6 + 0.5, 0.5]))
    np.testing.assert_allclose(found["w"], 1e6 - 2e6 + 1 + 1.5, rtol=1e-7)
    assert found["w"].dtype == np.float32 and found["count"] == 3 and found["count"].dtype == np.int32
    assert found["h"].dtype == jnp.bfloat16


@pytest.mark.parametrize(
    ("snapshots", "target", "message"),
    [
        ([], (10.0, 0.1), "snapshots is empty, but must be one average or more"),
        ([(10.0, 0.1), (10.0, 0.1)], (10.0, 0.1), "of different times or widths"),
        ([(10.0, 0.1)], (11.0, 0.1), "time of the target is 11.0, but must be at most 10.0"),
        ([(0.0, 0.1)], (10.0, 0.1), "time of a snapshot is 0.0, but must be above 0"),
        ([(10.0, 0.1)], (10.0, 0.3), r"width of the target is 0.3, but must be in \(0, 0.2887\]"),
    ],
)
def test_bad_profiles_are_refused(snapshots, target, message):
    with pytest.raises(ValueError, match=message):
        coefficients([Profile(*one) for one in snapshots], Profile(*target))


def test_another_number_of_trees_than_of_shares_is_refused():
    with pytest.raises(ValueError, match="argument 2 is longer"):
        combine([{"w": np.ones(1)}], np.ones(2))
    with pytest.raises(ValueError, match="trees is empty"):
        combine([], np.ones(0))
