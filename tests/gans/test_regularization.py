"""Terms of the discriminator: closed forms for networks whose values and slopes are known, averages by hand."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans.discrimination import score_both
from jaxgen.gans.networks import scorer
from jaxgen.gans.regularization import Consistency, LeCam, Regularization, Slope, prepared, regularize, transformed
from jaxgen.mode import Mode
from jaxgen.nets.maxout import Maxout
from jaxgen.nets.mlp import MLP
from jaxgen.nets.spectral import Spectral
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.train_state import blank, create
from tests.gans.games import training

SHAPE, NUM = (8, 8, 1), 6
REAL, FAKE = jax.random.normal(jax.random.key(0), (2, NUM, *SHAPE))
MODE = training(jax.random.key(1), NUM)
WEIGHTS = jax.random.normal(jax.random.key(2), SHAPE)
IDENTITY = {"shift": 0.0, "flip": False}


def linear(variables, inputs, mode):
    """D(x) = w x."""
    return jnp.einsum("bhwc,hwc->b", inputs, variables["w"]), variables


def energy(variables, inputs, mode):
    """D(x) = |x|^2 / 2, which mirroring does not change, and whose slope is x."""
    return (inputs**2).sum((1, 2, 3)) / 2, variables


def two_heads(variables, inputs, mode):
    """A score, and two outputs more that are sums of rows."""
    return (linear(variables, inputs, mode)[0], inputs[:, :2, :, 0].sum(2)), variables


def terms(regularization, network, mode=MODE, variables=None, inputs=(REAL, FAKE)):
    """The sum and the parts."""
    variables = {"w": WEIGHTS} if variables is None else variables
    outputs = tuple(network(variables, each, mode)[0] for each in inputs)
    total, (parts, changed) = regularize(regularization, network, variables, (inputs, outputs), mode)
    assert total == pytest.approx(float(sum(parts.values())), rel=1e-6)
    return parts, changed


def test_by_default_there_are_no_terms_and_nothing_is_kept():
    total, rest = regularize(Regularization(), linear, {}, ((REAL, FAKE), (REAL[:, 0, 0, 0],) * 2), Mode(train=True))
    assert total == 0 and rest == ({}, {})
    critic = create(MLP((4,), norm="batch"), Optimizer(0.1, SGD()), jax.random.key(0), blank((3,)), ())
    assert prepared(Regularization(), critic) is critic


def consistent(**settings):
    return Regularization(consistency=Consistency(**settings))


def test_consistency_is_nothing_for_the_identity_a_constant_and_for_mirrored_images_of_equal_score():
    assert terms(consistent(real=10.0, fake=10.0, **IDENTITY), two_heads)[0]["consistency"] == 0
    constant = {"w": jnp.zeros(SHAPE)}
    assert terms(consistent(real=10.0, fake=10.0), linear, variables=constant)[0]["consistency"] == 0
    flips = consistent(real=10.0, fake=10.0, shift=0.0)
    assert terms(flips, energy)[0]["consistency"] == pytest.approx(0.0, abs=1e-8)
    assert terms(flips, linear)[0]["consistency"] > 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize(
    "net", [MLP((4,), norm="batch"), Spectral(MLP((4,))), Maxout((4,), 2, 0.5, 0.5)], ids=lambda net: type(net).__name__
)
def test_both_passes_have_the_same_masks_the_same_statistics_and_the_same_singular_vectors(net, joint):
    """So that the identity costs nothing, whatever the network keeps or draws."""
    variables, network = dict(net.init(jax.random.key(0), REAL, ())), scorer(net)

    @jax.jit
    def value(real, fake):
        outputs, _ = score_both(network, variables, real, fake, MODE, joint=joint)
        settings = consistent(real=1.0, fake=1.0, **IDENTITY)
        return regularize(settings, network, variables, ((real, fake), outputs), MODE, joint=joint)[0]

    assert value(REAL, FAKE) == pytest.approx(0.0, abs=1e-10)


def of_stream(number):
    return MODE.stream(number).keys


def test_consistency_is_the_weighted_squared_distance_of_all_outputs():
    settings = Consistency(real=3.0, fake=0.5, shift=0.25)
    found = terms(Regularization(consistency=settings), two_heads)[0]["consistency"]
    wanted = 0.0
    for weight, points, stream in ((3.0, REAL, 5), (0.5, FAKE, 6)):
        moved = transformed(settings, points, of_stream(stream))
        pairs = zip(*(two_heads({"w": WEIGHTS}, each, MODE)[0] for each in (points, moved)), strict=True)
        wanted += weight * sum(((one - other) ** 2).sum() for one, other in pairs) / NUM
    assert found == pytest.approx(float(wanted), rel=1e-5)
    alone = [
        terms(consistent(shift=0.25, **kind), two_heads)[0]["consistency"] for kind in ({"real": 3.0}, {"fake": 0.5})
    ]
    assert found == pytest.approx(float(sum(alone)), rel=1e-5)


def test_the_gradient_of_consistency_flows_through_both_scores():
    """Of (w (x - T x))^2 in w: 2 w (x - T x) (x - T x)."""

    def value(weights):
        outputs = tuple(linear({"w": weights}, each, MODE)[0] for each in (REAL, FAKE))
        return regularize(consistent(real=1.0), linear, {"w": weights}, ((REAL, FAKE), outputs), MODE)[0]

    moved = REAL - transformed(Consistency(), REAL, of_stream(5))
    wanted = 2 * jnp.einsum("b,bhwc->hwc", linear({"w": WEIGHTS}, moved, MODE)[0], moved) / NUM
    np.testing.assert_allclose(jax.grad(value)(WEIGHTS), wanted, rtol=1e-4, atol=1e-4)


def test_t_mirrors_half_of_the_images_and_moves_them_by_an_eighth_of_the_side_at_most():
    keys = jax.random.split(jax.random.key(3), 600)
    marked = jnp.zeros((600, 16, 24, 1)).at[:, 8, 10].set(1.0)
    found = np.asarray(transformed(Consistency(), marked, keys))
    _, rows, columns, _ = np.nonzero(found)
    np.testing.assert_array_equal(np.unique(rows), np.arange(6, 11))
    # 24 columns: 10 is mirrored to 13, and each moves by 3 at most.
    np.testing.assert_array_equal(np.unique(columns), np.arange(7, 17))
    flipped = np.asarray(transformed(Consistency(shift=0.0), marked, keys))[:, 8, 13, 0]
    assert flipped.mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(600))
    np.testing.assert_array_equal(transformed(Consistency(**IDENTITY), marked, keys), marked)
    alone = transformed(Consistency(), marked[:2], keys[5:7])
    np.testing.assert_array_equal(alone, found[5:7])


def test_a_condition_stays_with_its_image():
    """D(x, y) = w x + y: y cancels, and so it does in slopes."""

    def conditional(variables, inputs, mode):
        return linear(variables, inputs[0], mode)[0] + inputs[1], variables

    labels = jnp.arange(float(NUM))
    settings = dataclasses.replace(consistent(real=1.0, fake=1.0), r1=Slope(1.0), r2=Slope(1.0))
    found, _ = terms(settings, conditional, inputs=((REAL, labels), (FAKE, labels)))
    wanted, _ = terms(settings, linear)
    chex.assert_trees_all_close(found, wanted, rtol=1e-4)


@pytest.mark.parametrize("network", [linear, two_heads])
def test_r1_and_r2_of_a_linear_score_are_half_gamma_times_the_squared_weights(network):
    found, _ = terms(Regularization(r1=Slope(10.0), r2=Slope(3.0)), network)
    squared = float((WEIGHTS**2).sum())
    assert found["r1"] == pytest.approx(5 * squared, rel=1e-5) and found["r2"] == pytest.approx(1.5 * squared, rel=1e-5)


def test_r1_is_at_real_examples_and_r2_at_fakes():
    """|x|^2 / 2 has the slope x; at (3, 4) R1 of gamma 10 is 125."""
    found, _ = terms(Regularization(r1=Slope(10.0), r2=Slope(4.0)), energy)
    assert found["r1"] == pytest.approx(5 * float((REAL**2).sum()) / NUM, rel=1e-5)
    assert found["r2"] == pytest.approx(2 * float((FAKE**2).sum()) / NUM, rel=1e-5)
    points = jnp.array([3.0, 4.0]).reshape(1, 1, 2, 1)
    assert terms(Regularization(r1=Slope(10.0)), energy, MODE.with_keys(None), None, (points, points))[0]["r1"] == 125


def test_a_lazy_penalty_is_that_of_every_update_on_average():
    def value(step, every):
        mode = training(jax.random.key(1), NUM, step)
        return float(terms(Regularization(r1=Slope(10.0, every)), energy, mode)[0]["r1"])

    found = [value(step, 3) for step in range(6)]
    assert [each > 0 for each in found] == [True, False, False] * 2
    assert np.mean(found) == pytest.approx(value(0, 1), rel=1e-5)


ANCHORS = {"real": jnp.float32(0.5), "fake": jnp.float32(-0.1)}
GOLDEN = jnp.array([2.0, -1.0, 0.5]), jnp.array([-1.5, 0.3, 1.0])


def lecam(step, scores=GOLDEN, anchors=ANCHORS, axis_name=None, **settings):
    mode = Mode(step=jnp.int32(step), train=True, axis_name=axis_name)
    settings = Regularization(lecam=LeCam(**{"weight": 0.3} | settings))
    total, (_, changed) = regularize(settings, linear, {"anchors": anchors}, (scores, scores), mode)
    return total, changed["anchors"]


def test_anchors_are_moving_averages_of_the_mean_scores_the_present_ones_included():
    """Means of 0.5 and of -0.2 / 3; three steps by hand, the first of which starts the average."""
    real, fake, anchors = 0.5, -0.2 / 3, ANCHORS
    wanted = None
    for step in range(3):
        shifted = tuple(scores + step for scores in GOLDEN)
        total, anchors = lecam(step, shifted, anchors, decay=0.9)
        means = np.array([real + step, fake + step])
        wanted = means if wanted is None else 0.9 * wanted + 0.1 * means
        np.testing.assert_allclose([anchors["real"], anchors["fake"]], wanted, rtol=1e-5)
        above, below = np.asarray(shifted[0]) - wanted[1], wanted[0] - np.asarray(shifted[1])
        penalty = (np.maximum(above, 0) ** 2 + np.maximum(below, 0) ** 2).mean()
        assert total == pytest.approx(0.3 * penalty, rel=1e-5)


@pytest.mark.parametrize(("one_sided", "wanted"), [(True, 2.9366666667), (False, 3.29)])
def test_golden_lecam(one_sided, wanted):
    """Averages that hardly move from 0.5 and -0.1."""
    total, _ = lecam(5, weight=1.0, decay=1 - 1e-7, one_sided=one_sided)
    assert total == pytest.approx(wanted, rel=1e-5)


def test_up_to_its_beginning_lecam_costs_nothing_and_keeps_the_present_means():
    for step, counts in ((0, False), (3, False), (4, True)):
        total, anchors = lecam(step, begin=4, decay=0.9)
        assert (total > 0) == counts
        np.testing.assert_allclose([anchors["real"], anchors["fake"]], [0.5, -0.2 / 3], rtol=1e-5)
    _, anchors = lecam(5, begin=4, decay=0.9)
    assert anchors["fake"] == pytest.approx(0.9 * -0.1 + 0.1 * -0.2 / 3, rel=1e-5)


def test_anchors_are_of_the_scores_on_all_devices_and_have_no_gradient():
    scores = jnp.arange(4.0) ** 2, -jnp.arange(4.0)
    wanted, kept = lecam(3, scores)
    shares = tuple(each.reshape(2, 2) for each in scores)
    found, anchors = jax.vmap(lambda *each: lecam(3, each, axis_name="i"), axis_name="i")(*shares)
    assert found.mean() == pytest.approx(float(wanted), rel=1e-5)
    for name, values in anchors.items():
        np.testing.assert_allclose(values, [kept[name]] * 2, rtol=1e-5)

    def value(scores):
        return lecam(0, scores, one_sided=False, weight=1.0)[0]

    slope = jax.grad(value)(GOLDEN)[0]
    np.testing.assert_allclose(slope, 2 * (np.asarray(GOLDEN[0]) + 0.2 / 3) / 3, rtol=1e-5)


@pytest.mark.parametrize("kind", ["r1", "r2"])
def test_a_penalty_on_slopes_refuses_batch_statistics(kind):
    settings = Regularization(**{kind: Slope(1.0)})
    nets = [MLP((4,), norm="batch"), Spectral(MLP((4,)))]
    one, other = (create(net, Optimizer(0.1, SGD()), jax.random.key(0), blank((3,)), ()) for net in nets)
    with pytest.raises(ValueError, match="needs a critic that scores each example on its own"):
        prepared(settings, one)
    assert prepared(settings, other) is other


def test_lecam_adds_two_averages_to_what_the_discriminator_keeps():
    critic = create(Spectral(MLP((4,))), Optimizer(0.1, SGD()), jax.random.key(0), blank((3,)), ())
    found = prepared(Regularization(lecam=LeCam(0.1)), critic)
    assert found.collections["anchors"] == {"real": 0.0, "fake": 0.0}
    chex.assert_trees_all_equal(found.collections["spectral"], critic.collections["spectral"])
    chex.assert_trees_all_equal(found.params, critic.params)


@pytest.mark.parametrize(
    ("settings", "mode", "inputs", "message"),
    [
        (consistent(real=1.0), Mode(train=True), (REAL, FAKE), "consistency draws random numbers in training"),
        (consistent(real=1.0), MODE, (REAL[:, 0], FAKE[:, 0]), "inputs of consistency is .* height, width"),
        (Regularization(lecam=LeCam(1.0)), Mode(train=True), (REAL, FAKE), "LeCam .* counts updates, but .* no step"),
        (Regularization(r1=Slope(1.0, 2)), Mode(train=True), (REAL, FAKE), "alone counts updates, but .* no step"),
    ],
)
def test_what_cannot_be_is_refused(settings, mode, inputs, message):
    with pytest.raises(ValueError, match=message):
        regularize(settings, energy, {"anchors": ANCHORS}, (inputs, (jnp.ones(NUM),) * 2), mode)
