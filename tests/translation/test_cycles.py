"""Two translators there and back, and their two discriminators."""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.losses import mean_squared_error
from jaxgen.mode import EVALUATION
from jaxgen.train_state import apply
from jaxgen.translation import cycles
from jaxgen.translation.cycles import Both
from tests.gans.games import assert_close
from tests.translation.test_cyclegan import IMAGES, MODE, TINY


@jax.jit
def players():
    return cycles.create_translators(TINY, jax.random.key(0)), cycles.create_judges(TINY, jax.random.key(1))


PLAYERS = players()


def direct(part, images):
    return jnp.tanh(apply(TINY.generator, PLAYERS[0].variables, images, TINY.image_shape, part=part)[0])


def test_there_and_back_is_one_translator_after_the_other():
    found, _ = cycles.cycles(TINY, PLAYERS[0].variables, IMAGES, MODE)
    fakes, _ = cycles.forth(TINY, PLAYERS[0].variables, IMAGES, MODE)
    for got, wanted in zip(found.fakes, fakes, strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert_close(found.fakes, Both(direct("to_a", IMAGES.b), direct("to_b", IMAGES.a)))
    again = Both(direct("to_a", direct("to_b", IMAGES.a)), direct("to_b", direct("to_a", IMAGES.b)))
    assert_close(found.reconstructions, again)


def test_the_translators_are_two_networks_and_so_are_the_discriminators():
    for player in PLAYERS:
        one, other = player.params.values()
        assert not np.allclose(jax.tree.leaves(one)[-1], jax.tree.leaves(other)[-1])


def test_each_domain_is_scored_by_its_own_discriminator():
    fakes = Both(-IMAGES.a, -IMAGES.b)
    scores, _ = cycles.judge(TINY, PLAYERS[1].variables, IMAGES, fakes, MODE)
    for part, real, fake in zip(Both._fields, IMAGES, fakes, strict=True):
        for got, images in zip(getattr(scores, part), (real, fake), strict=True):
            wanted = apply(TINY.discriminator, PLAYERS[1].variables, images, (), part=part)[0]
            assert_close(got, wanted.reshape(-1))
    without, _ = cycles.judge(TINY, PLAYERS[1].variables, Both(None, None), fakes, MODE)
    assert without.a[0] is None and without.b[0] is None
    assert_close(without.a[1], scores.a[1])


class Identity(nn.Module):
    """Images as they are."""

    @nn.compact
    def __call__(self, inputs, output_shape, *, mode=EVALUATION):
        return inputs


def test_identity_maps_have_no_distance_there_and_back():
    config = dataclasses.replace(TINY, generator=Identity(), value_range=None)
    variables = cycles.create_translators(config, jax.random.key(0)).variables
    found, _ = cycles.cycles(config, variables, IMAGES, MODE)
    for error in (cycles.mean_absolute_error, mean_squared_error):
        assert cycles.distance(found.reconstructions, IMAGES, error) == 0
        assert cycles.distance(found.fakes, cycles.exchanged(IMAGES), error) == 0


def test_a_distance_is_the_sum_of_the_mean_errors_of_both_domains():
    targets = Both(IMAGES.a + 0.5, IMAGES.b - 0.25)
    np.testing.assert_allclose(cycles.distance(IMAGES, targets), 0.75, rtol=1e-5)
    np.testing.assert_allclose(cycles.distance(IMAGES, targets, mean_squared_error), 0.25 + 0.0625, rtol=1e-5)
