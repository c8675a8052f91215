import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.gans import cgan
from jaxgen.gans.networks import create_players, fixed_fakes, generate, scorer, two_headed
from jaxgen.mode import Mode
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from jaxgen.priors import Normal
from tests.gans.games import assert_close

CONFIG = cgan.Config(
    image_shape=(2, 2, 1),
    num_classes=3,
    prior=Normal(2),
    generator=ConcatCondition(MLP((4,), norm="batch")),
    discriminator=ConcatCondition(MLP((4,))),
)
KEY = jax.random.key(0)
PLAYER = CONFIG.discriminator, CONFIG.discriminator_optimizer


def test_a_discriminator_that_scores_is_given_the_generators_conditions_and_one_with_outputs_is_not():
    generator, discriminator = create_players(CONFIG, PLAYER, KEY, (3,))
    kernels = [player.params["net"]["Dense_0"]["kernel"].shape for player in (generator, discriminator)]
    assert kernels == [(2 + 3, 4), (4 + 3, 4)]
    alone, other = create_players(CONFIG, (MLP((4,)), PLAYER[1]), KEY, (3,), outputs=(1 + 3,))
    assert [leaf["kernel"].shape for leaf in other.params.values()] == [(4, 4), (4, 4)]
    assert_close(alone.variables, generator.variables)


def test_fakes_of_several_minibatches_are_those_of_a_pass_for_each():
    generator, _ = create_players(CONFIG, PLAYER, KEY, (3,))
    latents = jax.random.normal(jax.random.key(1), (3, 4, 2))
    classes = jax.nn.one_hot(jnp.arange(12).reshape(3, 4) % 3, 3)
    keys, mode = jax.random.split(jax.random.key(2), (3, 4)), Mode(train=True)
    found = fixed_fakes(CONFIG, generator.variables, (latents, classes, keys), mode)
    passes = [
        generate(CONFIG, generator.variables, z, y, mode=mode.with_keys(k))[0]
        for z, y, k in zip(latents, classes, keys, strict=True)
    ]
    np.testing.assert_allclose(found, jnp.stack(passes), atol=1e-6)


def test_the_first_output_of_two_heads_is_the_score():
    net, points = MLP((4,)), jax.random.normal(jax.random.key(1), (5, 2))
    variables = net.init(KEY, points, (3,))
    outputs, _ = scorer(net, (3,))(variables, points)
    (scores, others), _ = two_headed(net, 2)(variables, points)
    np.testing.assert_array_equal(scores, outputs[:, 0])
    np.testing.assert_array_equal(others, outputs[:, 1:])


def test_images_are_in_the_range_of_the_config():
    generator, _ = create_players(CONFIG, PLAYER, KEY, (3,))
    inputs = 100 * jnp.ones((4, 2)), jax.nn.one_hot(jnp.arange(4) % 3, 3)
    for value_range, (low, high) in (((-1.0, 1.0), (-1, 1)), ((0.0, 1.0), (0, 1)), (None, (-np.inf, np.inf))):
        config = dataclasses.replace(CONFIG, value_range=value_range)
        images, _ = generate(config, generator.variables, *inputs)
        assert images.shape == (4, 2, 2, 1) and low <= images.min() and images.max() <= high
    assert np.abs(images).max() > 1  # without bounds the range would have been left
