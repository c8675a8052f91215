import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.gans.diagnostics import certainty
from jaxgen.gans.f_gan import FDivergence
from jaxgen.gans.objectives import Minimax, NonSaturating
from jaxgen.losses.divergences import DIVERGENCES

REAL, FAKE = jnp.array([2.0, -1.0, 0.5]), jnp.array([-1.5, 0.3, 1.0])


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_players_minimise_the_terms_of_the_bound(name):
    one, objective = DIVERGENCES[name], FDivergence(name)
    np.testing.assert_array_equal(objective.discriminator(REAL, FAKE), one.composed(FAKE) - one.activation(REAL))
    np.testing.assert_array_equal(objective.generator(None, FAKE), -one.activation(FAKE))
    saturating = FDivergence(name, saturating=True)
    np.testing.assert_array_equal(saturating.generator(None, FAKE), -one.composed(FAKE))
    assert not objective.needs_real and hash(objective) != hash(saturating)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_a_score_of_equal_densities_is_undecided_and_certainty_grows_with_the_score(name):
    objective, equal = FDivergence(name), 1.0 if name == "kl" else 0.0
    for found in objective.probabilities(jnp.full(3, equal), jnp.full(3, equal)):
        np.testing.assert_allclose(found, 0.5, atol=1e-6)
    found = certainty(objective, jnp.full(3, 60.0), jnp.full(3, -60.0))
    assert found == {"real_certainty": 1.0, "fake_certainty": 1.0}


def test_the_divergence_of_the_first_gan_is_its_game():
    """The table's "GAN" has the minimax discriminator, and its generators are both of Goodfellow's."""
    objective = FDivergence("gan", saturating=True)
    np.testing.assert_allclose(objective.discriminator(REAL, FAKE), Minimax().discriminator(REAL, FAKE), rtol=1e-6)
    np.testing.assert_allclose(objective.generator(None, FAKE), Minimax().generator(None, FAKE), rtol=1e-6)
    practical = FDivergence("gan").generator(None, FAKE)
    np.testing.assert_allclose(practical, NonSaturating().generator(None, FAKE), rtol=1e-6)
