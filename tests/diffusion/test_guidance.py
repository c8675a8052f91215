import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.diffusion.guidance import ByClassifier, ClassifierFree, Networks, NoGuidance
from jaxgen.diffusion.predictions import Data, Noise, Preconditioned, Prediction, V, Velocity, convert, estimate, target
from jaxgen.diffusion.samplers import Point
from jaxgen.diffusion.schedules import Level

NOISY = jnp.linspace(-2.0, 2.0, 8).reshape(4, 2)
CLASSES = jax.nn.one_hot(jnp.array([0, 2, 1, 1]), 3)
POINT = Point(jnp.float32(7.0), Level(jnp.float32(0.6), jnp.float32(0.8)))


def network(noisy, classes):
    """Not linear, and different for each class and for none."""
    weights = jnp.array([[0.5], [-1.0], [2.0]])
    return Prediction(
        jnp.tanh(noisy + classes @ weights) - 0.3 * noisy, Noise(), jax.nn.sigmoid(noisy - classes @ weights)
    )


NETWORKS = Networks(network)
WITH, WITHOUT = network(NOISY, CLASSES), network(NOISY, jnp.zeros((4, 3)))


def guided(guidance, networks=NETWORKS, point=POINT):
    return jax.jit(lambda point: guidance.apply(networks, NOISY, point, CLASSES))(point)


def test_without_guidance_the_network_is_asked_as_it_is():
    np.testing.assert_array_equal(NoGuidance().apply(NETWORKS, NOISY, POINT, CLASSES).value, WITH.value)
    plain = Networks(lambda noisy, classes: Prediction(noisy + (0.0 if classes is None else 1.0), Noise()))
    np.testing.assert_array_equal(NoGuidance().apply(plain, NOISY, POINT, None).value, NOISY)


def test_scale_1_is_the_network_with_the_class_to_the_bit_and_scale_0_that_without():
    for scale, wanted in ((1.0, WITH), (0.0, WITHOUT)):
        found = ClassifierFree(scale).apply(NETWORKS, NOISY, POINT, CLASSES)
        np.testing.assert_array_equal(found.value, wanted.value)
        np.testing.assert_array_equal(found.variance, wanted.variance)


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 2.0, 7.5])
def test_both_predictions_in_one_call_are_those_of_two(scale):
    """Linear in the scale; the variance, if the network predicts one, alike."""
    found = guided(ClassifierFree(scale))
    for part in ("value", "variance"):
        without, with_class = getattr(WITHOUT, part), getattr(WITH, part)
        np.testing.assert_allclose(getattr(found, part), without + scale * (with_class - without), atol=2e-6)


def test_a_network_that_predicts_no_variance_is_guided_alike():
    plain = Networks(lambda noisy, classes: network(noisy, classes).replace(variance=None))
    found = guided(ClassifierFree(3.0), plain)
    assert found.variance is None
    np.testing.assert_allclose(found.value, WITHOUT.value + 3.0 * (WITH.value - WITHOUT.value), atol=1e-6)


def test_guidance_asks_the_network_once():
    sizes = []

    def counted(noisy, classes):
        sizes.append(len(noisy))
        return network(noisy, classes)

    for scale in (2.0, 1.0, 0.0):
        guided(ClassifierFree(scale), Networks(counted))
    assert sizes == [8, 4, 4]


@pytest.mark.parametrize("kind", [Data(), V(), Velocity(), Preconditioned(0.5)], ids=str)
def test_guidance_is_the_same_whatever_the_network_predicts(kind):
    """All kinds are affine in the noise at a given x_t."""

    def other(noisy, classes):
        return convert(network(noisy, classes), kind, POINT.level, noisy)

    found = guided(ClassifierFree(3.0), Networks(other))
    assert found.kind == kind
    wanted = guided(ClassifierFree(3.0)).value
    np.testing.assert_allclose(convert(found, Noise(), POINT.level, NOISY).value, wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("least", "most", "inside"),
    [
        (0.0, None, True),
        (1.0, 2.0, True),  # sigma / alpha is 4/3
        (1.4, 2.0, False),
        (0.0, 1.3, False),
        (1.3, None, True),
        (0.0, 1.4, True),
    ],
)
def test_outside_of_the_interval_the_network_is_used_as_it_is(least, most, inside):
    found = guided(ClassifierFree(3.0, least, most))
    np.testing.assert_allclose(found.value, guided(ClassifierFree(3.0)).value if inside else WITH.value, atol=1e-6)


