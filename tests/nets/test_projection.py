"""Projection: its formula, what the class may change, what is refused."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.mode import EVALUATION
from jaxgen.nets.projection import LinearDiscriminator, ProjectionDiscriminator, sum_pool
from jaxgen.nets.spectral import Spectral
from tests.nets.adversaries import CLASSES, images, largest_singular_value, power_method, weights_inside
from tests.nets.parameters import count, zeros

IMAGES = images(2, 2)


class Sums(nn.Module):
    """phi: the channels' sums of an image."""

    @nn.compact
    def __call__(self, images, *, mode=EVALUATION):
        return images.sum((1, 2))


PROJECTION = ProjectionDiscriminator(Sums())


def init(net, *inputs):
    return jax.jit(lambda: net.init(jax.random.key(1), *inputs))()


def test_features_are_sums_of_what_is_above_zero():
    maps = jnp.array([[[[1.0, -1.0]], [[2.0, 3.0]]]])
    np.testing.assert_array_equal(sum_pool(maps), [[3.0, 3.0]])
    many = jnp.full((1, 64, 64, 1), 1.0, jnp.bfloat16)
    assert sum_pool(many).dtype == jnp.float32 and sum_pool(many)[0, 0] == 4096


def test_scores_are_the_formula():
    variables = init(PROJECTION, IMAGES, CLASSES)
    params = jax.tree.map(np.asarray, variables["params"])
    phi = np.asarray(IMAGES.sum((1, 2)))
    wanted = phi @ params["psi"]["kernel"][:, 0] + params["psi"]["bias"]
    wanted += (params["embedding"]["kernel"][[0, 2, 1]] * phi).sum(1)
    np.testing.assert_allclose(PROJECTION.apply(variables, IMAGES, CLASSES), wanted, rtol=1e-5)


def test_without_an_embedding_the_class_changes_nothing_and_the_score_is_linear_in_it():
    variables = init(PROJECTION, IMAGES, CLASSES)

    def scores(factor):
        params = variables["params"] | {"embedding": {"kernel": factor * variables["params"]["embedding"]["kernel"]}}
        return PROJECTION.apply({"params": params}, IMAGES, CLASSES)

    unconditional = LinearDiscriminator(Sums()).apply({"params": {"Dense_0": variables["params"]["psi"]}}, IMAGES)
    np.testing.assert_allclose(scores(0.0), unconditional, rtol=1e-6)
    np.testing.assert_allclose(scores(2.0) - scores(1.0), scores(1.0) - scores(0.0), rtol=1e-4, atol=1e-5)
    assert np.abs(scores(1.0) - scores(0.0)).min() > 1e-3


def test_parameter_counts():
    assert count(PROJECTION, zeros(2, 2, 5), zeros(3)) == 5 + 1 + 3 * 5
    assert count(PROJECTION.clone(last_bias=False), zeros(2, 2, 5), zeros(3)) == 5 + 3 * 5
    assert count(LinearDiscriminator(Sums()), zeros(2, 2, 5), (2, 2)) == 5 * 4 + 4
    assert count(LinearDiscriminator(Sums(), last_bias=False), zeros(2, 2, 5)) == 5


def test_spectral_normalisation_takes_the_embedding_too():
    net = Spectral(PROJECTION)
    variables = power_method(net, init(net, IMAGES, CLASSES), IMAGES, CLASSES)
    weights = weights_inside(net, variables, IMAGES, CLASSES)
    found = {name: largest_singular_value(weight) for name, weight in weights.items()}
    assert found.keys() == {"psi/kernel", "embedding/kernel"}
    assert all(value == pytest.approx(1, abs=1e-4) for value in found.values())


def test_outputs_have_the_shape_that_is_asked_for_and_a_projection_gives_one_score():
    linear = LinearDiscriminator(Sums())
    assert linear.apply(init(linear, IMAGES, (2, 4)), IMAGES, (2, 4)).shape == (3, 2, 4)
    with pytest.raises(ValueError, match=r"output_shape is \(2,\), but must be \(\): a projection discriminator"):
        init(PROJECTION, IMAGES, CLASSES, (2,))


@pytest.mark.parametrize("net", [PROJECTION, LinearDiscriminator(Sums())])
def test_scores_of_half_precision_are_close_and_float32(net):
    inputs = (IMAGES, CLASSES) if net is PROJECTION else (IMAGES,)
    variables = init(net, *inputs)
    found, wanted = (each.apply(variables, *inputs) for each in (net.clone(dtype="bfloat16"), net))
    assert found.dtype == jnp.float32 and np.any(found != wanted)
    np.testing.assert_allclose(found, wanted, atol=0.1)
