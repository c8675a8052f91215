import dataclasses
from types import SimpleNamespace

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.gans import cgan
from jaxgen.gans.discrimination import GENERATOR
from jaxgen.gans.networks import (
    create_players,
    fixed_fakes,
    from_latents,
    from_latents_and_labels,
    generate,
    generator_step,
    scorer,
    two_headed,
)
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from jaxgen.priors import Normal
from jaxgen.train_state import apply
from tests import contract
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


class Drawn(nn.Module):
    """One number drawn from each example's key."""

    @nn.compact
    def __call__(self, inputs, condition, output_shape, *, mode=EVALUATION):
        drawn = jax.vmap(lambda key: jax.random.normal(key, output_shape))
        return drawn(mode.example_keys("Drawn")) if mode.train else jnp.zeros((len(inputs), *output_shape))


def test_each_fake_of_several_minibatches_is_drawn_from_its_own_key():
    config = dataclasses.replace(CONFIG, generator=Drawn(), value_range=None)
    keys = jax.random.split(jax.random.key(2), (3, 4))
    inputs = jnp.zeros((3, 4, 2)), jnp.zeros((3, 4, 3)), keys
    found = fixed_fakes(config, {"params": {}}, inputs, Mode(train=True))
    streams = [Mode(each).stream(GENERATOR).keys for each in keys]
    wanted = [jax.vmap(lambda key: jax.random.normal(key, (2, 2, 1)))(each) for each in streams]
    np.testing.assert_allclose(found, jnp.stack(wanted), rtol=1e-6)


def test_passes_in_training_give_the_new_statistics():
    """Of the generator, of a scorer and of two heads: those of the network itself."""
    generator, _ = create_players(CONFIG, PLAYER, KEY, (3,))
    latents, classes, mode = jnp.arange(8.0).reshape(4, 2), jax.nn.one_hot(jnp.arange(4) % 3, 3), Mode(train=True)
    _, after = generate(CONFIG, generator.variables, latents, classes, mode=mode)
    _, wanted = apply(CONFIG.generator, generator.variables, latents, classes, (2, 2, 1), mode=mode)
    assert_close(after, wanted)
    assert contract.differs(after, generator.variables)
    net = MLP((4,), norm="batch")
    variables = dict(net.init(KEY, latents, (3,)))
    _, wanted = apply(net, variables, latents, (3,), mode=mode)
    for network in (scorer(net, (3,)), two_headed(net, 2)):
        assert_close(network(variables, latents, mode)[1], wanted)


def test_images_of_a_state_are_those_of_the_average_of_its_generator_out_of_training():
    """Of classes in turn where no labels are given."""
    generator, _ = create_players(CONFIG, PLAYER, KEY, (3,))
    state, latents = SimpleNamespace(ema=generator.variables), jnp.arange(8.0).reshape(4, 2)
    labels = jnp.array([2, 0, 1, 1], jnp.int32)
    for given, used in ((labels, labels), (None, jnp.array([0, 1, 2, 0]))):
        wanted, _ = generate(CONFIG, generator.variables, latents, jax.nn.one_hot(used, 3))
        np.testing.assert_array_equal(from_latents_and_labels(CONFIG, state, latents, given), wanted)
    config = dataclasses.replace(CONFIG, generator=MLP((4,)))
    state = SimpleNamespace(ema=dict(config.generator.init(KEY, latents, (2, 2, 1))))
    np.testing.assert_array_equal(from_latents(config, state, latents), generate(config, state.ema, latents)[0])


def test_the_average_is_told_how_many_updates_the_generator_has_made():
    class Told:
        """Keeps the number that it is told, in place of an average."""

        def update(self, ema, variables, step):
            assert contract.differs(variables, generator.variables)
            return {"updates": step}

    generator, _ = create_players(CONFIG, PLAYER, KEY, (3,))
    state = SimpleNamespace(generator=generator, ema=generator.variables)

    def loss(config, variables):
        return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(variables["params"])), ({}, variables)

    config = SimpleNamespace(average=Told())
    for updates in (1, 2):
        after, told, _ = generator_step(config, state, loss, (), None)
        assert int(told["updates"]) == int(after.step) == updates
        state = SimpleNamespace(generator=after, ema=None)


def test_a_scorer_takes_points_alone_or_points_with_conditions():
    _, discriminator = create_players(CONFIG, PLAYER, KEY, (3,))
    images, classes = jnp.arange(16.0).reshape(4, 2, 2, 1), jax.nn.one_hot(jnp.arange(4) % 3, 3)
    found, _ = scorer(CONFIG.discriminator)(discriminator.variables, (images, classes))
    wanted, _ = apply(CONFIG.discriminator, discriminator.variables, images, classes, ())
    np.testing.assert_array_equal(found, wanted)
    assert found.shape == (4,)


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
