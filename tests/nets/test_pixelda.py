"""PixelDA's networks: sizes of the authors' code, what disturbs the discriminator, the classifier's first layers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import Mode
from jaxgen.nets.pixelda import DomainClassifier, NoisyDiscriminator, NoisyTranslator
from tests.nets.parameters import count, zeros

DOMAIN = jnp.zeros(1, jnp.int32)


@pytest.mark.parametrize(("side", "channels", "wanted"), [(28, 3, 454_323), (28, 1, 453_171), (32, 3, 456_963)])
def test_the_translator_has_the_parameters_of_the_authors_code(side, channels, wanted):
    assert count(NoisyTranslator(), zeros(side, side, channels), zeros(10), (side, side, 3)) == wanted


def test_the_discriminator_has_the_parameters_of_the_authors_code():
    assert count(NoisyDiscriminator(), zeros(28, 28, 3), ()) == 1_559_169


@pytest.mark.parametrize(("private", "wanted"), [(False, 287_290), (True, 287_290 + 5 * 5 * 3 * 32 + 32)])
def test_the_classifier_has_the_parameters_of_the_authors_code_and_a_first_layer_more(private, wanted):
    assert count(DomainClassifier(private), zeros(28, 28, 3), DOMAIN, (10,)) == wanted


def test_dropout_and_noise_disturb_the_discriminator_in_training_alone():
    images = jax.random.normal(jax.random.key(0), (2, 4, 4, 1))
    mode = Mode(jax.random.split(jax.random.key(1), 2), train=True)
    net = NoisyDiscriminator(2)
    variables = net.init(jax.random.key(2), images)
    still = net.apply(variables, images)
    for settings in ({"rate": 0.5, "deviation": 0.0}, {"rate": 0.0, "deviation": 0.2}):
        other = net.clone(**settings)
        np.testing.assert_array_equal(other.apply(variables, images), still)
        assert np.abs(other.apply(variables, images, mode=mode) - still).min() > 0
    quiet = net.clone(rate=0.0, deviation=0.0)
    np.testing.assert_array_equal(quiet.apply(variables, images, mode=mode), still)
    with pytest.raises(ValueError, match="Gaussian noise draws random numbers"):
        net.clone(rate=0.0).apply(variables, images, mode=Mode(train=True))


def test_noise_has_the_deviation_that_is_asked_for():
    """Behind a map of zeros; of 8,192 numbers the deviation is known to 0.8 %."""
    net = NoisyDiscriminator(8192, rate=0.0, deviation=0.3)

    def disturbed(scope):
        return scope._disturbed(jnp.zeros((1, 1, 1, 8192)), Mode(jax.random.split(jax.random.key(0), 1), train=True), 0)

    found = net.apply({}, method=disturbed)
    np.testing.assert_allclose(found.std(), 0.3, rtol=0.04)
    np.testing.assert_allclose(found.mean(), 0.0, atol=0.015)


def test_each_domain_has_its_own_first_layer_and_shares_the_others():
    net, images = DomainClassifier(channels=(2, 3), width=4), zeros(8, 8, 1) + 0.5
    variables = net.init(jax.random.key(0), images, DOMAIN, (3,))
    source, target = (net.apply(variables, images, DOMAIN + domain, (3,)) for domain in (0, 1))
    assert np.abs(source - target).max() > 0
    swapped = dict(variables["params"])
    swapped["first"], swapped["first_of_target"] = swapped["first_of_target"], swapped["first"]
    np.testing.assert_array_equal(net.apply({"params": swapped}, images, DOMAIN + 1, (3,)), source)
    alike = net.clone(private=False)
    kept = {name: tree for name, tree in variables["params"].items() if name != "first_of_target"}
    np.testing.assert_array_equal(alike.apply({"params": kept}, images, DOMAIN + 1, (3,)), source)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="must be 8x8 as the inputs are"):
        NoisyTranslator().init(jax.random.key(0), zeros(8, 8, 1), zeros(3), (4, 4, 1))
    with pytest.raises(ValueError, match=r"channels, blocks is \(64, 0\)"):
        NoisyTranslator(blocks=0).init(jax.random.key(0), zeros(8, 8, 1), zeros(3), (8, 8, 1))
    with pytest.raises(ValueError, match=r"must be \(\): one score for each image"):
        NoisyDiscriminator().init(jax.random.key(0), zeros(8, 8, 1), (1,))
    with pytest.raises(ValueError, match="deviation is -1"):
        NoisyDiscriminator(deviation=-1.0).init(jax.random.key(0), zeros(8, 8, 1))
    with pytest.raises(ValueError, match=r"output_shape is \(\), but must be \(classes,\)"):
        DomainClassifier().init(jax.random.key(0), zeros(8, 8, 1), DOMAIN, ())