def test_pure_noise_and_clean_data_lie_outside_of_an_interval_between():
    for level in (Level(jnp.float32(0.0), jnp.float32(1.0)), Level(jnp.float32(1.0), jnp.float32(0.0))):
        found = guided(ClassifierFree(3.0, 0.1, 10.0), point=Point(jnp.float32(1.0), level))
        np.testing.assert_allclose(found.value, WITH.value, atol=1e-6)


MEANS, DEVIATION = jnp.array([[-1.0, 0.5], [0.7, 1.0]]), 0.4


def variance(level):
    return level.alpha**2 * DEVIATION**2 + level.sigma**2


def log_likelihoods(noisy, level):
    """log q(x_t|c) but for a constant."""
    return -0.5 * ((noisy[:, None] - level.alpha * MEANS[None]) ** 2).sum(-1) / variance(level)


def exact_data(noisy, level, shares):
    """E[x_0|x_t], the classes with these probabilities given x_t."""
    gain = level.alpha * DEVIATION**2 / variance(level)
    means = shares @ MEANS
    return means + gain * (noisy - level.alpha * means)


@pytest.mark.parametrize("kind", [Noise(), Data(), V(), Velocity(), Preconditioned(0.5)], ids=str)
def test_the_exact_classifier_of_two_gaussians_makes_the_exact_denoiser_of_a_class(kind):
    """grad log p(x_t|c) = grad log p(x_t) + grad log p(c|x_t), for a network that knows no classes."""
    level, classes = POINT.level, jax.nn.one_hot(jnp.array([0, 1, 1, 0]), 2)

    def predict(noisy, _):
        data = exact_data(noisy, level, jax.nn.softmax(log_likelihoods(noisy, level)))
        noise = (noisy - level.alpha * data) / level.sigma
        return Prediction(target(kind, level, data, noise), kind)

    networks = Networks(predict, lambda noisy: log_likelihoods(noisy, level))

    @jax.jit
    def everything():
        found = [ByClassifier(scale).apply(networks, NOISY, POINT, classes) for scale in (0.0, 1.0, 2.0)]
        data = estimate(found[1], level, NOISY).data
        return found, data, predict(NOISY, None), exact_data(NOISY, level, classes)

    (unguided, found, twice), data, plain, exact = everything()
    assert found.kind == kind
    np.testing.assert_allclose(data, exact, atol=1e-5)
    np.testing.assert_allclose(unguided.value, plain.value, atol=1e-5)
    np.testing.assert_allclose(twice.value - found.value, found.value - unguided.value, atol=1e-5)


def test_an_example_without_a_class_is_not_guided_by_the_classifier():
    classes = jnp.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    networks = Networks(lambda noisy, _: Prediction(jnp.cos(noisy), Noise(), jnp.ones_like(noisy)), lambda noisy: noisy)
    found = ByClassifier(5.0).apply(networks, NOISY, POINT, classes)
    np.testing.assert_allclose(found.value[1::2], np.cos(NOISY)[1::2], atol=1e-6)
    assert (np.abs(found.value - np.cos(NOISY))[::2] > 1e-2).all()
    np.testing.assert_array_equal(found.variance, np.ones_like(NOISY))


def test_guidance_needs_classes_and_a_classifier():
    for guidance in (ClassifierFree(), ByClassifier()):
        with pytest.raises(ValueError, match="guidance needs a model of classes: set num_classes"):
            guidance.apply(NETWORKS, NOISY, POINT, None)
    with pytest.raises(ValueError, match="guidance ByClassifier needs a model with a classifier"):
        guided(ByClassifier())


def test_the_defaults_are_those_of_the_docs():
    assert ClassifierFree() == ClassifierFree(2.0, 0.0, None) and ByClassifier() == ByClassifier(1.0)


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        (ClassifierFree, {"scale": -0.5}, "scale is -0.5, but must be at least 0"),
        (ClassifierFree, {"least": -0.5}, "least is -0.5, but must be at least 0"),
        (ClassifierFree, {"least": 2.0, "most": 2.0}, "least is 2.0, but must be below most=2.0"),
        (ByClassifier, {"scale": -0.5}, "scale is -0.5, but must be at least 0"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        kind(**settings)
