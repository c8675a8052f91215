import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import discriminators
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Optimizer


@dataclasses.dataclass(frozen=True)
class Config:
    """What the shelf reads of a model's config."""

    discriminator: nn.Module = MLP((5,))
    discriminator_optimizer: Optimizer = Optimizer(0.1, SGD())
    latent_dim: int = 3


def test_a_discriminator_scores_each_latent_on_its_own():
    variables = discriminators.create_discriminator(Config(), jax.random.key(0)).variables
    latents = jax.random.normal(jax.random.key(1), (4, 3))
    scores, after = discriminators.score(Config(), variables, latents)
    assert scores.shape == (4,) and jax.tree.structure(after) == jax.tree.structure(variables)
    np.testing.assert_allclose(discriminators.score(Config(), variables, latents[2:])[0], scores[2:], rtol=1e-5)
    hidden = jnp.maximum(latents @ variables["params"]["Dense_0"]["kernel"], 0.0)
    np.testing.assert_allclose(scores, (hidden @ variables["params"]["Dense_1"]["kernel"])[:, 0], rtol=1e-5, atol=1e-6)


def test_batch_normalisation_is_refused():
    config = Config(MLP((5,), norm="batch"))
    with pytest.raises(ValueError, match="has batch normalisation: use layer normalisation or none in its place"):
        discriminators.create_discriminator(config, jax.random.key(0))
