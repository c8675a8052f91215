import dataclasses
from types import SimpleNamespace

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgen.autoencoders import coders
from jaxgen.gradient_transformations import to_optax
from jaxgen.images import squash
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.priors import Normal
from tests import contract


@dataclasses.dataclass(frozen=True)
class Config:
    """What the shelf reads of a model's config."""

    encoder: nn.Module = MLP((5,), norm="batch")
    decoder: nn.Module = MLP((5,), norm="batch")
    latent_dim: int = 3
    image_shape: tuple[int, ...] = (2, 2, 1)
    value_range: tuple[float, float] | None = (0.0, 1.0)
    prior: Normal = Normal(3)


class Drawn(nn.Module):
    """Random numbers from the keys of the pass, of the shape that is wanted."""

    @nn.compact
    def __call__(self, inputs, output_shape, *, mode=EVALUATION):
        self.param("unused", nn.initializers.zeros, ())
        if not mode.train:
            return jnp.zeros((len(inputs), *output_shape))
        return jax.vmap(lambda key: jax.random.normal(key, output_shape))(mode.example_keys("Drawn"))


CONFIG, OPTIMIZER = Config(), Optimizer(0.1, SGD())
IMAGES = jax.random.uniform(jax.random.key(1), (6, 2, 2, 1))
LATENTS = jax.random.normal(jax.random.key(2), (6, 3))
PLAYER = coders.create_coders(CONFIG, OPTIMIZER, jax.random.key(0))
STATE = SimpleNamespace(autoencoder=PLAYER)


def of_part(part):
    """The variables of one of the two networks."""
    return {name: tree[part] for name, tree in PLAYER.variables.items()}


def test_one_optimizer_moves_both_networks():
    assert set(PLAYER.params) == {"encoder", "decoder"} == set(PLAYER.collections["batch_stats"])
    assert PLAYER.tx is to_optax(OPTIMIZER)


def test_the_weights_of_a_network_do_not_depend_on_the_other():
    other = coders.create_coders(dataclasses.replace(CONFIG, decoder=MLP((9, 9))), OPTIMIZER, jax.random.key(0))
    assert not contract.differs(other.params["encoder"], PLAYER.params["encoder"])
    kernels = (PLAYER.params[part]["Dense_1"]["kernel"].ravel()[:12] for part in ("encoder", "decoder"))
    assert contract.differs(*kernels)


def test_latents_and_images_are_the_networks_outputs_the_latter_in_the_value_range():
    latents, _ = coders.encode(CONFIG, PLAYER.variables, IMAGES)
    np.testing.assert_array_equal(latents, CONFIG.encoder.apply(of_part("encoder"), IMAGES, (3,)))
    outputs = CONFIG.decoder.apply(of_part("decoder"), LATENTS, (2, 2, 1))
    for value_range in ((0.0, 1.0), (-1.0, 1.0), None):
        config = dataclasses.replace(CONFIG, value_range=value_range)
        images, _ = coders.decode(config, PLAYER.variables, LATENTS)
        np.testing.assert_array_equal(images, squash(outputs, value_range))


@pytest.mark.parametrize(("call", "inputs", "own"), [("encode", IMAGES, "encoder"), ("decode", LATENTS, "decoder")])
def test_a_pass_in_training_changes_the_statistics_of_its_own_network_alone(call, inputs, own):
    _, after = getattr(coders, call)(CONFIG, PLAYER.variables, inputs, Mode(train=True))
    for part in ("encoder", "decoder"):
        before, now = (tree["batch_stats"][part] for tree in (PLAYER.variables, after))
        assert contract.differs(before, now) == (part == own)
    assert not contract.differs(after["params"], PLAYER.params)
    _, after = getattr(coders, call)(CONFIG, PLAYER.variables, inputs)
    assert not contract.differs(after, PLAYER.variables)


def test_encoder_and_decoder_draw_from_keys_of_their_own():
    config = dataclasses.replace(CONFIG, encoder=Drawn(), decoder=Drawn(), image_shape=(3,), value_range=None)
    player = coders.create_coders(config, OPTIMIZER, jax.random.key(0))
    mode = Mode(jax.random.split(jax.random.key(3), 6), train=True)
    latents, _ = coders.encode(config, player.variables, IMAGES, mode)
    images, _ = coders.decode(config, player.variables, LATENTS, mode)
    for found, stream in ((latents, 0), (images, 1)):
        keys = mode.stream(stream).keys
        np.testing.assert_allclose(found, jax.vmap(lambda key: jax.random.normal(key, (3,)))(keys), rtol=1e-6)
    assert np.abs(latents - images).min() > 1e-6


def test_images_of_a_state_are_those_of_the_networks_out_of_training():
    np.testing.assert_array_equal(
        coders.to_latents(CONFIG, STATE, IMAGES), coders.encode(CONFIG, PLAYER.variables, IMAGES)[0]
    )
    images = coders.from_latents(CONFIG, STATE, LATENTS)
    np.testing.assert_array_equal(images, coders.decode(CONFIG, PLAYER.variables, LATENTS)[0])
    key = jax.random.key(4)
    drawn = coders.from_latents(CONFIG, STATE, CONFIG.prior.draw(key, 5))
    np.testing.assert_array_equal(coders.sample(CONFIG, STATE, key, 5), drawn)
