"""What a discriminator of images and texts pays, with an objective of least squares and no randomness."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans.objectives import Hinge, LeastSquares
from jaxgen.gans.regularization import Slope
from jaxgen.mode import Mode
from jaxgen.nets.gan_cls import TextDiscriminator
from jaxgen.nets.initializers import Normal
from jaxgen.text_to_image.game import matching_loss
from jaxgen.train_state import apply

NET = TextDiscriminator(2, 2, "none", Normal(0.4))
SHOWN = tuple(jax.random.uniform(jax.random.key(1), (3, 4, 16, 16, 1), minval=-1.0))
TEXTS = jax.random.normal(jax.random.key(2), (4, 3))


@pytest.fixture(scope="module")
def found():
    """Variables, and the scores of each of the three kinds of pairs."""

    @jax.jit
    def make(key):
        variables = NET.init(key, SHOWN[0], TEXTS, ())
        return variables, [apply(NET, variables, images, TEXTS, ())[0] for images in SHOWN]

    return make(jax.random.key(0))


@pytest.mark.parametrize("mismatch", [0.0, 0.25, 1.0])
def test_wrong_pairs_and_fakes_share_the_weight_of_one(found, mismatch):
    variables, (real, other, fake) = found
    config = types.SimpleNamespace(discriminator=NET, objective=LeastSquares(), mismatch=mismatch, r1=Slope())
    loss, (metrics, after) = jax.jit(
        lambda variables: matching_loss(config, variables, SHOWN, TEXTS, Mode(train=True))
    )(variables)
    wanted = ((real - 1) ** 2 / 2 + mismatch * other**2 / 2 + (1 - mismatch) * fake**2 / 2).mean()
    np.testing.assert_allclose(loss, wanted, rtol=1e-5)
    np.testing.assert_allclose(metrics["matching"], (real > other).mean())
    np.testing.assert_allclose(metrics["discriminator_loss"], wanted, rtol=1e-5)
    assert after.keys() == variables.keys()


def test_another_objective_stands_in_for_the_logarithms(found):
    variables, (real, other, fake) = found
    config = types.SimpleNamespace(discriminator=NET, objective=Hinge(), mismatch=0.5, r1=Slope())
    loss, _ = jax.jit(lambda variables: matching_loss(config, variables, SHOWN, TEXTS, Mode(train=True)))(variables)
    wrong = (jnp.maximum(0, 1 + other) + jnp.maximum(0, 1 + fake)) / 2
    np.testing.assert_allclose(loss, (jnp.maximum(0, 1 - real) + wrong).mean(), rtol=1e-5)
